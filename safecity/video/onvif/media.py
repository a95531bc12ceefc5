"""Profiles, stream addresses and encoder settings, by Media 2 where a camera has it, else by Media 1."""

import math
import re
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from safecity.platform.errors import Conflict, Denied, Invalid, NotFound, Problem
from safecity.platform.xml_tree import Element
from safecity.video.onvif import names
from safecity.video.onvif.camera import OnvifCamera
from safecity.video.onvif.envelopes import UNREADABLE, UNSUPPORTED, attribute, clean, text, write_element
from safecity.video.onvif.model import MediaProfile

MAX_PROFILES: Final = 64
MAX_TOKEN_CHARACTERS: Final = 256
_CODECS = {"h264": "h264", "h265": "h265", "hevc": "h265", "jpeg": "jpeg", "mjpeg": "jpeg", "mpeg4": "mpeg4"}
_STREAM_SETUP = (
    "<q:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport>"
    "</q:StreamSetup>"
)


async def list_profiles(camera: OnvifCamera) -> tuple[MediaProfile, ...]:
    """All media profiles with an encoder. Raises NotFound for a device without any media service."""
    told: Problem = NotFound("the device has no media service: it is no camera", code=UNSUPPORTED)
    for namespace in (names.MEDIA2, names.MEDIA):
        if not camera.offers(namespace):
            continue
        is_media2 = namespace == names.MEDIA2
        inner = "<q:Type>VideoSource</q:Type><q:Type>VideoEncoder</q:Type><q:Type>PTZ</q:Type>" if is_media2 else ""
        try:
            answer = await camera.ask(namespace, "GetProfiles", inner=inner)
        except Denied:
            raise
        except Problem as problem:
            told = problem  # some list Media 2 and do not answer it; Media 1 is asked next
            continue
        found = read_profiles(answer, is_media2=is_media2)
        if found:
            return found
    if told.code == UNSUPPORTED and not camera.offers(names.MEDIA) and camera.offers(names.MEDIA2):
        raise told
    raise told


def read_profiles(answer: Element, *, is_media2: bool) -> tuple[MediaProfile, ...]:
    """The profiles of either service's answer; those without video are left out."""
    found = [_profile(one, is_media2=is_media2) for one in list(answer.each("Profiles"))[:MAX_PROFILES]]
    return tuple(one for one in found if one is not None)


async def with_uris(camera: OnvifCamera, profiles: tuple[MediaProfile, ...]) -> tuple[MediaProfile, ...]:
    """The same profiles with the addresses of their streams."""
    return tuple([replace(one, uri=await stream_uri(camera, one)) for one in profiles])


async def stream_uri(camera: OnvifCamera, profile: MediaProfile) -> str:
    """Where a profile plays over RTSP, at the host that we reached. Raises Invalid for an address that is none."""
    token = f"<q:ProfileToken>{text(profile.token)}</q:ProfileToken>"
    if profile.is_media2:
        answer = await camera.ask(names.MEDIA2, "GetStreamUri", inner=f"<q:Protocol>RtspUnicast</q:Protocol>{token}")
        told = answer.text_at("Uri")
    else:
        answer = await camera.ask(names.MEDIA, "GetStreamUri", inner=_STREAM_SETUP + token)
        told = answer.text_at("MediaUri/Uri") or answer.text_at("Uri")
    return at_our_host(told, camera.door.address)


def at_our_host(told: str, address: str) -> str:
    """An RTSP address of the camera's, at the host that we reached and without user and password in it.

    The port stays the one that was told. Raises Invalid where it is no RTSP address.
    """
    try:
        parts = urlsplit(told.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme.lower() not in ("rtsp", "rtsps") or not parts.hostname or len(told) > 2000:
        raise Invalid("the camera tells a stream address that is none", code=UNREADABLE)
    host = urlsplit(address).hostname or ""
    host = f"[{host}]" if ":" in host else host
    netloc = f"{host}:{port}" if port else host
    return urlunsplit((parts.scheme.lower(), netloc, parts.path, parts.query, ""))


async def set_gop(camera: OnvifCamera, profile: MediaProfile, *, length: int) -> int:
    """Ask for key pictures every so many pictures; returns what the camera then says it does.

    Raises Conflict where the camera refuses or has no such setting.
    """
    namespace = names.MEDIA2 if profile.is_media2 else names.MEDIA
    token = f"<q:ConfigurationToken>{text(profile.encoder)}</q:ConfigurationToken>"
    asked = "GetVideoEncoderConfigurations" if profile.is_media2 else "GetVideoEncoderConfiguration"
    answer = await camera.ask(namespace, asked, inner=token)
    configuration = answer.find("Configurations") or answer.find("Configuration")
    changed = None if configuration is None else with_gop(configuration, length)
    if changed is None:
        raise Conflict("the camera has no GOP length to set", code="onvif.refused")
    inner = f"<q:Configuration token={attribute(profile.encoder)}>{_children(changed)}</q:Configuration>"
    if profile.is_media2:
        kept = "".join(f" {name}={attribute(value)}" for name, value in changed.attributes.items() if name != "token")
        inner = f"<q:Configuration token={attribute(profile.encoder)}{kept}>{_children(changed)}</q:Configuration>"
    else:
        inner += "<q:ForcePersistence>true</q:ForcePersistence>"
    await camera.ask(namespace, "SetVideoEncoderConfiguration", inner=inner)
    after = await camera.ask(namespace, asked, inner=token)
    told = after.find("Configurations") or after.find("Configuration")
    return 0 if told is None else _gop(told)


def with_gop(configuration: Element, length: int) -> Element | None:
    """A configuration with another GOP length; None where it has none."""
    if "GovLength" in configuration.attributes:
        return replace(configuration, attributes={**configuration.attributes, "GovLength": str(length)})
    changed, children = False, []
    for child in configuration.children:
        if child.name in ("H264", "MPEG4") and child.find("GovLength") is not None:
            inside = tuple(replace(one, text=str(length)) if one.name == "GovLength" else one for one in child.children)
            child, changed = replace(child, children=inside), True
        children.append(child)
    return replace(configuration, children=tuple(children)) if changed else None


def _children(element: Element) -> str:
    return "".join(write_element(child) for child in element.children)


def _profile(told: Element, *, is_media2: bool) -> MediaProfile | None:
    inside = told.find("Configurations") if is_media2 else told
    if inside is None:
        return None
    encoder = inside.find("VideoEncoder" if is_media2 else "VideoEncoderConfiguration")
    source = inside.find("VideoSource" if is_media2 else "VideoSourceConfiguration")
    token = told.attributes.get("token", "")
    if encoder is None or not token or len(token) > MAX_TOKEN_CHARACTERS:
        return None
    return MediaProfile(
        token=token,
        name=clean(told.text_at("Name"), 80),
        source=source.text_at("SourceToken") if source is not None else "",
        codec=_CODECS.get(encoder.text_at("Encoding").lower().replace(".", ""), ""),
        width_px=_int(encoder.text_at("Resolution/Width")),
        height_px=_int(encoder.text_at("Resolution/Height")),
        frame_rate=_float(encoder.text_at("RateControl/FrameRateLimit")),
        bitrate_kbps=_int(encoder.text_at("RateControl/BitrateLimit")),
        gop=_gop(encoder),
        encoder=encoder.attributes.get("token", ""),
        has_ptz=inside.find("PTZ" if is_media2 else "PTZConfiguration") is not None,
        is_media2=is_media2,
    )


def _gop(encoder: Element) -> int:
    told = (
        encoder.attributes.get("GovLength") or encoder.text_at("H264/GovLength") or encoder.text_at("MPEG4/GovLength")
    )
    return _int(told)


def _int(told: str) -> int:
    return round(_float(told))


def _float(told: str) -> float:
    if not re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", told):
        return 0.0
    value = float(told)
    return value if math.isfinite(value) else 0.0
