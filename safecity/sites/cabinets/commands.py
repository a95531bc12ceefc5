"""`safecity cabinet ...`: the cabinets at the sites."""

from pathlib import Path
from typing import Annotated

import typer

from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import NotFound
from safecity.platform.schema import upgrade
from safecity.platform.settings import load_settings
from safecity.sites.cabinets.store import find_site
from safecity.sites.cabinets.tokens import new_token, revoke_token

cabinet_app = typer.Typer(no_args_is_help=True)

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]


@cabinet_app.command("token")
def make_token(
    site: Annotated[str, typer.Argument(help="Code of the site, such as QTA-001.")],
    *,
    revoke: Annotated[bool, typer.Option("--revoke", help="Only end the one it has.")] = False,
    config: Config = None,
) -> None:
    """Print a fresh token for a site's cabinet, which speaks by POST /api/cabinets/SITE; an earlier one ends."""
    settings, clock = load_settings(config), SystemClock()
    database = Database(settings.database_url())
    try:
        upgrade(database)
        oversight = Oversight(database, settings.oversight, clock)
        with database.begin() as connection:
            found = find_site(connection, site)
            if found is None:
                raise NotFound(f"no site {site} is in use", code="sites.no_site")
            token = None if revoke else new_token(connection, found, now=clock.now())
            if revoke:
                revoke_token(connection, found)
            type_ = "cabinet_token_revoked" if revoke else "cabinet_token_made"
            oversight.note(connection, type=type_, body={"site": site}, actor=None)
    finally:
        database.close()
    typer.echo(f"{site} has no token any more." if token is None else token)
