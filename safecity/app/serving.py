"""uvicorn under our own stop event, with our own logs."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

END_WITHIN_S = 3


def serve(app: FastAPI, *, host: str, port: int, stop: threading.Event, tls: tuple[Path, Path] | None = None) -> None:
    """Serve an app until `stop` is set; open streams are given END_WITHIN_S to end. `tls` is certificate and key."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=END_WITHIN_S,
        ssl_certfile=None if tls is None else str(tls[0]),
        ssl_keyfile=None if tls is None else str(tls[1]),
    )
    server = _Server(config)

    def end() -> None:
        stop.wait()
        server.should_exit = True

    threading.Thread(target=end, name="stop", daemon=True).start()
    server.run()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are the role's; uvicorn must not take them over."""
        yield
