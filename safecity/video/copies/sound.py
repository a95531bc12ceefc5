"""Opens recordings for readers so that what they get is what was recorded: proved once, mended from a copy if need be.

A damaged byte inside a picture shows in no header; only the root over all bytes tells. So a segment is proved before a
window or a clip is cut from it, once in a while; scrubbing by key frames goes without, and falls back where a file is
gone or torn. Without places of copies all of this is a plain open.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import BinaryIO

from safecity.platform.clock import Clock
from safecity.platform.errors import NotFound, Unavailable
from safecity.video.copies.mending import Mender
from safecity.video.model import Segment, SegmentState
from safecity.video.splice import open_segment
from safecity.video.volumes import Volumes

MAX_PROVED = 8192
PROVED_FOR_S = 600.0


class SoundFiles:
    """The recordings of one installation with their copies behind them; safe to use from several threads."""

    def __init__(self, volumes: Volumes, *, mender: Mender, clock: Clock) -> None:
        self._volumes = volumes
        self._mender = mender
        self._clock = clock
        self._proved: OrderedDict[str, tuple[float, bool]] = OrderedDict()
        self._lock = threading.Lock()

    def prove(self, segments: Iterable[Segment]) -> bool:
        """Make sure that these can be read as they were recorded, as far as there are copies; True where one helped."""
        if not self._mender.has_places:
            return False
        helped = [self._prove(one) for one in segments if one.state is SegmentState.CLOSED]
        return any(helped)

    def open(self, segment: Segment) -> BinaryIO:
        """The file of a segment, or its copy where that is known to be bad or is gone. Raises NotFound, Unavailable."""
        with self._lock:
            known = self._proved.get(_name(segment))
        if known is not None and known[1]:
            copy = self._mender.open_copy(segment)
            if copy is not None:
                return copy
        try:
            return open_segment(self._volumes, segment)
        except (NotFound, Unavailable, OSError):
            self._mender.mend(segment)
            copy = self._mender.open_copy(segment)
            if copy is None:
                raise
            return copy

    def _prove(self, segment: Segment) -> bool:
        name, now_s = _name(segment), self._clock.monotonic_s()
        with self._lock:
            known = self._proved.get(name)
        if known is not None and now_s - known[0] < PROVED_FOR_S:
            return known[1]
        is_damaged = self._mender.find_flaw(segment) is not None
        is_mended = is_damaged and self._mender.mend(segment)
        is_from_copy = is_damaged and not is_mended and self._mender.find_copy(segment) is not None
        with self._lock:
            self._proved[name] = (now_s, is_from_copy)
            while len(self._proved) > MAX_PROVED:
                self._proved.popitem(last=False)
        return is_mended or is_from_copy


def _name(segment: Segment) -> str:
    return f"{segment.path} {segment.root}"
