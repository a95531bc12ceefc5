"""Looks at every link in a rhythm: handshake, loss, delay, and what its configuration lacks."""

from datetime import timedelta

from safecity.events import state_fact
from safecity.events.sites import LinkStateChanged
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.ids import fact_id
from safecity.platform.settings import LinksSettings
from safecity.sites.links import interface, store
from safecity.sites.links.echoes import measure
from safecity.sites.links.model import KeyState, Link, LinkReport, find_faults, judge


class LinkWatch:
    """The standing look at the links."""

    def __init__(self, database: Database, settings: LinksSettings, *, clock: Clock, source: str) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._source = source

    def run_once(self) -> list[LinkReport]:
        """Measure every link, keep the figures, and state what has changed."""
        with self._database.read() as connection:
            links = store.list_links(connection)
        if not links:
            return []
        reports = self.measure(links)
        with self._database.begin() as connection:
            before = {report.site: (report, since) for report, since in store.list_reports(connection)}
            for report in reports:
                old = before.get(report.site)
                is_same = old is not None and old[0].health is report.health
                since = old[1] if old is not None and is_same else report.checked_at
                store.put_report(connection, report, since=since)
                if not is_same:
                    fact = LinkStateChanged(site=report.site, health=report.health.value, since=since)
                    state_fact(
                        connection,
                        fact,
                        id=fact_id(fact.type, report.site, since.isoformat()),
                        source=self._source,
                        time=report.checked_at,
                        subject=report.site,
                    )
        return reports

    def measure(self, links: list[Link]) -> list[LinkReport]:
        """How every link is, now; takes about two seconds."""
        peers = interface.look(self._settings.interface)
        active = {link.site: key for link in links if (key := link.key_in(KeyState.ACTIVE)) is not None}
        echoes = measure([key.tunnel_address for key in active.values()])
        now = self._clock.now()
        max_age = timedelta(days=self._settings.key_days)
        reports: list[LinkReport] = []
        for link in links:
            key = active.get(link.site)
            peer = None if key is None or peers is None else peers.get(key.public_key or "")
            answered = None if key is None or echoes is None else echoes.get(key.tunnel_address)
            reports.append(
                LinkReport(
                    site=link.site,
                    code=link.code,
                    checked_at=now,
                    health=judge(link, peer, echoes=answered, now=now, may_look=peers is not None),
                    handshake_at=None if peer is None else peer.handshake_at,
                    loss=None if answered is None else round(answered.loss, 3),
                    delay_ms=None if answered is None else answered.delay_ms,
                    received_bytes=0 if peer is None else peer.received_bytes,
                    sent_bytes=0 if peer is None else peer.sent_bytes,
                    findings=find_faults(links, link, peers=peers or {}, now=now, max_age=max_age),
                )
            )
        return reports
