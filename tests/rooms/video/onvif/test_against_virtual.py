"""The ONVIF client against the virtual cameras: the whole way, and every odd way they have."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from safecity.platform.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.onvif import names
from safecity.video.onvif.aim import Box, Optics, Position
from safecity.video.onvif.camera import OnvifCamera
from safecity.video.onvif.discover import Found, probe, scan
from safecity.video.onvif.envelopes import SignIn
from safecity.video.onvif.events import DeviceEventKind, pull_events
from safecity.video.onvif.media import list_profiles, set_gop, with_uris
from safecity.video.onvif.model import choose_streams
from safecity.video.onvif.ptz import CameraHead
from safecity.video.onvif.recordings import list_recordings, replay_uri
from safecity.video.onvif.replay import replay
from safecity.video.reader import Numbering
from safecity.virtual.faults import FaultKind, OddOnvif
from safecity.virtual.mounts import MountName
from safecity.virtual.onvif.events import EventKind
from tests.rooms.video.onvif.conftest import FIRST, PASSWORD, SECOND, THIRD, USER
from tests.rooms.virtual.conftest import CityInThread, wait_until

RIGHT = SignIn(user=USER, password=PASSWORD)
WRONG = SignIn(user=USER, password="not-this")


def ask(address: str, act: Callable[[OnvifCamera], Awaitable[None]], *, sign_in: SignIn | None = RIGHT) -> None:
    async def main() -> None:
        async with OnvifCamera(address, sign_in) as camera:
            await act(camera)

    asyncio.run(main())


async def describe(camera: OnvifCamera) -> None:
    assert (await camera.identity()).manufacturer == "Virtual"
    profiles = await with_uris(camera, await list_profiles(camera))
    main, sub = choose_streams(profiles)
    assert main is not None
    assert sub is not None
    assert (main.width_px, sub.width_px) == (960, 640)
    assert main.uri.startswith(f"rtsp://{FIRST}:")
    assert main.uri.endswith("/cam-1/main")


def test_a_camera_is_described(devices: CityInThread, port: int) -> None:
    async def act(camera: OnvifCamera) -> None:
        await describe(camera)
        assert camera.offers(names.MEDIA2)
        assert abs(camera.clock_offset_s or 99) < 3
        main = (await list_profiles(camera))[0]
        assert main.is_media2
        assert await set_gop(camera, main, length=12) == 12

    ask(f"{FIRST}:{port}", act)


@pytest.mark.parametrize(
    "odd",
    [
        OddOnvif.NO_SERVICES,
        OddOnvif.MEDIA1,
        OddOnvif.MEDIA2,
        OddOnvif.FOREIGN_ADDRESS,
        OddOnvif.HTTP_DIGEST,
        OddOnvif.FLAT_FAULTS,
        OddOnvif.MISFORMED,
    ],
)
def test_odd_cameras_are_described_too(devices: CityInThread, port: int, odd: OddOnvif) -> None:
    devices.control.set_fault("cam-1", FaultKind.ODD_ONVIF, value=odd)
    ask(f"{FIRST}:{port}", describe)


def test_gop_by_media_1(devices: CityInThread, port: int) -> None:
    devices.control.set_fault("cam-1", FaultKind.ODD_ONVIF, value=OddOnvif.MEDIA1)

    async def act(camera: OnvifCamera) -> None:
        profile = (await list_profiles(camera))[0]
        assert not profile.is_media2
        assert await set_gop(camera, profile, length=20) == 20
        with pytest.raises(Conflict):
            await set_gop(camera, profile, length=100_000)

    ask(f"{FIRST}:{port}", act)


@pytest.mark.parametrize(("odd", "code"), [(OddOnvif.FLOOD, "onvif.too_large"), (OddOnvif.MUTE, "onvif.unreachable")])
def test_a_camera_that_never_ends_is_bounded(
    devices: CityInThread, port: int, odd: OddOnvif, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.video.onvif.door.Door.call.__kwdefaults__", {**_CALL_DEFAULTS, "within_s": 1.5})
    devices.control.set_fault("cam-1", FaultKind.ODD_ONVIF, value=odd)
    with pytest.raises((Unavailable, Invalid)) as caught:
        ask(f"{FIRST}:{port}", describe)
    assert caught.value.code == code


_CALL_DEFAULTS = {"to": "", "action": "", "header": "", "within_s": 6.0, "signed": True}


@pytest.mark.parametrize("by", [3600, -86_400])
def test_a_wrong_clock_keeps_nobody_out_and_is_set(devices: CityInThread, port: int, by: int) -> None:
    devices.control.set_fault("cam-1", FaultKind.CLOCK_JUMP, value=str(by))

    async def act(camera: OnvifCamera) -> None:
        await describe(camera)
        assert camera.clock_offset_s == pytest.approx(by, abs=3)
        await camera.set_time(datetime.now(UTC))
        assert abs(camera.clock_offset_s or 99) < 3
        await camera.identity()

    ask(f"{FIRST}:{port}", act)
    state = devices.running.city.mounts[MountName("cam-1")].state
    state.camera_clock.set_wall(state.clock.now() + timedelta(seconds=by), now=state.clock.now(), now_s=0.0)


@pytest.mark.parametrize("odd", [None, OddOnvif.HTTP_DIGEST])
def test_a_wrong_password_is_tried_once_a_door(devices: CityInThread, port: int, odd: OddOnvif | None) -> None:
    if odd:
        devices.control.set_fault("cam-2", FaultKind.ODD_ONVIF, value=odd)
    device = devices.running.city.onvif.devices[MountName("cam-2")]

    async def act(camera: OnvifCamera) -> None:
        for _ in range(8):
            with pytest.raises(Denied) as caught:
                await camera.identity()
            assert caught.value.code == "onvif.unauthorised"

    ask(f"{SECOND}:{port}", act, sign_in=WRONG)
    assert device.wrong_tries <= 1
    ask(f"{SECOND}:{port}", lambda camera: camera.identity())


def test_a_locked_camera_says_so(devices: CityInThread, port: int) -> None:
    devices.running.city.onvif.devices[MountName("cam-2")].locked_until_s = float("inf")
    with pytest.raises(Denied) as caught:
        ask(f"{SECOND}:{port}", lambda camera: camera.identity())
    assert caught.value.code == "onvif.locked"


def test_the_head_moves_within_its_limits(devices: CityInThread, port: int) -> None:
    async def act(camera: OnvifCamera) -> None:
        head = CameraHead(camera, (await list_profiles(camera))[0].token)
        told = await head.describe()
        assert told.can_place
        assert told.can_step_fov
        assert (told.limits.pan.low, told.limits.zoom.high) == (-1, 1)
        assert [one.name for one in await head.presets()] == ["Junction", "Market gate", "Bus stop"]
        assert (await head.go_to("market GATE")).token == "2"
        assert (await arrived(head)).pan == pytest.approx(-0.4)
        await head.place(Position(pan=0.2, tilt=0.1, zoom=0.0))
        before = await arrived(head)
        target = await head.look_at(Box(x=0.7, y=0.4, width=0.1, height=0.1), head=told, optics=Optics())
        after = await arrived(head)
        assert target is not None
        assert after.pan == pytest.approx(target.pan, abs=1e-4)
        assert after.pan > before.pan
        assert after.zoom == pytest.approx((10 - 1) / 19, abs=1e-4)
        with pytest.raises(Conflict):
            await head.place(Position(pan=7, tilt=0, zoom=0))
        token = await head.remember("Here")
        assert (await head.go_to("Here")).token == token
        await head.forget("Here")
        with pytest.raises(NotFound):
            await head.go_to("Here")
        await head.run(pan=1, tilt=0, zoom=0, for_s=5)
        await head.stop()

    ask(f"{FIRST}:{port}", act)


async def arrived(head: CameraHead) -> Position:
    while (state := await head.state()).is_moving:
        pass
    assert state.position is not None
    return state.position


def test_a_head_without_spaces_moves_all_the_same(devices: CityInThread, port: int) -> None:
    devices.control.set_fault("cam-1", FaultKind.ODD_ONVIF, value=OddOnvif.NO_SPACES)

    async def act(camera: OnvifCamera) -> None:
        head = CameraHead(camera, (await list_profiles(camera))[0].token)
        told = await head.describe()
        assert told.can_place
        assert not told.can_step_fov
        await head.place(Position(pan=0.0, tilt=0.0, zoom=0.0))
        await arrived(head)
        target = await head.look_at(Box(x=0.0, y=0.0, width=0.5, height=0.5), head=told, optics=Optics())
        assert target is not None
        assert (await arrived(head)).pan == pytest.approx(target.pan, abs=1e-4)
        assert target.pan < 0 < target.tilt

    ask(f"{FIRST}:{port}", act)


def test_a_camera_without_a_head(devices: CityInThread, port: int) -> None:
    async def act(camera: OnvifCamera) -> None:
        head = CameraHead(camera, (await list_profiles(camera))[0].token)
        with pytest.raises(NotFound):
            await head.describe()

    ask(f"{THIRD}:{port}", act)


@pytest.mark.parametrize("odd", [None, OddOnvif.REFERENCES])
def test_events_are_pulled(devices: CityInThread, port: int, odd: OddOnvif | None) -> None:
    if odd:
        devices.control.set_fault("cam-1", FaultKind.ODD_ONVIF, value=odd)

    async def act(camera: OnvifCamera) -> None:
        events = pull_events(camera, pull_s=5)
        first = [await anext(events) for _ in EventKind]
        assert all(one.is_first for one in first)
        told = asyncio.create_task(anext(events))
        await asyncio.to_thread(devices.control.notice, "cam-1", EventKind.TAMPER, is_active=True)
        event = await told
        assert (event.kind, event.is_active, event.is_first) == (DeviceEventKind.TAMPER, True, False)
        await asyncio.to_thread(devices.control.notice, "cam-1", EventKind.TAMPER, is_active=False)
        await events.aclose()

    ask(f"{FIRST}:{port}", act)
    assert not devices.running.city.onvif.devices[MountName("cam-1")].board._points


def test_a_subnet_is_scanned(devices: CityInThread, port: int) -> None:
    async def main() -> list[Found]:
        return [found async for found in scan(["127.62.0.0/29"], ports=[port])]

    found = asyncio.run(main())
    assert sorted(one.address for one in found) == [
        f"http://{host}:{port}/onvif/device_service" for host in (FIRST, SECOND, THIRD)
    ]


@pytest.mark.parametrize(("to", "count"), [(SECOND, 1), ("239.255.255.250", 3)])
def test_cameras_answer_a_probe(devices: CityInThread, port: int, to: str, count: int) -> None:
    devices.control.set_fault("cam-2", FaultKind.ODD_ONVIF, value=OddOnvif.FOREIGN_ADDRESS)
    found = asyncio.run(probe(to=to, interface=FIRST if count > 1 else None, within_s=1.0))
    assert len(found) == count
    second = next(one for one in found if SECOND in one.address)
    assert second.address == f"http://{SECOND}:{port}/onvif/device_service"
    assert second.name == "cam-2"


def test_the_card_gives_back_what_the_link_lost(devices: CityInThread, port: int) -> None:
    """The link is cut for a while; the card's pictures of that time are those that would have been live."""
    began = datetime.now(UTC)
    devices.control.set_fault("cam-1", FaultKind.DROP)
    with pytest.raises(Unavailable):
        ask(f"{FIRST}:{port}", describe)
    wait_until(lambda: datetime.now(UTC) - began > timedelta(seconds=3))
    devices.control.clear_faults("cam-1")
    ends = began + timedelta(seconds=2.5)

    async def find(camera: OnvifCamera) -> None:
        (recording,) = await list_recordings(camera, from_at=began, to_at=ends)
        assert recording.from_at <= began
        uri = await replay_uri(camera, recording)
        url = uri.replace("rtsp://", f"rtsp://{USER}:{PASSWORD}@")
        items = await asyncio.to_thread(
            lambda: list(
                replay(
                    url,
                    from_at=began,
                    to_at=ends,
                    clock_offset_s=recording.clock_offset_s,
                    numbering=Numbering(session=1, sequence=0),
                )
            )
        )
        assert isinstance(items[0], StreamHeader)
        units = [one for one in items if isinstance(one, AccessUnit)]
        assert units[0].is_key
        assert units[0].received_at <= began + timedelta(seconds=1)
        assert units[-1].received_at >= ends - timedelta(seconds=1.2)
        steps = {round((b.received_at - a.received_at).total_seconds(), 3) for a, b in pairwise(units)}
        assert steps <= {0.099, 0.1, 0.101}
        ticks = [b.media_ticks - a.media_ticks for a, b in pairwise(units)]
        assert set(ticks) == {9000}
        own = devices.running.city.mounts[MountName("cam-1")].streams["main"].feed.own.source
        shown = {b"".join(len(n).to_bytes(4, "big") + n for n in one.nals) for one in own.pictures}
        sets = b"".join(len(n).to_bytes(4, "big") + n for n in own.parameter_sets)
        assert all(one.data in shown or one.data.removeprefix(sets) in shown for one in units)

    ask(f"{FIRST}:{port}", find)
