"""The built page, served with a policy that lets the browser talk to nobody but us."""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from safecity.platform.errors import NotFound

GatewayOrigin = Callable[[Request], str]
PAGE_DIR = Path(__file__).resolve().parent / "page"  # resolved, as the files in it are before they are compared
NOT_BUILT = """<!doctype html><title>SafeCity</title><p>The page has not been built yet: run <code>make setup</code>
in the folder of SafeCity, then load this address again. The API answers at <a href="/api/health">/api/health</a>."""
IMMUTABLE = "public, max-age=31536000, immutable"


def content_policy(gateway_origin: str) -> str:
    """Content-Security-Policy of the page: itself and the gateway, no other host."""
    socket = gateway_origin.replace("http", "ws", 1)
    return "; ".join(
        (
            "default-src 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            f"connect-src 'self' {gateway_origin} {socket} blob:",
            "img-src 'self' data: blob:",
            f"media-src 'self' blob: {gateway_origin}",
            "worker-src 'self' blob:",
            "style-src 'self' 'unsafe-inline'",
            "font-src 'self' data:",
        )
    )


def install_page(app: FastAPI, *, gateway_origin_of: GatewayOrigin) -> None:
    """Serve the page's files, and its start for every address that the page itself routes."""

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        if path.startswith(("api/", "media/")) or "\0" in path:
            raise NotFound("There is nothing at this address.", code="api.no_such_address")
        if not (PAGE_DIR / "index.html").is_file():
            return HTMLResponse(NOT_BUILT, status_code=503)
        wanted = (PAGE_DIR / path).resolve()
        if path and wanted.is_file() and wanted.is_relative_to(PAGE_DIR) and wanted.name[0] != ".":
            is_hashed = path.startswith("assets/")
            return FileResponse(wanted, headers={"Cache-Control": IMMUTABLE if is_hashed else "no-cache"})
        if "." in path.rsplit("/", 1)[-1]:
            raise NotFound("There is no such file.", code="api.no_such_address")
        policy = content_policy(gateway_origin_of(request))
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
        return FileResponse(PAGE_DIR / "index.html", headers=headers)
