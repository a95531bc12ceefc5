"""The virtual camera's ONVIF judged by a client that is not ours: zeep with the specification's own WSDLs."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from onvif import ONVIFCamera
from zeep.exceptions import Fault

from safecity.virtual.mounts import MountName, MountPlan
from safecity.virtual.onvif.events import EventKind
from safecity.virtual.onvif.server import OnvifPlan
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.serving import ServePlan
from tests.rooms.virtual.conftest import CityInThread, ClipRecipe

USER, PASSWORD = "admin", "factory-1234"
FIRST = "127.61.0.1"
RTP = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}


@pytest.fixture(scope="module")
def city(make_clip, clip_cache, tmp_path_factory) -> "CityInThread":
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    clip = make_clip(ClipRecipe())
    credentials = Credentials(user=USER, password=PASSWORD)
    mounts = tuple(MountPlan(name=MountName(f"cam-{n}"), clip=clip, credentials=credentials) for n in (1, 2))
    started = CityInThread(ServePlan(mounts=mounts, cache=clip_cache, onvif=OnvifPlan(first_address=FIRST)))
    yield started
    started.stop()
    patch.undo()


@asynccontextmanager
async def camera(city: CityInThread, *, password: str = PASSWORD) -> AsyncIterator[ONVIFCamera]:
    made = ONVIFCamera(FIRST, city.running.city.onvif.port, USER, password)
    await made.update_xaddrs()
    try:
        yield made
    finally:
        await made.close()


def run(city: CityInThread, act: Callable[[ONVIFCamera], Awaitable[None]], *, password: str = PASSWORD) -> None:
    async def main() -> None:
        async with camera(city, password=password) as made:
            await act(made)

    asyncio.run(main())


def test_device_media_and_ptz(city: CityInThread) -> None:
    async def act(cam: ONVIFCamera) -> None:
        device = await cam.create_devicemgmt_service()
        assert (await device.GetDeviceInformation()).SerialNumber == "VC000001"
        assert (await device.GetCapabilities({"Category": "All"})).Events.WSPullPointSupport
        assert [user.Username for user in await device.GetUsers()] == [USER]
        assert (await device.GetNetworkInterfaces())[0].Info.HwAddress
        media = await cam.create_media_service()
        profiles = await media.GetProfiles()
        assert [one.VideoEncoderConfiguration.Resolution.Height for one in profiles] == [180, 360]
        uri = await media.GetStreamUri({"StreamSetup": RTP, "ProfileToken": profiles[0].token})
        assert uri.Uri == f"rtsp://{FIRST}:{city.running.rtsp_port}/cam-1/main"
        with pytest.raises(Fault, match="snapshots"):
            await media.GetSnapshotUri({"ProfileToken": profiles[0].token})
        options = await media.GetVideoEncoderConfigurationOptions({"ConfigurationToken": "encoder_main"})
        assert options.H264.GovLengthRange.Max == 400
        encoder = profiles[0].VideoEncoderConfiguration
        encoder.H264.GovLength = 10
        await media.SetVideoEncoderConfiguration({"Configuration": encoder, "ForcePersistence": True})
        assert (await media.GetVideoEncoderConfigurations())[0].H264.GovLength == 10
        ptz = await cam.create_ptz_service()
        profile = {"ProfileToken": profiles[0].token}
        assert (await ptz.GetConfigurations())[0].PanTiltLimits.Range.XRange.Max == 1
        assert len(await ptz.GetNodes()) == 1
        target = {"PanTilt": {"x": 0.1, "y": -0.2}, "Zoom": {"x": 0.3}}
        await ptz.AbsoluteMove({**profile, "Position": target})
        with pytest.raises(Fault, match="bounds"):
            await ptz.AbsoluteMove({**profile, "Position": {"PanTilt": {"x": 3, "y": 0}}})
        while (status := await ptz.GetStatus(profile)).MoveStatus.PanTilt != "IDLE":
            assert status.Position.PanTilt.x <= 0.1
        assert status.Position.PanTilt.x == pytest.approx(0.1)
        token = await ptz.SetPreset({**profile, "PresetName": "here"})
        assert token in [one.token for one in await ptz.GetPresets(profile)]
        await ptz.RemovePreset({**profile, "PresetToken": token})

    run(city, act)


def test_events(city: CityInThread) -> None:
    async def act(cam: ONVIFCamera) -> None:
        pulling = await cam.create_pullpoint_manager(dt.timedelta(seconds=60), lambda: None)
        service = pulling.get_service()
        ask = {"Timeout": dt.timedelta(seconds=5), "MessageLimit": 10}
        first = await service.PullMessages(ask)
        assert len(first.NotificationMessage) == len(EventKind)
        await asyncio.to_thread(city.control.notice, "cam-1", EventKind.MOTION, is_active=True)
        (told,) = (await service.PullMessages(ask)).NotificationMessage
        assert told.Topic._value_1 == "tns1:VideoSource/MotionAlarm"
        assert await pulling._renew_or_restart_subscription() is None
        await pulling.shutdown()

    run(city, act)


def test_the_card(city: CityInThread) -> None:
    async def act(cam: ONVIFCamera) -> None:
        search = await cam.create_onvif_service("search")
        assert (await search.GetRecordingSummary()).NumberRecordings == 1
        token = await search.FindRecordings({"Scope": {}, "KeepAliveTime": dt.timedelta(seconds=10)})
        found = await search.GetRecordingSearchResults({"SearchToken": token})
        (recording,) = found.RecordingInformation
        assert recording.LatestRecording > recording.EarliestRecording
        replay = await cam.create_replay_service()
        uri = await replay.GetReplayUri({"StreamSetup": RTP, "RecordingToken": recording.RecordingToken})
        assert uri.endswith("/cam-1/card")

    run(city, act)


def test_a_wrong_password_is_refused_and_then_locks(city: CityInThread) -> None:
    async def act(cam: ONVIFCamera) -> None:
        device = await cam.create_devicemgmt_service()
        for _ in range(6):
            with pytest.raises(Fault) as caught:
                await device.GetUsers()
        assert "locked" in str(caught.value)

    run(city, act, password="wrong")
    city.running.city.onvif.devices[MountName("cam-1")].locked_until_s = 0.0
