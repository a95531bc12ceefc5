"""Takes what cabinets tell, from whichever way it comes, and states what has changed."""

from safecity.events import state_fact
from safecity.events.sites import CabinetChanged
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import NotFound
from safecity.platform.ids import fact_id
from safecity.sites.cabinets import store
from safecity.sites.cabinets.model import Kind, conditions_of, instant_of, read_reading


class Cabinets:
    """The cabinets of the city."""

    def __init__(self, database: Database, *, clock: Clock, source: str) -> None:
        self._database = database
        self._clock = clock
        self._source = source

    def take(self, code: str, raw: bytes) -> list[CabinetChanged]:
        """Take one message of a site's cabinet; returns what changed with it.

        A message that is older than what is known is taken for what it renews, never for a change: messages may come
        twice and in any order. Raises Invalid for what cannot be read, NotFound for a site that is not in use.
        """
        reading = read_reading(raw)
        now = self._clock.now()
        at = instant_of(reading, now=now)
        changed: list[CabinetChanged] = []
        with self._database.begin() as connection:
            site = store.find_site(connection, code)
            if site is None:
                raise NotFound(f"no site {code} is in use", code="sites.no_site")
            standing = {one.condition.kind: one for one in store.list_standing(connection, site)}
            words: dict[Kind, str] = {kind: one.condition.word for kind, one in standing.items()}
            for condition in conditions_of(reading, before=words):
                before = standing.get(condition.kind)
                if before is not None and at <= before.heard_at:
                    continue
                if before is not None and before.condition.word == condition.word:
                    store.renew(connection, before, condition, heard_at=at)
                    continue
                store.change(connection, site, condition, at=at)
                fact = CabinetChanged(
                    site=site, kind=condition.kind.value, word=condition.word, figure=condition.figure, since=at
                )
                changed.append(fact)
                state_fact(
                    connection,
                    fact,
                    id=fact_id(fact.type, site, condition.kind.value, at.isoformat()),
                    source=self._source,
                    time=at,
                    subject=site,
                )
        return changed
