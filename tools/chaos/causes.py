"""Every hole's cause held against what was really done: the matrix of deeds and causes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from safecity.platform.database import Database
from safecity.sites.model import CameraId
from safecity.video.accounting import read_unexplained_s
from safecity.video.model import Cause
from safecity.video.store import read_timeline
from tools.chaos.deeds import Deed

_STREAM = frozenset({Cause.CAMERA, Cause.LINK})
AGREES: Mapping[str, frozenset[Cause]] = {
    "camera stall": _STREAM,
    "camera drop": frozenset({Cause.LINK, Cause.CAMERA}),
    "camera garbage": _STREAM,
    "camera wrong-password": frozenset({Cause.CREDENTIALS, Cause.LINK, Cause.CAMERA}),
    "camera resolution": frozenset({Cause.CAMERA}),
    "camera codec": _STREAM,
    "camera clock-jump": frozenset({Cause.CAMERA}),
    "camera clock-drift": frozenset({Cause.CAMERA}),
    "camera black": frozenset({Cause.CAMERA}),
    "camera frozen": frozenset({Cause.CAMERA}),
    "camera covered": frozenset({Cause.CAMERA}),
    "kill cameras": _STREAM,
    "link cut": _STREAM,
    "kill recorder": frozenset({Cause.RECORDER}),
    "disk full": frozenset({Cause.DISK}),
    "disk read-only": frozenset({Cause.DISK}),
    "clock step": frozenset({Cause.RECORDER}),
}
"""What a recorder may honestly call each deed. A stall and a cut line look alike until the connection breaks."""
TAIL_S: Mapping[str, float] = {
    "camera wrong-password": 45.0, "kill recorder": 25.0, "clock step": 15.0, "disk full": 20.0, "disk read-only": 30.0,
}  # fmt: skip
"""How long after its end a deed may still show: a recorder waits longer and longer between its tries."""
USUAL_TAIL_S = 45.0
LEAD_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """An interval that the ledger calls missing, in the centre's time and in ours."""

    camera: CameraId
    cause: Cause
    seconds: float
    from_at: datetime
    to_at: datetime
    deed: str | None
    """What explains it; None where nothing that was done does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All camera-seconds between two instants of the centre's clock."""

    expected_s: float
    recorded_s: float
    missing_s: Mapping[str, float]
    unexplained_s: float
    holes: Sequence[Hole]

    @property
    def accounted_share(self) -> float:
        """Recorded, or missing with a cause; 1 is all."""
        if not self.expected_s:
            return 1.0
        return (self.recorded_s + sum(self.missing_s.values()) - self.unexplained_s) / self.expected_s


def true_time(at: datetime, clock: Sequence[tuple[datetime, float]]) -> datetime:
    """Our time of an instant of the centre's."""
    offset = 0.0
    for since, error in clock:
        if since + timedelta(seconds=min(offset, error)) <= at:
            offset = error
    return at - timedelta(seconds=offset)


def account(
    database: Database,
    cameras: Iterable[CameraId],
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    deeds: Sequence[Deed],
    clock: Sequence[tuple[datetime, float]],
) -> Account:
    """Read the ledger as everybody reads it, and hold each hole against the deeds."""
    expected_s = recorded_s = 0.0
    missing_s: Counter[str] = Counter()
    holes: list[Hole] = []
    with database.read() as connection:
        for camera in cameras:
            found = read_timeline(connection, camera, from_at=since, to_at=until, now=now)
            expected_s += (found.settled_until - since).total_seconds()
            recorded_s += sum((span.to_at - span.from_at).total_seconds() for span in found.recorded)
            for gap in found.missing:
                seconds = (gap.to_at - gap.from_at).total_seconds()
                missing_s[gap.cause.value] += seconds
                deed = explain(camera, gap.cause, from_at=gap.from_at, to_at=gap.to_at, deeds=deeds, clock=clock)
                holes.append(
                    Hole(
                        camera=camera, cause=gap.cause, seconds=seconds, from_at=gap.from_at, to_at=gap.to_at, deed=deed
                    )
                )
        unexplained_s = read_unexplained_s(connection, from_at=since, to_at=until, now=now)
    return Account(
        expected_s=expected_s, recorded_s=recorded_s, missing_s=missing_s, unexplained_s=unexplained_s, holes=holes
    )


def explain(
    camera: CameraId,
    cause: Cause,
    *,
    from_at: datetime,
    to_at: datetime,
    deeds: Sequence[Deed],
    clock: Sequence[tuple[datetime, float]],
) -> str | None:
    """The deed that was done to this camera about then and that fits the cause best."""
    begin, end = true_time(from_at, clock), true_time(to_at, clock)
    best: Deed | None = None
    for deed in deeds:
        if (deed.cameras is not None and camera not in deed.cameras) or cause not in AGREES.get(deed.kind, ()):
            continue
        lasts_until = (deed.until or end) + timedelta(seconds=TAIL_S.get(deed.kind, USUAL_TAIL_S))
        if deed.from_at - timedelta(seconds=LEAD_S) > end or lasts_until < begin:
            continue
        if deed.most_s is not None and (to_at - from_at).total_seconds() > deed.most_s:
            continue
        if best is None or _weight(deed) > _weight(best):
            best = deed
    return None if best is None else best.kind


def _weight(deed: Deed) -> tuple[bool, datetime]:
    """What was done to this camera says more than what was done to all, and the later more than the earlier."""
    return deed.cameras is not None, deed.from_at


def matrix(holes: Iterable[Hole]) -> dict[str, dict[str, float]]:
    """Seconds by what was done and by what the ledger calls it."""
    table: dict[str, dict[str, float]] = {}
    for hole in holes:
        row = table.setdefault(hole.deed or "nothing that fits", {})
        row[hole.cause.value] = row.get(hole.cause.value, 0.0) + hole.seconds
    return table
