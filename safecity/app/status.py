"""What the terminal says while the demo runs: where to look, who may sign in, and how the city is."""

import json
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.error import URLError

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from safecity.app.credentials import Credential
from safecity.platform.settings import Settings

ASK_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The public health of the system, as `/api/health` tells it."""

    status: str
    total: int
    live: int
    recorded_s: float
    segments: int


def ask_health(page_url: str) -> Health | None:
    """The health of a running system; None while its page does not answer."""
    try:
        with urllib.request.urlopen(f"{page_url}/api/health", timeout=ASK_TIMEOUT_S) as answer:  # noqa: S310 - our own http address
            body = json.loads(answer.read())
    except (URLError, OSError, ValueError):
        return None
    cameras = body["cameras"]
    return Health(
        status=body["status"], total=cameras["total"], live=cameras["live"],
        recorded_s=body["recorded_s"], segments=body["segments"],
    )  # fmt: skip


class StatusLine:
    """Prints where to look once all is live, then keeps one line up to date (on a terminal) or says what changed."""

    def __init__(
        self,
        settings: Settings,
        credentials: Sequence[Credential],
        *,
        console: Console,
        began_s: float,
        adopted: Sequence[str],
    ) -> None:
        self._page_url = settings.web.page_origin()
        self._data_dir = settings.platform.data_dir.absolute()
        self._credentials = credentials
        self._console = console
        self._began_s = began_s
        self._said: str | None = None
        self._is_announced = False
        self._live: Live | None = None
        if adopted:
            console.print(f"Adopted what went on running: {', '.join(adopted)}.")
        if console.is_terminal:
            self._live = Live(Text("Starting ..."), console=console, refresh_per_second=4, transient=True)
            self._live.start()

    def tick(self) -> None:
        """Ask the system how it is and show it."""
        health = ask_health(self._page_url)
        if health is None:
            self._show("Starting ...", "starting")
            return
        if not self._is_announced and health.total and health.live == health.total:
            self._is_announced = True
            self._announce(health)
        line = (
            f"{health.live}/{health.total} cameras live · {_span(health.recorded_s)} recorded in "
            f"{health.segments} segments · {health.status} · ctrl-C ends"
        )
        self._show(line, f"{health.status} {health.live}/{health.total}")

    def close(self) -> None:
        """Take the line away and say goodbye."""
        if self._live is not None:
            self._live.stop()
        self._console.print(f"SafeCity has ended; its recordings stay in {self._data_dir}.")

    def _show(self, line: str, state: str) -> None:
        if self._live is not None:
            self._live.update(Text(line))
        elif state != self._said:
            self._console.print(line)
        self._said = state

    def _announce(self, health: Health) -> None:
        took_s = time.monotonic() - self._began_s
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("user", "password", "role"):
            table.add_column(heading)
        for item in self._credentials:
            table.add_row(item.user, item.password, item.role.value)
        self._console.print(
            f"\n[bold]The city is live[/bold]: {health.total} cameras, {took_s:.0f} s after the start.\n"
            f"Look at [bold]{self._page_url}[/bold] and sign in; these passwords hold until the next start:\n"
        )
        self._console.print(table)
        self._console.print(f"\nRecordings: {self._data_dir / 'media'} (any player opens them)\n", soft_wrap=True)


def _span(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
