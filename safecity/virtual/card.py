"""The camera's own card: what it showed since it was switched on, replayed by wall time over RTSP (ONVIF Profile G).

The card never loses a second: what the link did not carry is on it. It holds the clip's pictures, exactly those that
a viewer was or would have been sent then; stand-ins of faults are not on it.
"""

import struct
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from safecity.virtual.elementary import TICKS_PER_S, Elementary
from safecity.virtual.faults import FaultKind
from safecity.virtual.feed import Feed
from safecity.virtual.mounts import MountStream
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.rtsp.packets import HEADER_BYTES, OVERHEAD_BYTES, PacketBlock
from safecity.virtual.rtsp.rtcp import ntp_timestamp
from safecity.virtual.rtsp.source import ReplayAsk
from safecity.virtual.rtsp.viewer import Viewer
from safecity.virtual.rtsp.wheel import TICK_S, Wheel

CARD: Final = "card"
"""Its name in the address, where streams have `main` and `sub`."""
CARD_HOURS: Final = 24.0
BACKLOG_BYTES: Final = 256 * 1024
"""A replay that is not paced goes on while the client has no more than this to take."""
PICTURES_A_TURN: Final = 200

_EXTENSION = struct.Struct(">HHQBBH")
_MARK = 0xABAC
_CLEAN, _END, _BREAK, _LAST = 0x80, 0x40, 0x20, 0x10


@dataclass(slots=True, kw_only=True)
class _Player:
    """One client's way through the card."""

    viewer: Viewer
    ask: ReplayAsk
    ticks: int
    """Media time of the next picture."""
    until_ticks: int
    began_s: float
    first_ticks: int
    is_first: bool = True
    is_over: bool = False


class CardStream:
    """The card of one camera: a `rtsp.source.Source` that replays."""

    is_card = True

    def __init__(self, stream: MountStream, *, wheel: Wheel) -> None:
        self._stream = stream
        self._wheel = wheel
        self._asks: dict[Viewer, ReplayAsk] = {}
        self._players: dict[Viewer, _Player] = {}

    @property
    def users(self) -> tuple[Credentials, ...]:
        """Who may play."""
        return self._stream.users

    @property
    def is_refusing(self) -> bool:
        """True while the link is cut."""
        return FaultKind.DROP in self._stream.mount.faults

    @property
    def described(self) -> Elementary | None:
        """What was recorded."""
        return self._stream.feed.own.source if self._stream.feed else None

    @property
    def title(self) -> str:
        """Camera and card."""
        return f"{self._stream.mount.plan.name}/{CARD}"

    def span(self) -> tuple[datetime, datetime] | None:
        """First and last instant on the card, by the camera's clock; None while it is not ready."""
        feed = self._stream.feed
        if feed is None:
            return None
        now = self._stream.mount.camera_wall()
        held_s = feed.ticks_at(self._stream.mount.clock.monotonic_s()) / TICKS_PER_S
        return now - timedelta(seconds=min(held_s, CARD_HOURS * 3600)), now

    def prepare(self, viewer: Viewer, ask: ReplayAsk) -> bool:
        """Remember what to replay when `join` comes; False where the card holds nothing of it."""
        span = self.span()
        ends = ask.to_at or (span[1] if span else ask.from_at)
        if span is None or ends <= span[0] or ask.from_at >= span[1] or ends <= ask.from_at:
            return False
        self._asks[viewer] = ask
        return True

    def first_timestamp(self, *, from_group: bool) -> int:
        """Each replay begins at its own; clients read it from the packets."""
        del from_group
        return 0

    def join(self, viewer: Viewer, *, from_group: bool) -> None:
        """Begin to replay at the key picture at or before what was asked for."""
        del from_group
        ask, feed = self._asks.pop(viewer, None), self._stream.feed
        if ask is None or feed is None:
            return
        now_s = self._stream.mount.clock.monotonic_s()
        wanted = max(0, self._ticks_of(ask.from_at, feed))
        first = _key_at_or_before(feed, wanted)
        last = self._ticks_of(ask.to_at, feed) if ask.to_at else feed.ticks_at(now_s)
        viewer.waits_for_key = True
        player = _Player(
            viewer=viewer,
            ask=ask,
            ticks=first,
            until_ticks=min(last, feed.ticks_at(now_s)),
            began_s=now_s,
            first_ticks=first,
        )
        self._players[viewer] = player
        self._wheel.schedule(now_s, lambda at_s: self._turn(player, at_s))

    def leave(self, viewer: Viewer) -> None:
        """Stop replaying to this viewer."""
        self._asks.pop(viewer, None)
        player = self._players.pop(viewer, None)
        if player:
            player.is_over = True

    def _turn(self, player: _Player, now_s: float) -> float | None:
        feed = self._stream.feed
        if feed is None or player.is_over:
            return None
        for _ in range(PICTURES_A_TURN):
            due_s = player.began_s + (player.ticks - player.first_ticks) / TICKS_PER_S
            if player.ask.is_paced and due_s > now_s:
                return due_s
            if player.viewer.sink.backlog_bytes() > BACKLOG_BYTES:
                return now_s + TICK_S
            if not self._send_next(player, feed):
                player.is_over = True
                player.viewer.say_goodbye()
                return None
        return now_s + TICK_S

    def _send_next(self, player: _Player, feed: Feed) -> bool:
        """Send the picture that is due at `player.ticks`; False behind the end."""
        own = feed.own
        loop, rest = divmod(player.ticks, own.source.duration_ticks)
        index = max(0, bisect_right(own.ticks, rest) - 1)
        block = own.blocks[index]
        base = loop * own.source.duration_ticks
        at, is_last = base + own.ticks[index], index + 1 == len(own.blocks)
        following = base + own.source.duration_ticks if is_last else base + own.ticks[index + 1]
        if at > player.until_ticks:
            return False
        player.ticks = following
        if player.ask.only_keys and not block.is_key:
            return True
        flags = (_CLEAN if block.is_key else 0) | (_BREAK if player.is_first else 0)
        flags |= _END | _LAST if following > player.until_ticks else 0
        player.is_first = False
        wall = self._wall_of(at, feed)
        shown = with_replay_header(block, wall=wall, flags=flags, sequence=player.ask.sequence)
        player.viewer.show(shown, at & 0xFFFFFFFF)
        return True

    def _wall_of(self, ticks: int, feed: Feed) -> datetime:
        """When the camera took that picture, by its clock as it stands now."""
        mount = self._stream.mount
        ago_s = mount.clock.monotonic_s() - feed.instant_s(ticks)
        return mount.camera_wall() - timedelta(seconds=ago_s)

    def _ticks_of(self, wall: datetime, feed: Feed) -> int:
        mount = self._stream.mount
        ago_s = (mount.camera_wall() - wall).total_seconds()
        return feed.ticks_at(mount.clock.monotonic_s() - ago_s)


def with_replay_header(block: PacketBlock, *, wall: datetime, flags: int, sequence: int) -> PacketBlock:
    """The block with ONVIF's RTP header extension in its first packet (ONVIF Streaming 6.3)."""
    extension = _EXTENSION.pack(_MARK, 3, ntp_timestamp(wall), flags, sequence & 0xFF, 0)
    first = bytearray(block.block[:OVERHEAD_BYTES])
    first[4] |= 0x10
    size = int.from_bytes(first[2:4], "big") + len(extension)
    first[2:4] = size.to_bytes(2, "big")
    assert size >= HEADER_BYTES
    offsets = (0, *(offset + len(extension) for offset in block.offsets[1:]))
    return PacketBlock(
        block=bytes(first) + extension + block.block[OVERHEAD_BYTES:],
        offsets=offsets,
        ticks=block.ticks,
        is_key=block.is_key,
        index=block.index,
        mark=block.mark,
    )


def _key_at_or_before(feed: Feed, ticks: int) -> int:
    own = feed.own
    loop, rest = divmod(ticks, own.source.duration_ticks)
    index = max(0, bisect_right(own.ticks, rest) - 1)
    key = own.keys[max(0, bisect_right(own.keys, index) - 1)]
    return loop * own.source.duration_ticks + own.ticks[key]
