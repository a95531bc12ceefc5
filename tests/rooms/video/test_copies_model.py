"""The pure rules of second copies: what a place wants, in which order, how late it is, how fast it may be sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.errors import Invalid
from safecity.platform.settings import CopySettings, VideoSettings, load_settings
from safecity.sites.model import CameraId
from safecity.video.copies.model import (
    ALL_WITHIN,
    LONGEST_WAIT_S,
    PROTECTED_WITHIN,
    Due,
    Policy,
    Protected,
    Protection,
    Target,
    TargetState,
    TokenBucket,
    Waiting,
    due_at,
    key_of,
    list_targets,
    order_of,
    percentile,
    protection_of,
    read_key,
    state_of,
    wait_after,
    wants,
)
from safecity.video.model import Segment, SegmentState, Stream

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
CAMERA = CameraId("cam_a")
ROOT = "ab" * 32


def segment(*, minutes_ago: float = 5, stream: Stream = Stream.MAIN, camera: str = CAMERA) -> Segment:
    start = NOW - timedelta(minutes=minutes_ago)
    return Segment(
        camera=CameraId(camera),
        stream=stream,
        started_at=start,
        durable_until=start + timedelta(seconds=60),
        state=SegmentState.CLOSED,
        path=f"{camera}/{stream.value}/{start:%Y-%m-%d}/{start:%H%M%S}000Z-t-1.mp4",
        session="t-1",
        size_bytes=1000,
        fragments=60,
        codec="h264",
        codec_string="avc1.42E01F",
        width_px=640,
        height_px=360,
        rate_ppb=0,
        line_error_us=0,
        camera_offset_us=None,
        root=ROOT,
        previous_root=None,
        is_held=False,
        writer="recorder-1",
    )


def target(policy: Policy = Policy.ALL, *, streams: tuple[Stream, ...] = tuple(Stream), days: float = 30) -> Target:
    return Target(
        name="vault",
        kind="directory",
        place="/vault",
        policy=policy,
        streams=frozenset(streams),
        bytes_per_s=None,
        keep=timedelta(days=days),
        region="",
        has_object_lock=False,
    )


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        (Policy.ALL, {Protection.NONE, Protection.PURPOSE, Protection.HELD}),
        (Policy.PROTECTED, {Protection.PURPOSE, Protection.HELD}),
        (Policy.HELD, {Protection.HELD}),
    ],
)
def test_a_place_wants_what_its_policy_says(policy: Policy, wanted: set[Protection]) -> None:
    found = {one for one in Protection if wants(target(policy), segment(), protection=one, now=NOW)}
    assert found == wanted


@pytest.mark.parametrize("policy", list(Policy))
def test_no_place_wants_a_segment_that_has_no_root_yet(policy: Policy) -> None:
    for row in (
        replace(segment(), state=SegmentState.OPEN, root=None),
        replace(segment(), state=SegmentState.DELETING),
    ):
        assert not wants(target(policy), row, protection=Protection.HELD, now=NOW)


def test_streams_and_age_limit_what_is_not_protected_alone() -> None:
    place = target(streams=(Stream.MAIN,), days=1)
    sub, old = segment(stream=Stream.SUB), segment(minutes_ago=3 * 24 * 60)
    for row in (sub, old):
        assert not wants(place, row, protection=Protection.NONE, now=NOW)
        assert wants(place, row, protection=Protection.PURPOSE, now=NOW)


def covering(protection: Protection, *, since: datetime = NOW, stream: Stream | None = None) -> Protected:
    return Protected(
        camera=CAMERA,
        stream=stream,
        from_at=NOW - timedelta(minutes=5),
        to_at=NOW,
        since=since,
        protection=protection,
    )


def test_the_firmest_reason_counts_and_of_these_the_oldest() -> None:
    earlier = NOW - timedelta(minutes=1)
    reasons = [
        covering(Protection.PURPOSE, since=NOW - timedelta(days=1)),
        covering(Protection.HELD),
        covering(Protection.HELD, since=earlier),
    ]
    assert protection_of(segment(), reasons) == (Protection.HELD, earlier)


def test_what_only_touches_at_its_border_or_is_of_another_stream_is_no_reason() -> None:
    before = segment(minutes_ago=6)  # ends where the interval begins
    assert protection_of(before, [covering(Protection.HELD)]) == (Protection.NONE, None)
    assert protection_of(segment(), [covering(Protection.HELD, stream=Stream.SUB)]) == (Protection.NONE, None)
    elsewhere = segment(camera="cam_b")
    assert protection_of(elsewhere, [covering(Protection.HELD)]) == (Protection.NONE, None)


def test_a_copy_is_due_once_the_segment_the_place_and_the_reason_are_there() -> None:
    row = segment()
    early, late = NOW - timedelta(days=9), NOW - timedelta(minutes=1)
    assert due_at(row, target_since=early, protected_since=None) == row.durable_until
    assert due_at(row, target_since=late, protected_since=early) == late
    assert due_at(row, target_since=early, protected_since=late) == late


def test_what_is_protected_goes_first_oldest_first_then_the_newest_of_the_rest() -> None:
    def due(minutes_ago: int, protection: Protection) -> Due:
        row = segment(minutes_ago=minutes_ago)
        return Due(segment=row, protection=protection, due_at=row.durable_until)

    new, old = due(5, Protection.NONE), due(50, Protection.NONE)
    held, covered = due(20, Protection.HELD), due(30, Protection.PURPOSE)
    assert sorted([old, held, new, covered], key=order_of) == [covered, held, new, old]


def test_an_objects_name_says_what_is_in_it() -> None:
    row = segment()
    named = read_key(key_of(row.path, ROOT))
    assert named is not None
    assert (named.path, named.root) == (row.path, ROOT)


@pytest.mark.parametrize(
    "key",
    [
        "", "x.mp4", f"{ROOT}.mp4", f"cam/main/2026-03-10/a.{ROOT}", f"cam/main/2026-03-10/a.{ROOT[:-1]}.mp4",
        f"cam/third/2026-03-10/a.{ROOT}.mp4", f"cam/main/today/a.{ROOT}.mp4", f"../main/2026-03-10/a.{ROOT}.mp4",
        f"a/cam/main/2026-03-10/a.{ROOT}.mp4", f"cam/main/2026-03-10/a.{ROOT.upper()}.mp4",
    ],
)  # fmt: skip
def test_a_strangers_name_is_none_of_ours(key: str) -> None:
    assert read_key(key) is None


@given(st.text(alphabet="abcdef0123456789/.-mp\x00", max_size=120))
def test_no_name_breaks_the_reader(key: str) -> None:
    named = read_key(key)
    assert named is None or key_of(named.path, named.root) == key


def test_a_place_is_behind_when_something_waits_longer_than_it_may() -> None:
    second = timedelta(seconds=1)
    assert state_of(Waiting(), now=NOW) is TargetState.CURRENT
    assert state_of(Waiting(segments=1, oldest_at=NOW - ALL_WITHIN), now=NOW) is TargetState.CURRENT
    assert state_of(Waiting(segments=1, oldest_at=NOW - ALL_WITHIN - second), now=NOW) is TargetState.BEHIND
    owed = Waiting(segments=1, oldest_at=NOW, oldest_protected_at=NOW - PROTECTED_WITHIN - second)
    assert state_of(owed, now=NOW) is TargetState.BEHIND


@given(
    st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99, 1.0])
)
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(one <= found for one in values) >= share * len(values)
    assert sum(one < found for one in values) < share * len(values)


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 0.99) is None


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 300_000)), min_size=1, max_size=60), st.floats(1e4, 1e7))
def test_the_bucket_lets_no_more_through_than_its_rate_and_one_second(
    steps: list[tuple[float, int]], rate: float
) -> None:
    bucket, now_s, sent = TokenBucket(rate, now_s=0.0), 0.0, 0
    for pause_s, size in steps:
        now_s += pause_s
        now_s += bucket.take(size, now_s=now_s)
        sent += size
        assert sent <= rate * (now_s + 1) + 1 + 1e-6 * sent


def test_the_bucket_wastes_nothing_of_a_link_that_is_always_asked() -> None:
    bucket, now_s = TokenBucket(1000.0, now_s=0.0), 0.0
    for _ in range(100):
        now_s += bucket.take(500, now_s=now_s)
    assert now_s == pytest.approx((100 * 500 - 1000) / 1000)


def test_a_place_that_is_away_is_asked_later_and_later_but_at_least_every_five_minutes() -> None:
    waits = [wait_after(number, jitter=1.0) for number in range(30)]
    assert all(first <= second for first, second in pairwise(waits))
    assert (waits[0], waits[-1]) == (1.0, LONGEST_WAIT_S)
    assert wait_after(30, jitter=0.0) == LONGEST_WAIT_S / 2


def s3_settings(**changed: object) -> dict[str, object]:
    return {"name": "vault", "kind": "s3", "place": "https://s3.example.org/bucket/safe"} | changed


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"name": "x", "kind": "machine", "place": "https://other"}, "cannot be a place of copies yet"),
        ({"name": "x", "kind": "directory", "place": "copies"}, "absolute path"),
        (s3_settings(place="http://s3.example.org/bucket"), "https"),
        (s3_settings(place="https://key:secret@s3.example.org/bucket"), "no credentials"),
        (s3_settings(place="https://s3.example.org"), "BUCKET"),
        ({"name": "x", "kind": "directory", "place": "/x", "object_lock": True}, "S3 places alone"),
        (s3_settings(name="Vault"), "pattern"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_reason(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        CopySettings.model_validate(settings)


def test_two_places_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="same name"):
        VideoSettings.model_validate({"copies": [s3_settings(), s3_settings()]})


def test_places_are_read_from_the_settings_file(tmp_path: object) -> None:
    path = tmp_path / "safecity.toml"  # type: ignore[operator]
    path.write_text(
        '[video]\nretention_days = 7\n[[video.copies]]\nname = "hall-b"\nkind = "directory"\nplace = "/mnt/b"\n'
        'policy = "protected"\nbandwidth_mbps = 80\n[[video.copies]]\nname = "vault"\nkind = "s3"\n'
        'place = "http://127.0.0.1:9000/b"\ndays = 90\n'
    )
    hall, vault = list_targets(load_settings(path).video)
    assert (hall.policy, hall.bytes_per_s, hall.keep) == (Policy.PROTECTED, 1e7, timedelta(days=7))
    assert (vault.policy, vault.bytes_per_s, vault.keep) == (Policy.ALL, None, timedelta(days=90))
    path.write_text('[[video.copies]]\nname = "b"\nkind = "tape"\nplace = "/mnt/b"\n')
    with pytest.raises(Invalid, match=r"video\.copies\.0\.kind"):
        load_settings(path)
