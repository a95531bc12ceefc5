"""The outages of one stream: what is not recorded, from when, and why, told to the index as it is found."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from safecity.events.video import RecordingInterrupted, RecordingResumed
from safecity.platform.clock import to_us
from safecity.platform.ids import fact_id
from safecity.video.index import Statement
from safecity.video.model import Cause, Outage, StreamKey

# What is seen before it is understood; the next diagnosis speaks for the whole outage.
PROVISIONAL = frozenset({"stall", "starting"})


class OutageLedger:
    """Keeps at most one open outage of a stream. Used under the lock of the stream's writer."""

    def __init__(
        self, key: StreamKey, *, put_outage: Callable[[Outage], None], put_fact: Callable[[Statement], None]
    ) -> None:
        self._key = key
        self._put_outage = put_outage
        self._put_fact = put_fact
        self._open: Outage | None = None

    @property
    def open(self) -> Outage | None:
        """The outage that lasts, if one does."""
        return self._open

    def adopt(self, outage: Outage) -> None:
        """Go on with an outage that an earlier process left open."""
        self._open = outage

    def begin(self, cause: Cause, detail: str, *, from_at: datetime, now: datetime) -> None:
        """Nothing is recorded from `from_at` on. An outage for another reason ends where this one is found, `now`."""
        if self._open is not None:
            if (self._open.cause, self._open.detail) == (cause, detail) or detail in PROVISIONAL:
                return
            if self._open.detail in PROVISIONAL:
                self._open = replace(self._open, cause=cause, detail=detail)
                self._put_outage(self._open)
                return
            self._put_outage(replace(self._open, to_at=max(now, self._open.from_at)))
            from_at = max(now, self._open.from_at)
        camera, stream = self._key
        self._open = Outage(
            id=fact_id("outage", camera, stream.value, to_us(from_at), detail),
            camera=camera,
            stream=stream,
            from_at=from_at,
            to_at=None,
            cause=cause,
            detail=detail,
        )
        self._put_outage(self._open)
        self._state(
            RecordingInterrupted(camera=camera, stream=stream.value, since=from_at, cause=cause.value, detail=detail),
            time=from_at,
        )

    def add(self, cause: Cause, detail: str, *, from_at: datetime, to_at: datetime) -> None:
        """State an outage that is over already; the open one, if there is one, goes on."""
        if to_at <= from_at:
            return
        lasting, self._open = self._open, None
        self.begin(cause, detail, from_at=from_at, now=from_at)
        self.end(at=to_at)
        self._open = lasting

    def end(self, *, at: datetime) -> None:
        """Recording goes on from `at`."""
        if self._open is None:
            return
        ended, self._open = replace(self._open, to_at=max(at, self._open.from_at)), None
        self._put_outage(ended)
        assert ended.to_at is not None
        fact = RecordingResumed(
            camera=ended.camera,
            stream=ended.stream.value,
            missing_from=ended.from_at,
            missing_to=ended.to_at,
            cause=ended.cause.value,
            detail=ended.detail,
        )
        self._state(fact, time=ended.to_at)

    def _state(self, fact: RecordingInterrupted | RecordingResumed, *, time: datetime) -> None:
        name = fact_id(type(fact).type, fact.camera, fact.stream, to_us(time), fact.cause, fact.detail)
        self._put_fact(Statement(fact=fact, id=name, time=time, subject=fact.camera))
