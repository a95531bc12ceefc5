"""Cabinets of the sites: what they tell over HTTP, and how they are."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire import Instant, Wire
from safecity.oversight.model import Act, Resource
from safecity.platform.errors import Denied, Exhausted
from safecity.sites.cabinets.model import MAX_BYTES, SILENT_AFTER
from safecity.sites.cabinets.service import Cabinets
from safecity.sites.cabinets.store import list_standing
from safecity.sites.cabinets.tokens import is_token

EVERY_S = 0.5  # of one site; a cabinet that says more is told to wait
MAX_SITES = 5000
SiteCode = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class CabinetCondition(Wire):
    """What holds of one thing of one cabinet now."""

    site: str
    code: str
    kind: Literal["door", "mains", "battery", "temperature"]
    word: Literal["open", "closed", "on", "off", "low", "enough", "hot", "normal"]
    figure: float | None
    since: Instant
    heard_at: Instant
    is_silent: bool
    """It has said nothing for ten minutes; what it said last may no longer hold."""


def cabinet_router(parts: WebParts) -> APIRouter:
    """`/api/cabinets` and `/api/health/cabinets`."""
    router = APIRouter(prefix="/api", tags=["health"])
    door = _Door(parts)

    @router.post("/cabinets/{site}", status_code=204)
    async def tell(site: SiteCode, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        """One message of a site's cabinet, with the token that `safecity cabinet token SITE` printed."""
        raw = await read_short(request)
        await run_in_threadpool(door.take, site, raw, authorization=request.headers.get("authorization", ""))
        return Response(status_code=204)

    @router.get("/health/cabinets")
    def health_cabinets(request: Request) -> tuple[CabinetCondition, ...]:  # pyright: ignore[reportUnusedFunction]
        """Door, mains, battery and temperature of every cabinet that tells them."""
        actor = get_session(parts.oversight, request).actor
        parts.oversight.require(actor, Act.VIEW_HEALTH, Resource.city())
        now = parts.clock.now()
        with parts.database.read() as connection:
            standing = list_standing(connection)
        return tuple(
            CabinetCondition.model_validate(
                {
                    "site": one.site,
                    "code": one.code,
                    "kind": one.condition.kind.value,
                    "word": one.condition.word,
                    "figure": one.condition.figure,
                    "since": one.from_at,
                    "heard_at": one.heard_at,
                    "is_silent": now - one.heard_at > SILENT_AFTER,
                }
            )
            for one in standing
        )

    return router


class _Door:
    """Lets in what carries the token of its site, and no cabinet more than twice a second."""

    def __init__(self, parts: WebParts) -> None:
        self._parts = parts
        self._cabinets = Cabinets(parts.database, clock=parts.clock, source="web")
        self._heard_s: dict[str, float] = {}

    def take(self, site: str, raw: bytes, *, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        with self._parts.database.read() as connection:
            is_known = scheme.lower() == "bearer" and is_token(connection, site, token.strip())
        if not is_known:
            raise Denied("this token is not the one of that site's cabinet", code="sites.cabinet_token")
        now_s = self._parts.clock.monotonic_s()
        if now_s - self._heard_s.get(site, -EVERY_S) < EVERY_S:
            raise Exhausted("a cabinet may speak twice a second at most", code="sites.cabinet_flood")
        if len(self._heard_s) > MAX_SITES:
            self._heard_s.clear()
        self._heard_s[site] = now_s
        self._cabinets.take(site, raw)


async def read_short(request: Request) -> bytes:
    """A body of at most MAX_BYTES + 1; the rest is left unread, and the message is then refused as too long."""
    found = b""
    async for piece in request.stream():
        found += piece
        if len(found) > MAX_BYTES:
            break
    return found[: MAX_BYTES + 1]
