"""The PTZ service (ver20/ptz): nodes, status, moves in the generic, degree and field-of-view spaces, presets."""

import math
import re
from dataclasses import replace
from typing import Final

from safecity.platform.xml_tree import Element
from safecity.virtual.faults import OddOnvif
from safecity.virtual.onvif.device import Device
from safecity.virtual.onvif.ptz_head import (
    MAX_CONTINUOUS_S,
    MAX_PRESETS,
    PAN_SPAN_DEG,
    TILT_SPAN_DEG,
    Place,
    Preset,
    PtzHead,
)
from safecity.virtual.onvif.soap import SoapFault, attribute, instant, text

_SPACES: Final = "http://www.onvif.org/ver10/tptz"
GENERIC_POSITION: Final = f"{_SPACES}/PanTiltSpaces/PositionGenericSpace"
GENERIC_ZOOM: Final = f"{_SPACES}/ZoomSpaces/PositionGenericSpace"
GENERIC_TRANSLATION: Final = f"{_SPACES}/PanTiltSpaces/TranslationGenericSpace"
FOV_TRANSLATION: Final = f"{_SPACES}/PanTiltSpaces/TranslationSpaceFov"
ZOOM_TRANSLATION: Final = f"{_SPACES}/ZoomSpaces/TranslationGenericSpace"
GENERIC_VELOCITY: Final = f"{_SPACES}/PanTiltSpaces/VelocityGenericSpace"
ZOOM_VELOCITY: Final = f"{_SPACES}/ZoomSpaces/VelocityGenericSpace"
_DURATION = re.compile(r"PT(?:(\d{1,4})M)?(?:(\d{1,6}(?:\.\d{1,6})?)S)?")


def get_nodes(device: Device, body: Element) -> str:
    """The one node."""
    del body
    return f"<tptz:GetNodesResponse>{_node(device)}</tptz:GetNodesResponse>"


def get_node(device: Device, body: Element) -> str:
    """The one node by its token."""
    if body.text_at("NodeToken") != "head":
        raise SoapFault("ter:InvalidArgVal", "There is no such node.", detail="ter:NoEntity")
    return f"<tptz:GetNodeResponse>{_node(device)}</tptz:GetNodeResponse>"


def get_configurations(device: Device, body: Element) -> str:
    """The one configuration, with its limits."""
    del body
    device.get_head()
    told = write_configuration(device, tag="tptz:PTZConfiguration")
    return f"<tptz:GetConfigurationsResponse>{told}</tptz:GetConfigurationsResponse>"


def get_status(device: Device, body: Element) -> str:
    """Where it looks and whether it moves."""
    head, now_s = _head(device, body), device.now_s()
    state = "MOVING" if head.is_moving(now_s) else "IDLE"
    return (
        f"<tptz:GetStatusResponse><tptz:PTZStatus>{_position(head.place_at(now_s), tag='tt:Position')}<tt:MoveStatus>"
        f"<tt:PanTilt>{state}</tt:PanTilt><tt:Zoom>{state}</tt:Zoom></tt:MoveStatus>"
        f"<tt:UtcTime>{instant(device.camera_now())}</tt:UtcTime></tptz:PTZStatus></tptz:GetStatusResponse>"
    )


def absolute_move(device: Device, body: Element) -> str:
    """Go to a position. Raises SoapFault for one beyond the limits."""
    head, now_s = _head(device, body), device.now_s()
    target = body.find("Position")
    if target is None:
        raise SoapFault("ter:InvalidArgs", "There is no position.")
    place = _read(target, default=head.place_at(now_s))
    if not head.limits.holds(place):
        raise SoapFault("ter:InvalidArgVal", "The position is out of bounds.", detail="ter:InvalidPosition")
    head.go(place, now_s=now_s, speed=_speed(body))
    return "<tptz:AbsoluteMoveResponse/>"


def relative_move(device: Device, body: Element) -> str:
    """Go so far from here; in the field-of-view space 1 is half a picture's width or height (ONVIF PTZ 5.2.4)."""
    head, now_s = _head(device, body), device.now_s()
    asked = body.find("Translation")
    if asked is None:
        raise SoapFault("ter:InvalidArgs", "There is no translation.")
    step, here = _read(asked, default=Place()), head.place_at(now_s)
    pan_tilt = asked.find("PanTilt")
    if pan_tilt is not None and pan_tilt.attributes.get("space", "") == FOV_TRANSLATION:
        fov = head.fov_deg(now_s)
        tall = 2 * math.degrees(math.atan(math.tan(math.radians(fov / 2)) * 9 / 16))
        pan = step.pan * fov / PAN_SPAN_DEG
        step = replace(step, pan=pan, tilt=step.tilt * tall / TILT_SPAN_DEG)
    head.go(
        Place(pan=here.pan + step.pan, tilt=here.tilt + step.tilt, zoom=here.zoom + step.zoom),
        now_s=now_s,
        speed=_speed(body),
    )
    return "<tptz:RelativeMoveResponse/>"


def continuous_move(device: Device, body: Element) -> str:
    """Move until stopped, or for the time given."""
    head = _head(device, body)
    asked = body.find("Velocity")
    if asked is None:
        raise SoapFault("ter:InvalidArgs", "There is no velocity.")
    told = body.text_at("Timeout")
    for_s = read_duration_s(told) if told else MAX_CONTINUOUS_S
    head.run(_read(asked, default=Place()), now_s=device.now_s(), for_s=for_s)
    return "<tptz:ContinuousMoveResponse/>"


def stop(device: Device, body: Element) -> str:
    """Hold still."""
    _head(device, body).stop(device.now_s())
    return "<tptz:StopResponse/>"


def get_presets(device: Device, body: Element) -> str:
    """All presets with their positions."""
    head = _head(device, body)
    told = "".join(
        f"<tptz:Preset token={attribute(preset.token)}><tt:Name>{text(preset.name)}</tt:Name>"
        f"{_position(preset.place, tag='tt:PTZPosition')}</tptz:Preset>"
        for preset in head.presets.values()
    )
    return f"<tptz:GetPresetsResponse>{told}</tptz:GetPresetsResponse>"


def set_preset(device: Device, body: Element) -> str:
    """Remember where it looks, as a new preset or in place of one."""
    head = _head(device, body)
    token, name = body.text_at("PresetToken"), body.text_at("PresetName")
    if token and token not in head.presets:
        raise _no_preset()
    if not token:
        if len(head.presets) >= MAX_PRESETS:
            raise SoapFault("ter:Action", "There is no room.", detail="ter:TooManyPresets", is_ours=True)
        token = next(str(n) for n in range(1, MAX_PRESETS + 2) if str(n) not in head.presets)
    name = name or (head.presets[token].name if token in head.presets else f"Preset {token}")
    head.presets[token] = Preset(token=token, name=name[:64], place=head.place_at(device.now_s()))
    return f"<tptz:SetPresetResponse><tptz:PresetToken>{text(token)}</tptz:PresetToken></tptz:SetPresetResponse>"


def goto_preset(device: Device, body: Element) -> str:
    """Go to a preset."""
    head = _head(device, body)
    preset = head.presets.get(body.text_at("PresetToken"))
    if preset is None:
        raise _no_preset()
    head.go(preset.place, now_s=device.now_s(), speed=_speed(body))
    return "<tptz:GotoPresetResponse/>"


def remove_preset(device: Device, body: Element) -> str:
    """Forget a preset."""
    head = _head(device, body)
    if head.presets.pop(body.text_at("PresetToken"), None) is None:
        raise _no_preset()
    return "<tptz:RemovePresetResponse/>"


def goto_home(device: Device, body: Element) -> str:
    """Go home."""
    head = _head(device, body)
    head.go(head.home, now_s=device.now_s(), speed=_speed(body))
    return "<tptz:GotoHomePositionResponse/>"


def set_home(device: Device, body: Element) -> str:
    """Home is where it looks now."""
    head = _head(device, body)
    head.home = head.place_at(device.now_s())
    return "<tptz:SetHomePositionResponse/>"


def write_configuration(device: Device, *, tag: str) -> str:
    """A tt:PTZConfiguration."""
    head = device.get_head()
    limits = ""
    if device.odd is not OddOnvif.NO_SPACES:
        pan, tilt, zoom = (_range(one) for one in (head.limits.pan, head.limits.tilt, head.limits.zoom))
        limits = (
            f"<tt:PanTiltLimits><tt:Range><tt:URI>{GENERIC_POSITION}</tt:URI><tt:XRange>{pan}</tt:XRange>"
            f"<tt:YRange>{tilt}</tt:YRange></tt:Range></tt:PanTiltLimits>"
            f"<tt:ZoomLimits><tt:Range><tt:URI>{GENERIC_ZOOM}</tt:URI><tt:XRange>{zoom}</tt:XRange></tt:Range>"
            "</tt:ZoomLimits>"
        )
    return (
        f'<{tag} token="ptz"><tt:Name>head</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>head</tt:NodeToken>'
        f"<tt:DefaultPTZTimeout>PT10S</tt:DefaultPTZTimeout>{limits}</{tag}>"
    )


def read_duration_s(told: str) -> float:
    """Seconds of an xs:duration of minutes and seconds. Raises SoapFault."""
    found = _DURATION.fullmatch(told)
    if found is None:
        raise SoapFault("ter:InvalidArgVal", "This is no duration that is known here.")
    return int(found[1] or 0) * 60 + float(found[2] or 0)


def _node(device: Device) -> str:
    device.get_head()
    spaces = ""
    if device.odd is not OddOnvif.NO_SPACES:
        both = "<tt:XRange><tt:Min>-1</tt:Min><tt:Max>1</tt:Max></tt:XRange>"
        flat = f"{both}<tt:YRange><tt:Min>-1</tt:Min><tt:Max>1</tt:Max></tt:YRange>"
        one = "<tt:XRange><tt:Min>0</tt:Min><tt:Max>1</tt:Max></tt:XRange>"
        spaces = "".join(
            f"<tt:{kind}><tt:URI>{uri}</tt:URI>{ranges}</tt:{kind}>"
            for kind, uri, ranges in (
                ("AbsolutePanTiltPositionSpace", GENERIC_POSITION, flat),
                ("AbsoluteZoomPositionSpace", GENERIC_ZOOM, one),
                ("RelativePanTiltTranslationSpace", GENERIC_TRANSLATION, flat),
                ("RelativePanTiltTranslationSpace", FOV_TRANSLATION, flat),
                ("RelativeZoomTranslationSpace", ZOOM_TRANSLATION, both),
                ("ContinuousPanTiltVelocitySpace", GENERIC_VELOCITY, flat),
                ("ContinuousZoomVelocitySpace", ZOOM_VELOCITY, both),
            )
        )
    return (
        '<tptz:PTZNode token="head" FixedHomePosition="false"><tt:Name>head</tt:Name>'
        f"<tt:SupportedPTZSpaces>{spaces}</tt:SupportedPTZSpaces>"
        f"<tt:MaximumNumberOfPresets>{MAX_PRESETS}</tt:MaximumNumberOfPresets><tt:HomeSupported>true</tt:HomeSupported>"
        "</tptz:PTZNode>"
    )


def _head(device: Device, body: Element) -> PtzHead:
    head = device.get_head()
    if body.text_at("ProfileToken") not in ("profile_main", "profile_sub"):
        raise SoapFault("ter:InvalidArgVal", "There is no such profile.", detail="ter:NoProfile")
    return head


def _position(place: Place, *, tag: str) -> str:
    return (
        f'<{tag}><tt:PanTilt x="{place.pan:.5f}" y="{place.tilt:.5f}" space="{GENERIC_POSITION}"/>'
        f'<tt:Zoom x="{place.zoom:.5f}" space="{GENERIC_ZOOM}"/></{tag}>'
    )


def _read(vector: Element, *, default: Place) -> Place:
    """A tt:PTZVector or tt:PTZSpeed; what it leaves out is as in the default."""
    pan_tilt, zoom = vector.find("PanTilt"), vector.find("Zoom")
    return Place(
        pan=_number(pan_tilt.attributes.get("x")) if pan_tilt else default.pan,
        tilt=_number(pan_tilt.attributes.get("y")) if pan_tilt else default.tilt,
        zoom=_number(zoom.attributes.get("x")) if zoom else default.zoom,
    )


def _speed(body: Element) -> float:
    told = body.find("Speed")
    if told is None:
        return 1.0
    place = _read(told, default=Place())
    return max(abs(place.pan), abs(place.tilt), abs(place.zoom)) or 1.0


def _number(told: str | None) -> float:
    try:
        value = float(told or "")
    except ValueError as error:
        raise SoapFault("ter:InvalidArgVal", "This is no number.") from error
    if not math.isfinite(value):
        raise SoapFault("ter:InvalidArgVal", "This is no number.")
    return value


def _range(limits: tuple[float, float]) -> str:
    return f"<tt:Min>{limits[0]:g}</tt:Min><tt:Max>{limits[1]:g}</tt:Max>"


def _no_preset() -> SoapFault:
    return SoapFault("ter:InvalidArgVal", "There is no such preset.", detail="ter:NoToken")
