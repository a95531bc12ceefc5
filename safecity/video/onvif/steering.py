"""Turning cameras: granted first, one person at a time, each move a leaf.

Who moves a camera steers it for 30 s more; nobody else may meanwhile, but for a supervisor, who takes over.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal, TypeVar

from safecity.oversight.model import Act, Actor, Resource, Role
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Invalid, NotFound
from safecity.sites.model import CameraId
from safecity.video.onvif import store
from safecity.video.onvif.aim import Box, Optics, Position, Span, fov_deg
from safecity.video.onvif.camera import OnvifCamera
from safecity.video.onvif.door import run
from safecity.video.onvif.ptz import CameraHead, Head, PtzPreset
from safecity.video.onvif.registering import Devices
from safecity.video.onvif.store import CameraDevice

STEERS_FOR: Final = timedelta(seconds=30)
MAX_RUN_S: Final = 5.0
MACHINE: Final = "machine"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One thing that a head is to do; the fields that the kind needs are set."""

    kind: Literal["preset", "box", "place", "zoom", "run", "stop", "home", "remember"]
    preset: str = ""
    """Token, name or number; for `remember` the name."""
    box: Box | None = None
    place: Position | None = None
    zoom: float = 0.0
    """A zoom position, 0 to 1 of its range."""

    def detail(self) -> dict[str, object]:
        """What its leaf says."""
        told: dict[str, object] = {"order": self.kind}
        if self.preset:
            told["preset"] = self.preset[:80]
        if self.place is not None and self.kind != "run":
            told["place"] = [round(one, 4) for one in (self.place.pan, self.place.tilt, self.place.zoom)]
        if self.kind == "zoom":
            told["zoom"] = round(self.zoom, 4)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadNow:
    """What a page shows of a head."""

    head: Head
    position: Position | None
    is_moving: bool | None
    fov_deg: float | None
    presets: tuple[PtzPreset, ...]
    steering: store.Steering | None
    optics: Optics


class Steering:
    """What people may do with heads."""

    def __init__(self, database: Database, *, devices: Devices, oversight: Oversight, clock: Clock) -> None:
        self._database = database
        self._devices = devices
        self._oversight = oversight
        self._clock = clock

    def show(self, actor: Actor | None, camera: CameraId) -> HeadNow:
        """Limits, presets, where it looks, who steers it; asks the camera. Raises NotFound where it does not turn."""
        if actor is not None:
            self._oversight.require(actor, Act.LIST_CAMERAS, Resource.city())
        device = self._turning(camera)
        optics = Optics(wide_fov_deg=device.wide_fov_deg, zoom_times=device.zoom_times)

        async def ask(head: CameraHead) -> HeadNow:
            told, state, presets = await head.describe(), await head.state(), await head.presets()
            here = state.position
            return HeadNow(
                head=told,
                position=here,
                is_moving=state.is_moving,
                fov_deg=None if here is None else fov_deg(here.zoom, limits=told.limits, optics=optics),
                presets=presets,
                steering=None,
                optics=optics,
            )

        now = self._with_head(device, ask)
        with self._database.read() as connection:
            steering = store.find_steering(connection, camera, now=self._clock.now())
        return replace(now, steering=steering)

    def move(self, actor: Actor | None, camera: CameraId, *, order: Order) -> None:
        """Have a head do something. Raises Denied, Conflict while another steers, and what the camera says.

        `actor` is None for who runs the command on the machine itself; the leaf then says so.
        """
        device = self._turning(camera)
        self._take(actor, camera, order=order)

        async def act(head: CameraHead) -> None:
            await _perform(head, order, optics=Optics(wide_fov_deg=device.wide_fov_deg, zoom_times=device.zoom_times))

        self._with_head(device, act)

    def let_go(self, actor: Actor, camera: CameraId) -> None:
        """Steer no longer; harmless for who does not."""
        with self._database.begin() as connection:
            steering = store.find_steering(connection, camera, now=self._clock.now())
            if steering is not None and steering.user == actor.user_id:
                store.release(connection, camera)

    def _take(self, actor: Actor | None, camera: CameraId, *, order: Order) -> None:
        """Grant, lock and leaf in one transaction; the camera is asked only behind it."""
        now = self._clock.now()
        user = MACHINE if actor is None else str(actor.user_id)
        with self._database.begin() as connection:
            if actor is None:
                body = {"camera": camera, "by": MACHINE, **order.detail()}
                self._oversight.note(connection, type="camera_steered", body=body)
            else:
                resource, detail = Resource.camera(camera), order.detail()
                self._oversight.permit(actor, Act.STEER_CAMERA, resource, connection=connection, detail=detail)
            if actor is None or actor.role is Role.SUPERVISOR:
                store.release(connection, camera)
            if not store.steer(connection, camera, user=user, now=now, until=now + STEERS_FOR):
                raise Conflict("someone else steers this camera; wait, or ask the supervisor", code="onvif.steered")

    def _turning(self, camera: CameraId) -> CameraDevice:
        with self._database.read() as connection:
            device = store.find_device(connection, camera)
        if device is None or not device.has_ptz:
            raise NotFound("this camera does not turn, or is not enrolled", code="onvif.no_head", camera=camera)
        return device

    def _with_head(self, device: CameraDevice, act: Callable[[CameraHead], Awaitable[Result]]) -> Result:
        _, sign_in = self._devices.sign_in_of(device.camera)

        async def main() -> Result:
            async with OnvifCamera(device.address, sign_in, clock=self._clock) as camera:
                return await act(CameraHead(camera, device.profile))

        return run(main)


async def _perform(head: CameraHead, order: Order, *, optics: Optics) -> None:
    if order.kind == "preset":
        await head.go_to(order.preset)
    elif order.kind == "remember":
        await head.remember(order.preset)
    elif order.kind == "stop":
        await head.stop()
    elif order.kind == "home":
        await head.home()
    elif order.kind == "box" and order.box is not None:
        await head.look_at(order.box, head=await head.describe(), optics=optics)
    elif order.kind == "place" and order.place is not None:
        await head.place((await head.describe()).limits.clamp(order.place))
    elif order.kind == "zoom":
        limits = (await head.describe()).limits
        await head.zoom_to(_within(limits.zoom, order.zoom))
    elif order.kind == "run" and order.place is not None:
        await head.run(pan=order.place.pan, tilt=order.place.tilt, zoom=order.place.zoom, for_s=MAX_RUN_S)
    else:
        raise Invalid("this order lacks what it needs", code="onvif.order")


def _within(span: Span, share: float) -> float:
    return span.low + min(max(share, 0.0), 1.0) * (span.high - span.low)
