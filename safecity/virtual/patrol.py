"""Where the demo's units drive: straight towards where they were sent, at one speed, then they stand.

Pure: what moves is told when and where, and answers where it is then. No roads are asked: dispatch measures straight
lines too, and says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from safecity.platform.geometry import LonLat, distance_m

SPEED_MPS = 22.0
"""About 80 km/h: blue light in the virtual city, where nobody is in the way."""
SETS_OFF_AFTER = timedelta(seconds=4)
"""From being sent to driving, where nobody has said that the unit is en route."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """A way from where a unit stood when it set off to where it was sent."""

    start: LonLat
    target: LonLat
    began_at: datetime

    def position_at(self, now: datetime, *, speed_mps: float = SPEED_MPS) -> LonLat:
        """Where the unit is; at the start before it began, at the target once it is there."""
        length_m = distance_m(self.start, self.target)
        driven_m = max(0.0, (now - self.began_at).total_seconds()) * speed_mps
        if driven_m >= length_m:
            return self.target
        share = driven_m / length_m
        # Over a city the difference between this and the great circle is less than a metre.
        return LonLat(
            self.start.lon + (self.target.lon - self.start.lon) * share,
            self.start.lat + (self.target.lat - self.start.lat) * share,
        )


def sets_off_at(*, sent_at: datetime, en_route_at: datetime | None) -> datetime:
    """When a unit begins to drive: once somebody has said so, else a few seconds after it was sent."""
    latest = sent_at + SETS_OFF_AFTER
    return latest if en_route_at is None else min(en_route_at, latest)
