"""A camera's head: what it can, where it is, and moving it."""

from dataclasses import dataclass
from typing import Final

from safecity.platform.errors import Conflict, Denied, NotFound, Problem
from safecity.platform.xml_tree import Element
from safecity.video.onvif import names
from safecity.video.onvif.aim import Box, Limits, Optics, Position, Span, aim, check_box, fov_step, zoom_for
from safecity.video.onvif.camera import OnvifCamera
from safecity.video.onvif.envelopes import UNSUPPORTED, clean, text

MAX_PRESETS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PtzPreset:
    """A place that the camera remembers."""

    token: str
    name: str
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PtzState:
    """Where a head looks; None where the camera does not say."""

    position: Position | None
    is_moving: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a head can. Without any space told, all are tried: some cameras leave them out and move all the same."""

    limits: Limits
    can_place: bool = True
    """Absolute moves."""
    can_step_fov: bool = False
    """Relative moves in shares of the picture, the surest way to a point in it."""
    max_presets: int = 0


class CameraHead:
    """The head of one camera, through one of its profiles."""

    def __init__(self, camera: OnvifCamera, profile_token: str) -> None:
        self._camera = camera
        self._profile = f"<q:ProfileToken>{text(profile_token)}</q:ProfileToken>"

    async def describe(self) -> Head:
        """Limits and spaces: of the configuration where it tells them, else of the node, else the generic ones."""
        limits, node = Limits(), None
        try:
            node = (await self._camera.ask(names.PTZ, "GetNodes")).find("PTZNode")
        except Denied:
            raise
        except Problem as problem:
            if problem.code == UNSUPPORTED and not self._camera.offers(names.PTZ):
                raise
        try:
            told = (await self._camera.ask(names.PTZ, "GetConfigurations")).find("PTZConfiguration")
        except Denied:
            raise
        except Problem:
            told = None
        return read_head(node, told, default=limits)

    async def state(self) -> PtzState:
        """Where it looks now."""
        try:
            answer = await self._camera.ask(names.PTZ, "GetStatus", inner=self._profile)
        except NotFound:
            return PtzState(position=None, is_moving=None)
        status = answer.find("PTZStatus") or answer
        moves = {one.text.upper() for one in status.anywhere("PanTilt") if one.text}
        moves |= {one.text.upper() for one in status.anywhere("Zoom") if one.text}
        known = moves & {"MOVING", "IDLE"}
        return PtzState(position=_position(status.find("Position")), is_moving="MOVING" in moves if known else None)

    async def presets(self) -> tuple[PtzPreset, ...]:
        """All presets, as the camera orders them."""
        answer = await self._camera.ask(names.PTZ, "GetPresets", inner=self._profile)
        told = list(answer.each("Preset"))[:MAX_PRESETS]
        return tuple(
            PtzPreset(
                token=one.attributes["token"],
                name=clean(one.text_at("Name"), 80) or clean(one.attributes["token"], 80),
                position=_position(one.find("PTZPosition")),
            )
            for one in told
            if one.attributes.get("token")
        )

    async def go_to(self, wanted: str) -> PtzPreset:
        """Go to a preset by its token, its name, or its place in the list (1, 2, ...). Raises NotFound."""
        presets = await self.presets()
        chosen = find_preset(presets, wanted)
        token = f"<q:PresetToken>{text(chosen.token)}</q:PresetToken>"
        await self._camera.ask(names.PTZ, "GotoPreset", inner=self._profile + token)
        return chosen

    async def remember(self, name: str) -> str:
        """Make the place where it looks a preset; replaces one of that name. Returns its token."""
        there = next((one for one in await self.presets() if one.name == name), None)
        token = f"<q:PresetToken>{text(there.token)}</q:PresetToken>" if there else ""
        inner = f"{self._profile}<q:PresetName>{text(name)}</q:PresetName>{token}"
        answer = await self._camera.ask(names.PTZ, "SetPreset", inner=inner)
        return answer.text_at("PresetToken") or (there.token if there else "")

    async def forget(self, wanted: str) -> None:
        """Remove a preset."""
        chosen = find_preset(await self.presets(), wanted)
        token = f"<q:PresetToken>{text(chosen.token)}</q:PresetToken>"
        await self._camera.ask(names.PTZ, "RemovePreset", inner=self._profile + token)

    async def place(self, position: Position) -> None:
        """Go to a position. Raises Conflict where the camera says that it lies beyond its limits."""
        inner = f"{self._profile}<q:Position>{_vector(position)}</q:Position>"
        await self._camera.ask(names.PTZ, "AbsoluteMove", inner=inner)

    async def zoom_to(self, zoom: float) -> None:
        """Zoom alone, to a position."""
        inner = f'{self._profile}<q:Position><tt:Zoom x="{zoom:.5f}"/></q:Position>'
        await self._camera.ask(names.PTZ, "AbsoluteMove", inner=inner)

    async def run(self, *, pan: float, tilt: float, zoom: float, for_s: float) -> None:
        """Move at a speed (-1 to 1 each) for at most so long."""
        speed = f'<tt:PanTilt x="{pan:.4f}" y="{tilt:.4f}"/><tt:Zoom x="{zoom:.4f}"/>'
        inner = f"{self._profile}<q:Velocity>{speed}</q:Velocity><q:Timeout>PT{for_s:.1f}S</q:Timeout>"
        await self._camera.ask(names.PTZ, "ContinuousMove", inner=inner)

    async def stop(self) -> None:
        """Hold still."""
        await self._camera.ask(
            names.PTZ, "Stop", inner=f"{self._profile}<q:PanTilt>true</q:PanTilt><q:Zoom>true</q:Zoom>"
        )

    async def home(self) -> None:
        """Go home."""
        await self._camera.ask(names.PTZ, "GotoHomePosition", inner=self._profile)

    async def look_at(self, box: Box, *, head: Head, optics: Optics) -> Position | None:
        """Turn and zoom so that a part of the picture fills it; returns where it will look, None where not known.

        By field-of-view steps where the camera has them, since it knows its own lens; else by the angles that
        `optics` says. Raises Conflict where it can do neither.
        """
        check_box(box)
        state = await self.state()
        here = state.position
        if head.can_step_fov:
            right, up = fov_step(box)
            step = f'<tt:PanTilt x="{right:.5f}" y="{up:.5f}" space="{names.FOV_TRANSLATION}"/>'
            await self._camera.ask(
                names.PTZ, "RelativeMove", inner=f"{self._profile}<q:Translation>{step}</q:Translation>"
            )
            zoom = None if here is None else zoom_for(box, here=here.zoom, limits=head.limits, optics=optics)
            if here is None or zoom is None or zoom == here.zoom:
                return None
            target = aim(box, here=here, limits=head.limits, optics=optics)
            # Both at once would be overridden by the later one, so the whole place is given where it is known.
            await self.place(target) if head.can_place else await self.zoom_to(zoom)
            return target
        if here is None or not head.can_place:
            raise Conflict("this camera does not say where it looks, so it cannot be aimed", code="onvif.cannot_aim")
        target = aim(box, here=here, limits=head.limits, optics=optics)
        await self.place(target)
        return target


def read_head(node: Element | None, configuration: Element | None, *, default: Limits) -> Head:
    """What a head can, from its node and its configuration; either may be missing or half-empty."""
    spaces = node.find("SupportedPTZSpaces") if node is not None else None
    limits = default
    for where, pan_tilt, zoom in (
        (spaces, "AbsolutePanTiltPositionSpace", "AbsoluteZoomPositionSpace"),
        (configuration, "PanTiltLimits/Range", "ZoomLimits/Range"),
    ):
        if where is None:
            continue
        both, one = where.find(pan_tilt), where.find(zoom)
        limits = Limits(
            pan=_span(both, "XRange", default=limits.pan),
            tilt=_span(both, "YRange", default=limits.tilt),
            zoom=_span(one, "XRange", default=limits.zoom),
        )
    told = {one.text for one in spaces.anywhere("URI")} if spaces is not None else set[str]()
    has_absolute = spaces is not None and spaces.find("AbsolutePanTiltPositionSpace") is not None
    most = node.text_at("MaximumNumberOfPresets") if node is not None else ""
    return Head(
        limits=limits,
        can_place=has_absolute or not told,
        can_step_fov=names.FOV_TRANSLATION in told,
        max_presets=int(most) if most.isdecimal() and len(most) < 6 else 0,
    )


def find_preset(presets: tuple[PtzPreset, ...], wanted: str) -> PtzPreset:
    """By token, then by name, then by place in the list. Raises NotFound."""
    for one in presets:
        if one.token == wanted:
            return one
    for one in presets:
        if one.name.lower() == wanted.lower():
            return one
    if wanted.isdecimal() and 1 <= int(wanted[:6]) <= len(presets):
        return presets[int(wanted[:6]) - 1]
    raise NotFound("the camera has no such preset; list them first", code="onvif.no_preset")


def _span(told: Element | None, name: str, *, default: Span) -> Span:
    found = told.find(name) if told is not None else None
    if found is None:
        return default
    try:
        low, high = float(found.text_at("Min")), float(found.text_at("Max"))
    except ValueError:
        return default
    return Span(low=low, high=high) if -1e6 < low < high < 1e6 else default


def _position(told: Element | None) -> Position | None:
    pan_tilt = told.find("PanTilt") if told is not None else None
    zoom = told.find("Zoom") if told is not None else None
    try:
        return (
            Position(
                pan=float(pan_tilt.attributes["x"]) if pan_tilt is not None else 0.0,
                tilt=float(pan_tilt.attributes["y"]) if pan_tilt is not None else 0.0,
                zoom=float(zoom.attributes["x"]) if zoom is not None else 0.0,
            )
            if pan_tilt is not None or zoom is not None
            else None
        )
    except (KeyError, ValueError):
        return None


def _vector(position: Position) -> str:
    return f'<tt:PanTilt x="{position.pan:.5f}" y="{position.tilt:.5f}"/><tt:Zoom x="{position.zoom:.5f}"/>'
