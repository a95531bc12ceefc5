"""Regenerate what the documentation says about the code: every command, setting, endpoint and table column.

`--check` compares instead of writing, and names what is stale.
"""

import importlib
import json
import pkgutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import click
import typer
from fastapi import FastAPI
from pydantic import BaseModel

import safecity
from safecity.api.app import create_web_app
from safecity.api.media import GatewayParts, create_gateway_app
from safecity.app.cli import make_app
from safecity.app.web_parts import make_web_parts
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database, metadata
from safecity.platform.settings import Settings
from safecity.video.gateway import Gateway

REPOSITORY = Path(__file__).parent.parent
REFERENCE = REPOSITORY / "docs" / "reference.md"
OPENAPI = REPOSITORY / "web" / "openapi.json"
HEADER = """# Reference

Made from the code by `make docs`; `make check` fails when it is stale.
"""


# The whole house, so that every table is known.
for _found in pkgutil.walk_packages(safecity.__path__, "safecity."):
    if ".migrations." not in _found.name:
        importlib.import_module(_found.name)


@contextmanager
def apps() -> Iterator[tuple[FastAPI, FastAPI]]:
    """The web process's app and the gateway's, over an empty city."""
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name), SystemClock()
        settings = Settings.model_validate({"platform": {"data_dir": folder}})
        database = Database(settings.database_url())
        web = make_web_parts(settings, database, clock=clock, run_dir=folder)
        gateway = Gateway(database, oversight=web.oversight, clock=clock, data_dir=folder, settings=settings.video)
        media = GatewayParts(settings=settings, oversight=web.oversight, gateway=gateway, clock=clock, run_dir=folder)
        yield create_web_app(web), create_gateway_app(media)
        database.close()


def commands(command: click.Command, path: str) -> Iterator[str]:
    """One section a command, with its arguments and options."""
    inside: dict[str, click.Command] | None = getattr(command, "commands", None)  # typer has a click of its own
    if inside is not None:
        for name in sorted(inside):
            yield from commands(inside[name], f"{path} {name}")
        if not getattr(command, "invoke_without_command", False):
            return
    yield f"\n### `{path}`\n\n{(command.help or '').strip()}\n"
    rows = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    if rows:
        yield "\n| Argument or option | Default | Meaning |\n|---|---|---|\n"
    for parameter in rows:
        is_option = parameter.param_type_name == "option"
        names = ", ".join((*parameter.opts, *parameter.secondary_opts)) if is_option else parameter.name
        default = "" if parameter.default is None or callable(parameter.default) else f"`{parameter.default}`"
        yield f"| `{names}` | {default} | {getattr(parameter, 'help', None) or ''} |\n"


def settings() -> Iterator[str]:
    """One table a slice."""
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        yield f"\n### `[{name}]`\n\n{(kind.__doc__ or '').strip()}\n\n"
        yield "| Setting | Environment | Default | Meaning |\n|---|---|---|---|\n"
        for key, item in kind.model_fields.items():
            default = "" if item.default is None else f"`{item.default}`"
            yield f"| `{key}` | `SAFECITY_{name.upper()}__{key.upper()}` | {default} | {item.description} |\n"
        for key, item in kind.model_fields.items():
            yield from repeated(f"{name}.{key}", item.annotation)


def repeated(path: str, kind: object) -> Iterator[str]:
    """The table of a setting that is a list of tables."""
    inner = next(iter(get_args(kind)), None)
    if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
        return
    yield f"\n### `[[{path}]]`\n\n{(inner.__doc__ or '').strip()}\n\n| Setting | Default | Meaning |\n|---|---|---|\n"
    for key, item in inner.model_fields.items():
        default = "" if item.default is None or item.is_required() else f"`{item.default}`"
        yield f"| `{key}` | {default} | {item.description} |\n"


def endpoints(described: FastAPI) -> Iterator[str]:
    """One line an endpoint."""
    yield "\n| Method | Path | What it does |\n|---|---|---|\n"
    for path, item in sorted(described.openapi()["paths"].items()):
        for method, operation in sorted(item.items()):
            text = (operation.get("description") or operation.get("summary") or "").split("\n\n")[0].replace("\n", " ")
            yield f"| {method.upper()} | `{path}` | {text} |\n"


def columns() -> Iterator[str]:
    """One table a table."""
    for table in sorted(metadata.tables.values(), key=lambda item: item.name):
        yield f"\n### `{table.name}`\n\n{table.comment}.\n\n| Column | Type | Meaning |\n|---|---|---|\n"
        for column in table.columns:
            yield f"| `{column.name}` | {type(column.type).__name__} | {column.comment} |\n"


def reference(web: FastAPI, gateway: FastAPI) -> str:
    """The whole reference page."""
    click_app = typer.main.get_command(make_app())
    return "".join(
        (
            HEADER,
            "\n## Commands\n",
            *commands(click_app, "safecity"),
            "\n## Settings\n\nOne `safecity.toml`; the environment wins over it.\n",
            *settings(),
            "\n## Endpoints of the web process\n",
            *endpoints(web),
            "\n## Endpoints of the media gateway\n\nLive view is the WebSocket `/media/live/{camera}` "
            "(messages: `safecity/video/README.md`).\n",
            *endpoints(gateway),
            "\n## Database\n",
            *columns(),
        )
    )


def pages() -> dict[Path, str]:
    """Every generated file with the text that it should have."""
    with apps() as (web, gateway):
        described = json.dumps(web.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        return {REFERENCE: reference(web, gateway), OPENAPI: described}


def stale_pages() -> list[Path]:
    """The generated files that are not what the code says."""
    return [path for path, text in pages().items() if not path.exists() or path.read_text() != text]


def main() -> int:
    """Write the files, or with `--check` say which are stale."""
    if "--check" in sys.argv:
        stale = stale_pages()
        for path in stale:
            print(f"stale: {path.relative_to(REPOSITORY)}; run `make docs` (and `npm run types` in web/)")
        print("docs: stale" if stale else "docs: good")
        return 1 if stale else 0
    for path, text in pages().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
