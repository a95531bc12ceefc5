"""The feed's rules: time never falls back, every change begins with a key picture, loops have no seam."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from safecity.virtual.elementary import Elementary, Picture
from safecity.virtual.feed import Feed, Shown
from safecity.virtual.rtsp.packets import PacketStream, packetise


def make_stream(count: int, *, key_every: int, interval: int = 6000, width_px: int = 64) -> PacketStream:
    pictures = tuple(
        Picture(
            nals=(bytes([0x65 if index % key_every == 0 else 0x41, index & 0xFF]),),
            ticks=index * interval,
            is_key=index % key_every == 0,
        )
        for index in range(count)
    )
    return packetise(
        Elementary(
            codec="h264",
            width_px=width_px,
            height_px=36,
            parameter_sets=(b"\x67\x42\x00\x1e", b"\x68\xce"),
            pictures=pictures,
            duration_ticks=count * interval,
        )
    )


def take(feed: Feed, count: int) -> list[Shown]:
    return [feed.take() for _ in range(count)]


def check_order(shown: list[Shown]) -> None:
    ticks = [item.ticks for item in shown]
    assert all(a < b for a, b in pairwise(ticks))
    for before, after in pairwise(shown):
        if before.is_stand_in != after.is_stand_in:
            assert after.block.is_key


streams = st.builds(make_stream, st.integers(1, 40), key_every=st.integers(1, 12), interval=st.integers(1000, 9000))


@given(streams, st.integers(0, 100))
def test_a_loop_has_no_seam(stream: PacketStream, extra: int) -> None:
    feed = Feed(stream, origin_s=0.0)
    shown = take(feed, len(stream.blocks) * 2 + extra)
    check_order(shown)
    intervals = {b.ticks - a.ticks for a, b in pairwise(shown)}
    assert len(intervals) <= 1
    assert shown[len(stream.blocks)].block is stream.blocks[0]


actions = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 30)),
        st.tuples(st.just("show"), st.integers(1, 20)),
        st.tuples(st.just("freeze"), st.integers(1, 20)),
        st.tuples(st.just("own"), st.just(0)),
        st.tuples(st.just("seek"), st.integers(0, 5)),
    ),
    max_size=12,
)


@given(streams, actions)
def test_whatever_is_shown_time_rises_and_changes_begin_at_keys(
    stream: PacketStream, steps: list[tuple[str, int]]
) -> None:
    feed = Feed(stream, origin_s=10.0)
    shown: list[Shown] = []
    runs: list[list[Shown]] = []
    for act, number in steps:
        if act == "take":
            shown += take(feed, number)
        elif act == "show":
            feed.show(make_stream(number, key_every=4, width_px=32))
        elif act == "freeze":
            ticks, _ = feed.next_key_ticks(feed.ticks_at(feed.due_s) + 100)
            feed.show(make_stream(number, key_every=4, width_px=32), from_ticks=ticks)
        elif act == "own":
            feed.show_own()
        else:
            # Whoever watched a feed that was moved begins anew at a key picture.
            feed.seek(feed.due_s + number)
            runs.append(shown)
            shown = []
    runs.append(shown + take(feed, 5))
    for run in runs:
        check_order(run)
    assert all(before[-1].ticks < after[0].ticks for before, after in pairwise([run for run in runs if run]))


@given(streams, st.integers(1, 30))
def test_the_clip_comes_back_at_its_own_place(stream: PacketStream, length: int) -> None:
    feed = Feed(stream, origin_s=0.0)
    take(feed, 3)
    feed.show(make_stream(5, key_every=5, width_px=32))
    assert feed.take().is_stand_in
    take(feed, length)
    feed.show_own()
    shown = take(feed, 2 * len(stream.blocks) + 200)
    back = next(item for item in shown if not item.is_stand_in)
    assert back.block.is_key
    assert back.ticks % stream.source.duration_ticks == back.block.ticks
    assert not any(item.is_stand_in for item in shown[shown.index(back) :])


@given(streams, st.floats(0, 100))
def test_a_new_viewer_is_given_the_pictures_since_the_key(stream: PacketStream, now_s: float) -> None:
    feed = Feed(stream, origin_s=0.0)
    feed.seek(now_s)
    group = feed.group()
    following = feed.take()
    assert following.ticks >= round(now_s * 90_000)
    if group:
        assert group[0].block.is_key
        assert not any(item.block.is_key for item in group[1:])
        check_order([*group, following])
    else:
        assert following.block.is_key


def test_a_late_feed_jumps_to_the_present() -> None:
    feed = Feed(make_stream(30, key_every=10), origin_s=0.0)
    assert not feed.catch_up(0.9)
    assert feed.catch_up(50.0)
    assert abs(feed.due_s - 50.0) < 0.1


def test_a_cut_is_seen_at_once_and_described() -> None:
    feed = Feed(make_stream(30, key_every=10), origin_s=0.0)
    other = make_stream(10, key_every=5, width_px=32)
    take(feed, 4)
    feed.cut(other, 0.3)
    assert feed.source.width_px == 32
    assert feed.take().is_stand_in
    feed.cut(None, 1.0)
    assert feed.source.width_px == 64
    assert not feed.take().is_stand_in
