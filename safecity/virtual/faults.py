"""What can be wrong with a virtual camera, and what a fault does to its clock: rules only, no I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from safecity.platform.errors import Invalid
from safecity.virtual.elementary import TICKS_PER_S

MAX_FAULT_S: Final = 7 * 86_400.0
MAX_JUMP_S: Final = 366 * 86_400.0
MAX_DRIFT_PPM: Final = 100_000.0


class FaultKind(StrEnum):
    """Faults by the word that the command line takes."""

    STALL = "stall"
    DROP = "drop"
    GARBAGE = "garbage"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - a word, not a secret
    RESOLUTION = "resolution"
    CODEC = "codec"
    CLOCK_JUMP = "clock-jump"
    CLOCK_DRIFT = "clock-drift"
    BLACK = "black"
    FROZEN = "frozen"
    COVERED = "covered"
    ODD_ONVIF = "odd-onvif"


PICTURE_KINDS: Final = frozenset(
    {FaultKind.RESOLUTION, FaultKind.CODEC, FaultKind.BLACK, FaultKind.FROZEN, FaultKind.COVERED}
)
"""Faults that decide what is shown: the last one set wins over the others."""


class GarbageKind(StrEnum):
    """Where the random bytes go."""

    NAL = "nal"
    """Into the payload; the packets around it stay whole."""
    FRAMING = "framing"
    """Between the packets of an interleaved connection; over UDP, whole datagrams."""


class OddOnvif(StrEnum):
    """Ways in which real devices differ from the specification; one at a time, by the fault `odd-onvif`."""

    NO_SERVICES = "no-services"
    """GetServices is not there; GetCapabilities is."""
    MEDIA1 = "media1"
    """The first media service only."""
    MEDIA2 = "media2"
    """The second media service only."""
    FOREIGN_ADDRESS = "foreign-address"
    """Addresses of services and streams name a host that cannot be reached, as behind NAT."""
    HTTP_DIGEST = "http-digest"
    """WS-UsernameToken is not looked at; HTTP Digest is asked for."""
    REFERENCES = "references"
    """Pull points share one address; which is meant is said by a reference parameter alone."""
    NO_SPACES = "no-spaces"
    """The PTZ node tells no spaces and the configuration no limits."""
    FLAT_FAULTS = "flat-faults"
    """Faults come as SOAP 1.1 with status 500."""
    MISFORMED = "misformed"
    """A name with a bare ampersand, so that answers are no well-formed XML."""
    FLOOD = "flood"
    """Answers never end."""
    MUTE = "mute"
    """Requests are taken and never answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJump:
    """A camera clock that is wrong by a fixed amount; cameras differ in whether media time follows."""

    by_s: float
    moves_rtp: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of one camera."""

    kind: FaultKind
    since: datetime
    until: datetime | None
    value: str | None = None


def read_garbage(value: str | None) -> GarbageKind:
    """`nal` (the default) or `framing`. Raises Invalid."""
    if value is None:
        return GarbageKind.NAL
    if value not in tuple(GarbageKind):
        raise Invalid("Garbage goes into `nal` or into `framing`; give one of them as value.", code="virtual.fault")
    return GarbageKind(value)


def read_jump(value: str | None) -> ClockJump:
    """Seconds, forward or back (`3600`, `-30`); with `:rtp` at the end the RTP timestamps jump too. Raises Invalid."""
    text, _, tail = (value or "60").partition(":")
    by_s = _number(text, "A clock jump is a number of seconds such as 60, -30 or -30:rtp.")
    if tail not in ("", "rtp") or abs(by_s) > MAX_JUMP_S:
        raise Invalid("A clock jumps by up to a year; add `:rtp` to move RTP timestamps too.", code="virtual.fault")
    return ClockJump(by_s=by_s, moves_rtp=tail == "rtp")


def read_drift_ppm(value: str | None) -> float:
    """Parts per million by which the camera's clock runs fast (or slow, negative); 500 unless said. Raises Invalid."""
    ppm = _number(value or "500", "A clock drift is a number of parts per million such as 500 or -200.")
    if abs(ppm) > MAX_DRIFT_PPM:
        raise Invalid(f"A clock drifts by at most {MAX_DRIFT_PPM:.0f} ppm.", code="virtual.fault")
    return ppm


def check_fault(kind: FaultKind, value: str | None, *, for_s: float | None) -> None:
    """Raises Invalid where this fault cannot be set."""
    if for_s is not None and not 0 < for_s <= MAX_FAULT_S:
        raise Invalid("A fault lasts longer than 0 s and at most a week; or leave the time away.", code="virtual.fault")
    if kind is FaultKind.GARBAGE:
        read_garbage(value)
    elif kind is FaultKind.CLOCK_JUMP:
        read_jump(value)
    elif kind is FaultKind.CLOCK_DRIFT:
        read_drift_ppm(value)
    elif kind is FaultKind.ODD_ONVIF:
        if value not in tuple(OddOnvif):
            raise Invalid(f"Say in which way it is odd: {', '.join(OddOnvif)}.", code="virtual.fault")
    elif value is not None:
        raise Invalid(f"The fault {kind} takes no value.", code="virtual.fault")


class CameraClock:
    """The clock inside a camera: true until a fault makes it jump or drift.

    A jump ends when its fault ends. A drift ends as after an NTP correction: the wall clock is true again, while
    media time, which may never fall back, keeps what it has gained or lost.
    """

    def __init__(self) -> None:
        self._jump = ClockJump(by_s=0.0, moves_rtp=False)
        self._ppm = 0.0
        self._drifts_since_s = 0.0
        self._kept_s = 0.0
        self._set_s = 0.0

    def set_wall(self, told: datetime, *, now: datetime, now_s: float) -> None:
        """Someone sets the camera's clock: from now on it goes on from there."""
        self._set_s += (told - self.wall(now, now_s)).total_seconds()

    def set_jump(self, jump: ClockJump | None) -> None:
        """Jump from now on; None ends it."""
        self._jump = jump or ClockJump(by_s=0.0, moves_rtp=False)

    def set_drift(self, ppm: float, now_s: float) -> None:
        """Drift from now on; 0 ends it."""
        if ppm != self._ppm:
            self._kept_s += self._drift_s(now_s)
            self._ppm = ppm
            self._drifts_since_s = now_s

    def wall(self, now: datetime, now_s: float) -> datetime:
        """What the camera believes the time is."""
        return now + timedelta(seconds=self._jump.by_s + self._drift_s(now_s) + self._set_s)

    def rtp_shift_ticks(self, now_s: float) -> int:
        """How far RTP timestamps are from those of a true clock."""
        jump_s = self._jump.by_s if self._jump.moves_rtp else 0.0
        return round((jump_s + self._kept_s + self._drift_s(now_s)) * TICKS_PER_S)

    def _drift_s(self, now_s: float) -> float:
        return (now_s - self._drifts_since_s) * self._ppm / 1e6


def _number(text: str, message: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise Invalid(message, code="virtual.fault") from error
    if number != number or abs(number) == float("inf"):
        raise Invalid(message, code="virtual.fault")
    return number
