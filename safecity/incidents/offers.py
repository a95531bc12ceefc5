"""Who an alert is offered to: the operator on duty with the least to do, pure."""

from collections.abc import Mapping, Sequence

from safecity.events.incidents import Person
from safecity.oversight.model import OnDuty, Role

OFFERED_TO = (Role.OPERATOR, Role.DISPATCHER)
"""Who works the queue; a dispatcher where no operator is on duty."""


def choose(on_duty: Sequence[OnDuty], held: Mapping[str, int], *, last: Mapping[str, int]) -> Person | None:
    """The one with the fewest open alerts, of those the one whose last offer is the longest ago; None on an empty desk.

    `held` counts the open alerts of each user, `last` is the number of each user's last offer (rising).
    """
    for role in OFFERED_TO:
        desk = [one for one in on_duty if one.role is role]
        if desk:
            user = min(desk, key=lambda one: (held.get(one.user_id, 0), last.get(one.user_id, 0), one.user_id))
            return Person(user=user.user_id, name=user.display_name)
    return None
