"""Single pictures: the right one, only when granted, told apart from one that is still on its way."""

import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta

import av
import cv2
import numpy as np
import pytest

from safecity.api import media_stills
from safecity.oversight.model import Role
from safecity.platform.clock import to_iso
from safecity.platform.errors import DataLoss, NotFound
from safecity.video import stills as stills_module
from safecity.video.model import Segment, SegmentState
from safecity.video.stills import Stills
from safecity.video.store import put_segments
from safecity.video.volumes import Volumes
from safecity.video.windows import WindowReader
from tests.rooms.video.house import House
from tests.rooms.video.recorded import CAMERA, NOON, load_clip
from tests.rooms.video.served import Running, register_camera

CLIP = "suburban_road_a.mp4"


@pytest.fixture
def house(tmp_path, clips_dir) -> House:
    return House(tmp_path, clips_dir / CLIP)


@pytest.fixture
def stills(house: House) -> Stills:
    windows = WindowReader(house.database, volumes=Volumes.at(house.data_dir / "media"))
    return Stills(house.database, oversight=house.oversight, clock=house.clock, windows=windows)


def picture(stills: Stills, at: datetime, *, width_px: int = 640) -> tuple[np.ndarray, datetime]:
    found = stills.find(CAMERA, at=at, width_px=width_px)
    assert found is not None
    shot = stills.make(found)
    return cv2.imdecode(np.frombuffer(shot.jpeg, np.uint8), cv2.IMREAD_COLOR), shot.at


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Mean difference in grey levels."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def test_it_is_the_very_picture_of_that_instant(house: House, stills: Stills, clips_dir) -> None:
    segment = house.recorder.write(keys=3)
    house.clock.advance(60)
    with av.open(str(clips_dir / CLIP)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    ticks = 0
    starts: list[datetime] = []
    for sample in house.recorder.samples:
        starts.append(segment.started_at + timedelta(microseconds=ticks * 100 // 9))
        ticks += sample.duration_ticks
    gap = starts[1] - starts[0]
    for number in (0, 1, 7, len(starts) // 2, len(starts) - 1):
        image, at = picture(stills, starts[number] + gap / 2, width_px=1920)
        assert abs(at - starts[number]) < timedelta(milliseconds=1)
        truth = frames[number]
        assert image.shape == truth.shape, "never enlarged"
        assert likeness(image, truth) < 4
        wrong = frames[(number + 40) % len(starts)]
        assert likeness(image, truth) < likeness(image, wrong)


def test_it_is_scaled_to_the_width_and_asked_twice_it_is_the_same(house: House, stills: Stills) -> None:
    house.recorder.write(keys=2)
    house.clock.advance(60)
    at = NOON + timedelta(seconds=2.5)
    image, shown = picture(stills, at, width_px=320)
    assert image.shape[1] == 320
    assert timedelta(0) <= at - shown < timedelta(seconds=0.1)
    before = time.perf_counter()
    again, _ = picture(stills, at, width_px=320)
    assert time.perf_counter() - before < 0.1
    assert likeness(image, again) == 0


def test_the_picture_does_not_harm_the_following_ones(house: House, stills: Stills, clips_dir) -> None:
    """The decoder's own picture is the reference of the next: making a JPEG of each must not change any."""
    house.recorder.write(keys=2)
    house.clock.advance(60)
    late = NOON + timedelta(seconds=3.5)
    fresh, _ = picture(stills, late, width_px=400)
    for step in range(5):
        picture(stills, NOON + timedelta(seconds=3 + step / 10), width_px=400)
    found = stills.find(CAMERA, at=late, width_px=401)
    assert found is not None
    after, _ = picture(stills, late, width_px=400)
    assert likeness(fresh, after) == 0


def test_young_is_not_yet_and_old_is_nothing(house: House, stills: Stills) -> None:
    segment = house.recorder.write(keys=2, state=SegmentState.OPEN)
    house.clock.advance((segment.durable_until - NOON).total_seconds())
    on_its_way = segment.durable_until + timedelta(milliseconds=40)
    house.clock.advance(1)
    assert stills.find(CAMERA, at=on_its_way, width_px=640) is None
    house.clock.advance(60)
    _, shown = picture(stills, on_its_way)
    assert shown < segment.durable_until, "the last picture stays, within the width of a seam"
    for nowhere in (segment.durable_until + timedelta(seconds=1), NOON - timedelta(seconds=1)):
        with pytest.raises(NotFound) as told:
            stills.find(CAMERA, at=nowhere, width_px=640)
        assert told.value.code == "stills.nothing_recorded"


def test_the_sub_stream_where_it_is_wide_enough(house: House, stills: Stills) -> None:
    main = house.recorder.write(keys=2)
    sub = replace(main, stream=stills_module.Stream.SUB, path=main.path.replace("main", "sub"), width_px=640)
    with house.database.begin() as connection:
        put_segments(connection, [sub])
    house.clock.advance(60)
    at = NOON + timedelta(seconds=1)
    for width_px, stream in ((320, "sub"), (640, "sub"), (641, "main"), (1920, "main")):
        found = stills.find(CAMERA, at=at, width_px=width_px)
        assert found is not None
        assert found.segment.stream == (stream if main.width_px >= width_px or stream == "sub" else "main")


def _damage(house: House, segment: Segment, change) -> None:
    path = house.data_dir / "media" / segment.path
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(bytes(content))


def test_what_is_damaged_is_said_to_be(house: House, stills: Stills) -> None:
    segment = house.recorder.write(keys=2)
    house.clock.advance(60)
    good = (house.data_dir / "media" / segment.path).read_bytes()

    def noise(content: bytearray) -> None:
        at = content.index(b"mdat") + 4
        content[at + 4 : at + 40_000] = bytes(range(256)) * 157

    def no_lengths(content: bytearray) -> None:
        at = content.index(b"mdat") + 4
        content[at : at + 4] = b"\xff\xff\xff\xff"

    for number, change in enumerate((noise, no_lengths, lambda content: content.__delitem__(slice(3000, None)))):
        _damage(house, segment, change)
        fresh = Stills(
            house.database,
            oversight=house.oversight,
            clock=house.clock,
            windows=WindowReader(house.database, volumes=Volumes.at(house.data_dir / "media")),
        )
        found = fresh.find(CAMERA, at=NOON + timedelta(milliseconds=30), width_px=640)
        assert found is not None
        with pytest.raises((DataLoss, NotFound)):
            fresh.make(found)
            pytest.fail(f"damage {number} was shown")
        (house.data_dir / "media" / segment.path).write_bytes(good)


def test_a_group_that_never_ends_is_not_decoded_to_its_end(
    house: House, stills: Stills, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.recorder.write(keys=2)
    house.clock.advance(60)
    monkeypatch.setattr(stills_module, "MAX_LEAD_PICTURES", 5)
    _, shown = picture(stills, NOON + timedelta(seconds=1.9))
    assert shown < NOON + timedelta(seconds=0.5), "what is shown is said"


def test_memory_has_a_limit(house: House, stills: Stills, monkeypatch: pytest.MonkeyPatch) -> None:
    house.recorder.write(keys=2)
    house.clock.advance(60)
    register_camera(house)
    monkeypatch.setattr(stills_module, "MAX_CACHED_BYTES", 30_000)
    monkeypatch.setattr(stills_module, "MAX_REMEMBERED", 3)
    for number in range(8):
        at = NOON + timedelta(seconds=number / 4)
        stills.grant(house.actor, CAMERA, at=at)
        picture(stills, at, width_px=160)
    assert sum(len(shot.jpeg) for shot in stills._shots.values()) == stills._cached_bytes <= 30_000
    assert len(stills._grants) == 3


def test_over_http_one_leaf_a_picture(running: Running) -> None:
    house = running.house
    house.recorder.write(keys=3)
    house.clock.advance(60)
    at = to_iso(NOON + timedelta(seconds=2))
    with running.http("ines") as page:
        for _ in range(3):
            answer = page.get(f"/media/stills/{CAMERA}", params={"at": at, "width": 320})
            assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "private, max-age=300"
        assert answer.headers["x-media-at"] <= to_iso(NOON + timedelta(seconds=2.005))
        assert "X-Media-At" in answer.headers["access-control-expose-headers"]
        image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert image.shape[1] == 320
        page.get(f"/media/stills/{CAMERA}", params={"at": to_iso(NOON + timedelta(seconds=3))})
        house.clock.advance(stills_module.REPEAT_S)
        page.get(f"/media/stills/{CAMERA}", params={"at": at})
        for wrong in ({"width": 2000}, {"width": 10}, {"at": "0001-01-01T00:00:00Z"}, {"at": "2026-03-02T12:00:00Z"}):
            assert page.get(f"/media/stills/{CAMERA}", params={"at": at, **wrong}).status_code == 422
        assert page.get("/media/stills/cam_none", params={"at": at}).status_code == 404
        none = page.get(f"/media/stills/{CAMERA}", params={"at": to_iso(NOON + timedelta(seconds=30))})
        assert (none.status_code, none.json()["code"]) == (404, "stills.nothing_recorded")
    assert house.log_types().count("view_recordings") == 4


def test_over_http_a_picture_is_waited_for(running: Running) -> None:
    house = running.house
    house.recorder.write(keys=1)
    here = house.recorder.at
    house.clock.advance((here - NOON).total_seconds() + 1)
    at = to_iso(here + timedelta(seconds=0.5))
    with running.http("ines") as page:
        began = time.monotonic()
        late = page.get(f"/media/stills/{CAMERA}", params={"at": at})
        assert 1.5 < time.monotonic() - began < 4
        assert (late.status_code, late.json()["code"]) == (404, "stills.not_yet")
        assert late.headers["retry-after"] == "1"
        assert late.headers["cache-control"] == "no-store"
        writer = threading.Timer(0.5, house.recorder.write, kwargs={"keys": 1})
        writer.start()
        assert page.get(f"/media/stills/{CAMERA}", params={"at": at}).status_code == 200
        writer.join()
    assert house.log_types().count("view_recordings") == 1


def test_another_format_another_clip(house: House, stills: Stills, clips_dir) -> None:
    house.recorder.write(keys=2)
    house.recorder.clip = load_clip(clips_dir / "intel_car_detection.mp4")
    changed = house.recorder.write(keys=1, session="s2")
    house.clock.advance(60)
    _, shown = picture(stills, changed.started_at + timedelta(seconds=0.2))
    assert shown >= changed.started_at


def test_who_may_not_gets_no_picture(running: Running) -> None:
    house = running.house
    house.recorder.write(keys=2)
    house.clock.advance(60)
    ask = {"at": to_iso(NOON + timedelta(seconds=1))}
    with running.http("ines") as page:
        assert page.get(f"/media/stills/{CAMERA}", params=ask).status_code == 200, "it is in memory now"
    for name, role, status in (
        ("adam", Role.ADMINISTRATOR, 403),
        ("olga", Role.OPERATOR, 403),
        ("aud", Role.AUDITOR, 403),
        ("tech", Role.TECHNICIAN, 403),
    ):
        house.sign_in(name, role, on_duty=False)
        with running.http(name) as page:
            answer = page.get(f"/media/stills/{CAMERA}", params=ask)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
    with running.http(None) as page:
        assert page.get(f"/media/stills/{CAMERA}", params=ask).status_code == 401
    house.oversight.end_shift(house.actor)
    with running.http("ines") as page:
        assert page.get(f"/media/stills/{CAMERA}", params=ask).status_code == 403, "nor with a leaf of before"
    assert house.log_types().count("refused") == 5


def test_what_waits_has_a_limit(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    house = running.house
    house.recorder.write(keys=1)
    house.clock.advance((house.recorder.at - NOON).total_seconds() + 1)
    monkeypatch.setattr(media_stills, "MAX_WAITING", 0)
    monkeypatch.setattr(media_stills, "MAX_QUEUED", 0)
    with running.http("ines") as page:
        began = time.monotonic()
        late = page.get(f"/media/stills/{CAMERA}", params={"at": to_iso(house.recorder.at + timedelta(seconds=0.5))})
        assert (late.status_code, late.json()["code"]) == (404, "stills.not_yet")
        assert time.monotonic() - began < media_stills.WAIT_S, "nobody waits beyond the limit"
        busy = page.get(f"/media/stills/{CAMERA}", params={"at": to_iso(NOON + timedelta(seconds=1))})
        assert (busy.status_code, busy.json()["code"]) == (429, "stills.busy")
        assert busy.headers["retry-after"] == "1"


def test_many_at_once_are_all_answered(running: Running) -> None:
    house = running.house
    house.recorder.write(keys=4)
    house.clock.advance(60)
    answers: list[int] = []

    def ask(number: int) -> None:
        with running.http("ines") as page:
            at = to_iso(NOON + timedelta(seconds=number / 4))
            answers.append(page.get(f"/media/stills/{CAMERA}", params={"at": at, "width": 320}).status_code)

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
    for one in askers:
        one.start()
    for one in askers:
        one.join(30)
    assert answers == [200] * 24
    assert house.log_types().count("view_recordings") == 24
