"""A camera whose link broke while its site was without mains has lost its power: its cabinet says so."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from safecity.video.model import Cause, Missing

BATTERY_LASTS = timedelta(hours=12)
"""An outage that begins so long after the mains went is no longer laid to it."""


def blame_power(missing: Iterable[Missing], cuts: Sequence[tuple[datetime, datetime | None]]) -> tuple[Missing, ...]:
    """Holes with cause `link` that began while the mains was away (a battery carries on for a while) become `power`.

    Such a hole stays `power` to its end: a site that has its mains again starts up before its cameras answer.
    """
    found: list[Missing] = []
    for one in missing:
        is_power = one.cause is Cause.LINK and any(
            began <= one.from_at <= (ended or one.from_at) and one.from_at - began <= BATTERY_LASTS
            for began, ended in cuts
        )
        found.append(Missing(from_at=one.from_at, to_at=one.to_at, cause=Cause.POWER) if is_power else one)
    return tuple(found)
