"""`safecity edge`: run this machine as the recorder of a site, with its centre or without an answer from it."""

import json
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from safecity.app.stack import lock_supervisor, make_supervisor, prepare_data_dir, run_stack
from safecity.platform.database import Database
from safecity.platform.errors import Invalid
from safecity.platform.schema import upgrade
from safecity.platform.settings import Settings, load_settings
from safecity.video.edge import outbox
from safecity.video.edge.centre import check_url, enrol
from safecity.video.edge.link import EDGE_KEY, STATUS_FILE
from safecity.video.edge.register import read_token
from safecity.video.edge.signing import load_key, public_hex
from safecity.video.edge.wire import EnrolRequest
from safecity.video.volumes import prepare_volumes

MAX_TOKEN_BYTES = 4096


def edge(
    *,
    centre: Annotated[
        str | None, typer.Option(help="Address of the centre's intake; edge.centre of the settings if left away.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the one-time token of `safecity edges add`; at the first start.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder; the settings' if left away.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")
    ] = None,
) -> None:
    """Record this site's cameras, with the centre or without it, and share with it; ended by ctrl-C."""
    settings = _settings(config, centre=centre, data=data)
    console = Console()
    prepare_data_dir(settings)
    lock = lock_supervisor(settings)
    try:
        database = Database(settings.database_url())
        upgrade(database)
        prepare_volumes(settings.platform.data_dir.absolute(), settings.video)
        site = _enrol(settings, database, token_file=token_file)
        database.close()
        supervisor = make_supervisor(settings)
        supervisor.start()
        console.print(f"The edge of {site} records; its centre is {settings.edge.centre}. ctrl-C ends it.")
        line = _StatusLine(settings.platform.data_dir.absolute() / "run" / STATUS_FILE, console)
        try:
            run_stack(supervisor, tick=line.tick)
        finally:
            line.close()
    finally:
        lock.release()


def _settings(config: Path | None, *, centre: str | None, data: Path | None) -> Settings:
    found = load_settings(config)
    address = centre or found.edge.centre
    if address is None:
        raise Invalid("say which centre: safecity edge --centre URL", code="edge.no_centre")
    fields = found.model_dump()
    fields["edge"]["centre"] = check_url(address)
    if data is not None:
        fields["platform"]["data_dir"] = data
    return Settings.model_validate(fields)


def _enrol(settings: Settings, database: Database, *, token_file: Path | None) -> str:
    """The site of this edge; uses the token where it has not enrolled, or is given one anew."""
    with database.read() as connection:
        found = outbox.find_link(connection)
    if token_file is None:
        if found is None:
            raise Invalid(
                "this edge has not enrolled: make a token with `safecity edges add SITE` at the centre and give it "
                "by --token-file",
                code="edge.not_enrolled",
            )
        return found.site
    with token_file.open(encoding="utf-8") as file:
        token = read_token(file.read(MAX_TOKEN_BYTES))
    assert settings.edge.centre is not None
    key = load_key(settings.platform.data_dir.absolute() / "secrets" / EDGE_KEY)
    answer = enrol(
        settings.edge.centre,
        EnrolRequest(token=token.secret, public_key=public_hex(key)),
        centre_key=token.centre_key,
        ca_file=settings.edge.ca_file,
    )
    if found is None or found.edge != answer.edge:
        with database.begin() as connection:
            outbox.put_link(connection, edge=answer.edge, site=answer.site, centre_key=token.centre_key)
    return answer.site


class _StatusLine:
    """One line on a terminal, or a line for each change."""

    def __init__(self, path: Path, console: Console) -> None:
        self._path = path
        self._console = console
        self._said = ""
        self._live = Live(Text(""), console=console, transient=True) if console.is_terminal else None
        if self._live is not None:
            self._live.start()

    def tick(self) -> None:
        """Show how the link is."""
        try:
            said = cast("dict[str, object]", json.loads(self._path.read_bytes()))
        except (OSError, ValueError):
            return
        text = describe_link(said)
        if self._live is not None:
            self._live.update(Text(text))
        elif (state := f"{said['state']} {said['reason']}") != self._said:
            self._console.print(text)
            self._said = state

    def close(self) -> None:
        """Take the line away."""
        if self._live is not None:
            self._live.stop()


def describe_link(said: dict[str, object]) -> str:
    """The state of the link as one sentence for the terminal."""
    backfill, live = cast("dict[str, object]", said["backfill"]), cast("dict[str, object]", said["live"])
    words = {
        "connecting": "Looking for the centre",
        "connected": "Connected",
        "disconnected": f"Recording without the centre ({said['reason']}) since {said['since']}",
        "refused": f"The centre refuses this edge ({said['reason']}) since {said['since']}; it goes on recording",
    }
    parts = [words.get(str(said["state"]), str(said["state"])), f"{live['streams']} streams live"]
    if said["outbox"]:
        parts.append(f"{said['outbox']} facts wait")
    if cast("float", backfill["left_s"]) > 0:
        eta = "" if backfill["eta_s"] is None else f", about {cast('float', backfill['eta_s']):.0f} s more"
        parts.append(f"back-fill: {cast('float', backfill['left_s']):.0f} s of recordings left{eta}")
    return " · ".join(parts)
