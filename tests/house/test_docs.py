"""The documentation lists every command, setting, endpoint and column, and is what the code says now."""

import typer

from safecity.app.cli import make_app
from safecity.platform.database import metadata
from safecity.platform.settings import Settings
from tools import make_docs
from tools.make_docs import REFERENCE, apps, stale_pages


def leaves(command: object, path: str) -> list[str]:
    inside = getattr(command, "commands", None)
    if inside is None:
        return [path]
    return [leaf for name, one in inside.items() for leaf in leaves(one, f"{path} {name}")]


def test_every_command_is_documented() -> None:
    text = REFERENCE.read_text()
    names = leaves(typer.main.get_command(make_app()), "safecity")
    assert len(names) > 15
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_setting_is_documented_with_its_meaning() -> None:
    text = REFERENCE.read_text()
    for name, field in Settings.model_fields.items():
        for key, item in field.annotation.model_fields.items():  # type: ignore[union-attr]
            assert f"`SAFECITY_{name.upper()}__{key.upper()}`" in text
            assert item.description, f"{name}.{key} says nothing of itself"


def test_every_endpoint_is_documented() -> None:
    text = REFERENCE.read_text()
    with apps() as described:
        for one in described:
            paths = one.openapi()["paths"]
            assert paths
            assert [path for path in paths if f"`{path}`" not in text] == []


def test_every_column_is_documented() -> None:
    text = REFERENCE.read_text()
    for table in metadata.tables.values():
        assert f"### `{table.name}`" in text
        assert [column.name for column in table.columns if str(column.comment) not in text] == []


def test_nothing_generated_is_stale() -> None:
    assert stale_pages() == []


def test_a_stale_page_is_found(monkeypatch) -> None:
    monkeypatch.setattr(make_docs, "HEADER", "# Another page\n")
    assert stale_pages() == [REFERENCE]
