"""What the terminal says while the demo runs: where to look, who may sign in, and how the city is."""

import json
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.error import URLError

from rich.console import Console
from rich.live import Live
from rich.text import Text

from safecity.analytics.models import MOTION, choose_model, models_dir_of
from safecity.app.credentials import USERS_FILE
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
        *,
        console: Console,
        began_s: float,
        adopted: Sequence[str],
    ) -> None:
        self._page_url = settings.web.page_origin()
        self._settings = settings
        self._data_dir = settings.platform.data_dir.absolute()
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
        say = partial(self._console.print, soft_wrap=True)
        say(
            f"\n[bold]The city is live[/bold]: {health.total} cameras, {took_s:.0f} s after the start.\n"
            f"Open [bold]{self._page_url}[/bold] and take a role card at the door: no password is needed.\n"
        )
        say(f"Seeing      {describe_detector(self._settings)}")
        say(f"Recordings  {self._data_dir / 'media'} (any player opens them)")
        say(f"Passwords   {self._data_dir / 'secrets' / USERS_FILE} (for programs; fresh at every start)\n")


def describe_detector(settings: Settings) -> str:
    """Which detector counts, and what to do for a better one."""
    folder = models_dir_of(settings)
    chosen = choose_model(settings.analytics.model, folder)
    if chosen is not None:
        return f"by the model {chosen.spec.name} ({chosen.spec.licence}), from {folder}"
    if settings.analytics.model == MOTION:
        return "by motion alone, as the settings say: sizes and shapes, such as vehicle?"
    return (
        "by motion alone: sizes and shapes, such as vehicle?; for real classes put a detector model into "
        f"{folder} (safecity models list)"
    )


def _span(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
