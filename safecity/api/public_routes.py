"""What anybody may ask without signing in: the city's published sums."""

from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from safecity.api.parts import WebParts
from safecity.api.wire import LedgerDayView, LedgerView
from safecity.public.ledger import list_days, render_page

KEPT_S = 300
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def public_router(parts: WebParts) -> APIRouter:
    """`/api/public/ledger` and the plain page `/public/ledger`."""
    router = APIRouter(tags=["public"])

    @router.get("/api/public/ledger")
    def ledger(response: Response) -> LedgerView:  # pyright: ignore[reportUnusedFunction]
        """The gap ledger: camera-seconds of the last closed days, recorded, recovered, or missing with the cause."""
        response.headers["Cache-Control"] = f"public, max-age={KEPT_S}"
        days = tuple(
            LedgerDayView(
                day=one.day,
                cameras=one.cameras,
                expected_s=round(one.expected_s, 1),
                recorded_s=round(one.recorded_s, 1),
                recovered_s=round(one.recovered_s, 1),
                missing_s={cause.value: round(seconds, 1) for cause, seconds in one.missing_s.items()},
                unexplained_s=round(one.unexplained_s, 1),
            )
            for one in list_days(parts.database)
        )
        return LedgerView(city=parts.settings.sites.name, time_zone=parts.settings.sites.time_zone, days=days)

    @router.get("/public/ledger", include_in_schema=False)
    def page(lang: Literal["en", "ur"] = "en") -> Response:  # pyright: ignore[reportUnusedFunction]
        """The same as a page without a script."""
        sites = parts.settings.sites
        name = sites.name_ur if lang == "ur" else sites.name
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": f"public, max-age={KEPT_S}"}
        return HTMLResponse(render_page(list_days(parts.database), city=name, language=lang), headers=headers)

    return router
