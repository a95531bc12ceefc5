"""What a long run must show at its end: every second, every fact and every alert accounted for, memory flat, and the
drawn truth beside what the system counted."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from rich.table import Table

from safecity.analytics.store import read_totals
from safecity.events.store import events
from safecity.incidents.tables import alert_facts, alerts
from safecity.platform.database import Database
from safecity.sites.store import list_cameras
from safecity.video.store import read_timeline
from safecity.virtual.scenes import SceneTruth

READ_WITHIN = timedelta(seconds=15)
"""A fact may be on its way into the queue for so long, an alert past its due time."""
WARM_UP = 0.25
"""Share of the samples in which a process may still grow: caches, buffers, the first of everything."""
MOST_GROWTH_MB_AN_HOUR = 24.0
MOST_GROWTH_SHARE = 0.10
LEAST_SAMPLES = 12


def account(database: Database, *, since: datetime, now: datetime) -> dict[str, object]:
    """Every camera-second since the start: recorded, or missing by cause."""
    missing_s: Counter[str] = Counter()
    recorded_s = expected_s = 0.0
    with database.read() as connection:
        for camera in list_cameras(connection):
            found = read_timeline(connection, camera.id, from_at=since, to_at=now, now=now)
            expected_s += (found.settled_until - since).total_seconds()
            recorded_s += sum((span.to_at - span.from_at).total_seconds() for span in found.recorded)
            for gap in found.missing:
                missing_s[gap.cause.value] += (gap.to_at - gap.from_at).total_seconds()
    return {
        "expected_s": round(expected_s, 1),
        "recorded_s": round(recorded_s, 1),
        "missing_s": {cause: round(seconds, 1) for cause, seconds in missing_s.items()},
        "unexplained_s": round(expected_s - recorded_s - sum(missing_s.values()), 1),
    }


def check_queue(database: Database, *, now: datetime) -> dict[str, object]:
    """Facts without an alert or with two, and alerts that nobody has and nobody was called to."""
    a = alerts.c
    is_lost = sa.and_(
        a.state.in_(["unacknowledged", "acknowledged"]), a.priority < 4, a.owner.is_(None), a.level == 0,
        sa.or_(a.due_at.is_(None), a.due_at < now - READ_WITHIN),
    )  # fmt: skip
    is_ownerless = sa.and_(a.state == "acknowledged", a.owner.is_(None))
    fired = sa.select(events.c.id).where(events.c.type == "analytics.rule_fired", events.c.time < now - READ_WITHIN)
    with database.read() as connection:
        facts = set(connection.execute(fired).scalars())
        joined = Counter(connection.execute(sa.select(alert_facts.c.fact)).scalars())
        counted = connection.execute(sa.select(sa.func.coalesce(sa.func.sum(a.count), 0)).where(a.kind != "manual"))
        return {
            "facts": len(facts),
            "facts_without_alert": len(facts - set(joined)),
            "facts_in_two_alerts": sum(times > 1 for times in joined.values()),
            "facts_counted_otherwise": abs(int(counted.scalar_one()) - sum(joined.values())),
            "alerts": dict(connection.execute(sa.select(a.state, sa.func.count()).group_by(a.state)).tuples().all()),
            "alerts_nobody_has": connection.execute(
                sa.select(sa.func.count()).select_from(alerts).where(sa.or_(is_lost, is_ownerless))
            ).scalar_one(),
        }


@dataclass(slots=True)
class Memory:
    """Resident memory of each process over time; a killed one begins anew."""

    samples: dict[tuple[str, int], list[tuple[float, float]]] = field(default_factory=dict)

    def sample(self, slots: Mapping[str, int], *, at_s: float) -> None:
        """Look at every process once."""
        for slot, pid in slots.items():
            rss_mb = read_rss_mb(pid)
            if rss_mb is not None:
                self.samples.setdefault((slot, pid), []).append((at_s, rss_mb))

    def report(self) -> dict[str, dict[str, float | bool]]:
        """For each slot's longest-lived process: memory at the end, and MB an hour since it had warmed up."""
        longest: dict[str, Sequence[tuple[float, float]]] = {}
        for (slot, _), seen in self.samples.items():
            if len(seen) > len(longest.get(slot, ())):
                longest[slot] = seen
        return {slot: judge_growth(seen) for slot, seen in sorted(longest.items())}


def judge_growth(seen: Sequence[tuple[float, float]]) -> dict[str, float | bool]:
    """The least-squares slope behind the warm-up; flat where what it adds over the run is small, too."""
    steady = seen[int(len(seen) * WARM_UP) :]
    slope = slope_of(steady) * 3600
    added_mb = slope * (steady[-1][0] - steady[0][0]) / 3600
    is_known = len(seen) >= LEAST_SAMPLES
    is_flat = slope <= MOST_GROWTH_MB_AN_HOUR or added_mb <= MOST_GROWTH_SHARE * steady[0][1]
    return {
        "rss_mb": round(seen[-1][1], 1), "mb_an_hour": round(slope, 1), "added_mb": round(added_mb, 1),
        "is_flat": is_flat or not is_known,
    }  # fmt: skip


def slope_of(points: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope; 0 for fewer than two instants."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def read_rss_mb(pid: int) -> float | None:
    """Resident memory of a process (proc(5)); None when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A counting line: what was drawn in the interval, and what the system counted."""

    camera: str
    scene: str
    line: str
    way: str
    drawn: float
    counted: int


def compare_with_truth(database: Database, *, run_dir: Path, since: datetime, until: datetime) -> list[Compared]:
    """The drawn crossings (loops of the clip times crossings a loop) beside the counted ones, per camera and line."""
    mounts = json.loads((run_dir / "virtual-mounts.json").read_bytes())["mounts"]
    truths: dict[str, SceneTruth] = {}
    found: list[Compared] = []
    with database.read() as connection:
        ids = {camera.code: camera.id for camera in list_cameras(connection)}
        for mount in mounts:
            path = Path(mount["clip"]).with_name("truth.json")
            if not path.exists():
                continue
            truth = truths.setdefault(str(path), SceneTruth.model_validate_json(path.read_bytes()))
            loops = (until - since).total_seconds() / truth.duration_s
            drawn = Counter((one.line, one.direction.value) for one in truth.crossings)
            totals = read_totals(connection, ids[mount["name"]], from_at=since, to_at=until)
            by_line = {line.line: line for line in totals.lines}
            for line in truth.lines:
                for way in ("forward", "backward"):
                    seen = sum(getattr(by_line[line.name], way).values()) if line.name in by_line else 0
                    if drawn[line.name, way] or seen:
                        found.append(
                            Compared(
                                camera=mount["name"], scene=f"{truth.layout} {truth.condition}", line=line.name,
                                way=way, drawn=drawn[line.name, way] * loops, counted=seen,
                            )
                        )  # fmt: skip
    return found


def truth_table(compared: Sequence[Compared]) -> Table:
    """The comparison for people."""
    table = Table(title="Drawn truth and what was counted", box=None, title_justify="left")
    for heading in ("camera", "scene", "line", "way"):
        table.add_column(heading)
    for heading in ("drawn", "counted", "share"):
        table.add_column(heading, justify="right")
    for one in compared:
        share = f"{one.counted / one.drawn:.2f}" if one.drawn else "-"
        table.add_row(one.camera, one.scene, one.line, one.way, f"{one.drawn:.1f}", str(one.counted), share)
    drawn, counted = sum(one.drawn for one in compared), sum(one.counted for one in compared)
    share = f"{counted / drawn:.2f}" if drawn else "-"
    table.add_row("all", "", "", "", f"{drawn:.0f}", str(counted), share, style="bold")
    return table
