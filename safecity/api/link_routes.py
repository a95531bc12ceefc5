"""How the encrypted links to the sites are doing."""

from typing import Literal

from fastapi import APIRouter, Request

from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire import Instant, Wire
from safecity.oversight.model import Act, Resource
from safecity.sites.links.store import list_links, list_reports


class LinkHealth(Wire):
    """One site's link as it was last measured; the figures are None where nobody may measure them."""

    site: str
    code: str
    health: Literal["up", "degraded", "down", "waiting", "unknown"]
    since: Instant | None
    checked_at: Instant | None
    handshake_at: Instant | None
    loss: float | None
    """Share of echoes that were not answered, 0 to 1."""
    delay_ms: float | None
    """Median way there and back."""
    received_bytes: int
    sent_bytes: int
    findings: tuple[str, ...]
    """Faults of its configuration: key_old, key_used_twice, old_key_still_taken, offer_expired, hub_differs."""


def link_router(parts: WebParts) -> APIRouter:
    """`/api/health/links`."""
    router = APIRouter(prefix="/api/health", tags=["health"])

    @router.get("/links")
    def health_links(request: Request) -> tuple[LinkHealth, ...]:  # pyright: ignore[reportUnusedFunction]
        """Every link to a site: age of its handshake, loss, delay and faults; those that wait for an answer too."""
        actor = get_session(parts.oversight, request).actor
        parts.oversight.require(actor, Act.VIEW_HEALTH, Resource.city())
        with parts.database.read() as connection:
            reports = {report.site: (report, since) for report, since in list_reports(connection)}
            links = list_links(connection)
        rendered: list[LinkHealth] = []
        for link in links:
            report, since = reports.get(link.site, (None, None))
            rendered.append(
                LinkHealth(
                    site=link.site,
                    code=link.code,
                    health="unknown" if report is None else report.health.value,
                    since=since,
                    checked_at=None if report is None else report.checked_at,
                    handshake_at=None if report is None else report.handshake_at,
                    loss=None if report is None else report.loss,
                    delay_ms=None if report is None else report.delay_ms,
                    received_bytes=0 if report is None else report.received_bytes,
                    sent_bytes=0 if report is None else report.sent_bytes,
                    findings=() if report is None else report.findings,
                )
            )
        return tuple(rendered)

    return router
