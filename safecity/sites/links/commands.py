"""`safecity link ...`: encrypted links to the sites (WireGuard), at the centre and at the site."""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock, SystemClock, to_iso
from safecity.platform.database import Database
from safecity.platform.errors import Invalid, Unavailable
from safecity.platform.files import write_whole
from safecity.platform.schema import upgrade
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings, load_settings
from safecity.sites.links import interface
from safecity.sites.links.documents import Answer, Offer, compact, qr_svg, qr_text, read_answer, read_offer
from safecity.sites.links.hub import Hub
from safecity.sites.links.model import Health, LinkReport
from safecity.sites.links.service import LinkBook, LinkChange
from safecity.sites.links.site_side import SiteEnd
from safecity.sites.links.watch import LinkWatch

link_app = typer.Typer(no_args_is_help=True)

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]
Site = Annotated[str, typer.Argument(help="Code of the site, such as QTA-001.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in one JSON object.")]
Folder = Annotated[Path, typer.Option(help="Folder that keeps the site's keys, for root alone.")]
Out = Annotated[Path | None, typer.Option(help="File for the offer; a .svg beside it is its QR code.")]
SITE_FOLDER = Path("/etc/safecity/link")
MARKS = {
    Health.UP: "[green]up[/green]",
    Health.DEGRADED: "[yellow]weak[/yellow]",
    Health.DOWN: "[red]down[/red]",
    Health.WAITING: "[yellow]waits for its site[/yellow]",
    Health.UNKNOWN: "not measured",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Centre:
    settings: Settings
    database: Database
    clock: Clock
    book: LinkBook
    hub: Hub

    def apply(self) -> bool:
        """Write the hub's configuration and give it to the interface where one runs."""
        peers = self.book.hub_peers()
        self.hub.write(peers)
        return self.hub.apply(peers)


@contextmanager
def _centre(config: Path | None) -> Generator[_Centre]:
    settings, clock = load_settings(config), SystemClock()
    data_dir = settings.platform.data_dir.absolute()
    database = Database(settings.database_url())
    try:
        upgrade(database)
        oversight = Oversight(database, settings.oversight, clock)
        box = load_secret_box(data_dir)
        book = LinkBook(database, settings.links, oversight=oversight, clock=clock, box=box)
        hub = Hub(settings.links, data_dir=data_dir)
        yield _Centre(settings=settings, database=database, clock=clock, book=book, hub=hub)
    finally:
        database.close()


@link_app.command("add")
def add(
    site: Site,
    *,
    subnet: Annotated[str | None, typer.Option(help="Network of the site's cameras; a free /24 if left away.")] = None,
    out: Out = None,
    config: Config = None,
) -> None:
    """Offer a site its link: writes what the site needs as a file and a QR code. The site makes its own private key."""
    with _centre(config) as centre:
        offer = centre.book.add(site, subnet=subnet, hub_public_key=centre.hub.public_key())
        centre.apply()
        _hand_out(offer, out or _offer_path(centre.settings, offer))


@link_app.command("accept")
def accept(
    offer: Annotated[Path, typer.Argument(help="The offer's file; - reads standard input, as from a QR scanner.")],
    *,
    folder: Folder = SITE_FOLDER,
    up: Annotated[bool, typer.Option("--up", help="Also bring the link up, as root.")] = False,
    as_json: AsJson = False,
) -> None:
    """At the site: take an offer, make the private key here, and print the answer for the centre."""
    read = read_offer(_text_of(offer), now=SystemClock().now())
    end = SiteEnd(folder)
    answer = end.accept(read)
    names = end.up() if up else []
    if as_json:
        typer.echo(compact(answer))
        return
    typer.echo(f"Keys {answer.generation} of {answer.site} are made in {folder}. Tell the centre, where one runs:")
    typer.echo(f"  safecity link confirm {answer.site} {answer.generation} {answer.public_key}")
    typer.echo(qr_text(answer))
    if names:
        typer.echo(f"Up: {', '.join(names)}.")


@link_app.command("confirm")
def confirm(
    site: Site,
    generation: Annotated[int, typer.Argument(help="Which keys, as the site printed.")],
    public_key: Annotated[str, typer.Argument(help="The site's public key, as the site printed.")],
    *,
    config: Config = None,
) -> None:
    """At the centre: take a site's public key. Its first keys carry at once, later ones stand by."""
    answer = read_answer(json.dumps({"site": site, "generation": generation, "public_key": public_key}))
    with _centre(config) as centre:
        change = centre.book.confirm(Answer.model_validate(answer.model_dump()))
        _tell(centre, change, "is a peer of the hub")


@link_app.command("rotate")
def rotate(site: Site, *, out: Out = None, config: Config = None) -> None:
    """Offer a site new keys beside those in use; then accept there, confirm and switch here: the link stays up."""
    with _centre(config) as centre:
        offer = centre.book.rotate(site, hub_public_key=centre.hub.public_key())
        centre.apply()
        _hand_out(offer, out or _offer_path(centre.settings, offer))


@link_app.command("switch")
def switch(site: Site, *, config: Config = None) -> None:
    """Move a site to its new keys; refused until they have shaken hands."""
    with _centre(config) as centre:
        peers = interface.look(centre.settings.links.interface)
        _tell(centre, centre.book.switch(site, peers=peers), "carries its network on the new keys")


@link_app.command("retire")
def retire(site: Site, *, config: Config = None) -> None:
    """End a site's earlier keys after a switch."""
    with _centre(config) as centre:
        _tell(centre, centre.book.retire(site), "has its old keys ended")


@link_app.command("revoke")
def revoke(site: Site, *, config: Config = None) -> None:
    """Cut a site off: no key of it is taken any more."""
    with _centre(config) as centre:
        _tell(centre, centre.book.revoke(site), "is cut off")


@link_app.command("up")
def up(*, config: Config = None) -> None:
    """At the centre, as root: make the hub's interface, bring it up and keep the sites apart from each other."""
    with _centre(config) as centre:
        peers = centre.book.hub_peers()
        centre.hub.write(peers)
        is_apart = centre.hub.up(peers)
        typer.echo(f"{centre.settings.links.interface} is up with {len(peers)} peers.")
        if not is_apart:
            typer.echo(
                "Mind: nft is not here, so nothing keeps sites from reaching each other if this machine forwards."
            )


@link_app.command("follow")
def follow(
    *,
    folder: Folder = SITE_FOLDER,
    once: Annotated[bool, typer.Option("--once", help="Look once; exit 0 where it moved, 1 where not.")] = False,
) -> None:
    """At the site, as root: bring the link up and move to new keys as soon as the centre has switched to them."""
    end = SiteEnd(folder)
    typer.echo(f"Up: {', '.join(end.up())}.")
    while not end.follow_once():
        if once:
            raise typer.Exit(1)
        time.sleep(0.2)
    typer.echo("The new keys are in use; the old ones are gone.")


@link_app.command("check")
def check(*, as_json: AsJson = False, config: Config = None) -> None:
    """Measure every link: age of the handshake, loss, delay, faults of its configuration. Exit 1 if one is not up."""
    with _centre(config) as centre:
        watch = LinkWatch(centre.database, centre.settings.links, clock=centre.clock, source="link-check")
        reports = watch.run_once()
        now = centre.clock.now()
    if as_json:
        typer.echo(json.dumps({"links": [_plain(one) for one in reports]}, ensure_ascii=False))
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("site", "link", "handshake", "loss", "delay", "mind"):
            table.add_column(heading)
        for one in reports:
            age = "never" if one.handshake_at is None else f"{(now - one.handshake_at).total_seconds():.0f} s ago"
            loss = "" if one.loss is None else f"{one.loss:.0%}"
            delay = "" if one.delay_ms is None else f"{one.delay_ms:.0f} ms"
            table.add_row(one.code, MARKS[one.health], age, loss, delay, ", ".join(one.findings))
        Console().print(table)
    raise typer.Exit(0 if all(one.health is Health.UP and not one.findings for one in reports) else 1)


def _plain(one: LinkReport) -> dict[str, object]:
    return {
        "site": one.code,
        "health": one.health.value,
        "handshake_at": None if one.handshake_at is None else to_iso(one.handshake_at),
        "loss": one.loss,
        "delay_ms": one.delay_ms,
        "received_bytes": one.received_bytes,
        "sent_bytes": one.sent_bytes,
        "findings": list(one.findings),
    }


def _tell(centre: _Centre, change: LinkChange, what: str) -> None:
    is_applied = centre.apply()
    typer.echo(f"{change.link.code} {what}.")
    if not is_applied:
        typer.echo(f"Written to {centre.hub.config_path}; `safecity link up`, as root, makes it so.")


def _offer_path(settings: Settings, offer: Offer) -> Path:
    return settings.platform.data_dir.absolute() / "links" / f"{offer.site}-{offer.generation}.offer.json"


def _hand_out(offer: Offer, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, offer.model_dump_json(indent=1).encode(), mode=0o600)
    write_whole(path.with_suffix(".svg"), qr_svg(offer), mode=0o600)
    typer.echo(f"The offer for {offer.site} is in {path}, its QR code beside it. Both hold a secret: hand them over")
    typer.echo(f"in person or sealed. At the site: safecity link accept {path.name} --up")


def _text_of(path: Path) -> str:
    if str(path) == "-":
        return typer.get_text_stream("stdin").read(64 * 1024)
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError):
            raise Unavailable(f"{path} cannot be read: {error.strerror}", code="sites.link_document") from error
        raise Invalid(f"{path} is no offer", code="sites.link_document") from error
