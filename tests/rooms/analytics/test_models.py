"""The registry of models, and getting them: over HTTPS with cuts and lies, and from files."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from safecity.analytics import model_pull
from safecity.analytics.model_commands import models_app
from safecity.analytics.model_pull import download, install_from, pin_of
from safecity.analytics.models import (
    AUTO_ORDER,
    REGISTRY,
    ModelSpec,
    choose_model,
    find_auto,
    get_spec,
    list_installed,
)
from safecity.platform.errors import DataLoss, Exhausted, Invalid, NotFound, Problem, Unavailable
from tests.rooms.analytics.shelf import Shelf

CONTENT = bytes(range(256)) * 4096  # 1 MiB
PIN = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(CONTENT, tmp_path)
    yield made
    made.close()


def spec_of(url: str | None, *, sha256: str | None = PIN, size_bytes: int | None = len(CONTENT)) -> ModelSpec:
    return replace(get_spec("yolox-nano"), name="paper", url=url, sha256=sha256, size_bytes=size_bytes)


def fetch(shelf: Shelf, folder: Path, spec: ModelSpec | None = None) -> tuple[Path, list[int]]:
    seen: list[int] = []
    path = download(
        spec or spec_of(shelf.url), folder, pin=PIN, on_progress=lambda done, _: seen.append(done), tls=shelf.tls
    )
    return path, seen


def test_a_model_is_fetched_hashed_and_named(shelf: Shelf, tmp_path: Path) -> None:
    path, seen = fetch(shelf, tmp_path / "models")
    assert path.read_bytes() == CONTENT
    assert path.name == "paper.onnx"
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)
    assert list((tmp_path / "models").iterdir()) == [path]


def test_a_cut_connection_is_gone_on_with_where_it_broke(shelf: Shelf, tmp_path: Path) -> None:
    shelf.cuts = [300_000, 200_000]
    path, _ = fetch(shelf, tmp_path)
    assert path.read_bytes() == CONTENT
    assert shelf.asked == [None, "bytes=300000-", "bytes=500000-"]


def test_what_came_is_kept_for_the_next_command(shelf: Shelf, tmp_path: Path) -> None:
    shelf.cuts = [100_000] * model_pull.TRIES
    with pytest.raises(Unavailable):
        fetch(shelf, tmp_path)
    assert not (tmp_path / "paper.onnx").exists()
    assert (tmp_path / "paper.onnx.part").stat().st_size == 100_000 * model_pull.TRIES
    shelf.asked.clear()
    path, _ = fetch(shelf, tmp_path)
    assert path.read_bytes() == CONTENT
    assert shelf.asked == [f"bytes={100_000 * model_pull.TRIES}-"]


def test_a_server_without_ranges_is_asked_from_the_start(shelf: Shelf, tmp_path: Path) -> None:
    shelf.knows_ranges = False
    shelf.cuts = [300_000]
    path, _ = fetch(shelf, tmp_path)
    assert path.read_bytes() == CONTENT


def test_other_bytes_are_never_installed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.content = CONTENT[:-1] + b"x"
    with pytest.raises(DataLoss, match="nothing was installed"):
        fetch(shelf, tmp_path)
    assert not list(tmp_path.glob("paper*"))


def test_a_part_of_something_else_does_not_survive(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "paper.onnx.part").write_bytes(b"?" * 1000)
    with pytest.raises(DataLoss):
        fetch(shelf, tmp_path)
    path, _ = fetch(shelf, tmp_path)
    assert path.read_bytes() == CONTENT


def test_a_file_larger_than_the_model_is_refused_before_it_is_read(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(Exhausted):
        fetch(shelf, tmp_path, spec_of(shelf.url, size_bytes=1000))


def test_a_redirect_is_followed_but_never_to_plain_http(shelf: Shelf, tmp_path: Path) -> None:
    shelf.redirect = "/elsewhere.onnx"
    assert fetch(shelf, tmp_path)[0].read_bytes() == CONTENT
    shelf.redirect = "http://127.0.0.1:9/model.onnx"
    with pytest.raises(Invalid, match="https only"):
        fetch(shelf, tmp_path / "other")


def test_an_unknown_authority_is_not_trusted(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        download(spec_of(shelf.url), tmp_path, pin=PIN, on_progress=lambda *_: None)


@pytest.mark.parametrize(("status", "problem"), [(404, NotFound), (403, Unavailable), (503, Unavailable)])
def test_refusals_are_told(shelf: Shelf, tmp_path: Path, status: int, problem: type[Problem]) -> None:
    shelf.status = status
    with pytest.raises(problem, match="--from"):
        fetch(shelf, tmp_path)


def test_plain_http_and_no_address_are_refused(tmp_path: Path) -> None:
    for url in ("http://127.0.0.1/model.onnx", "file:///etc/passwd", None):
        with pytest.raises(Invalid):
            download(spec_of(url), tmp_path, pin=PIN, on_progress=lambda *_: None)


def test_a_model_that_is_not_pinned_wants_its_hash_said() -> None:
    unpinned = spec_of("https://example.org/model.onnx", sha256=None)
    with pytest.raises(Invalid, match="--sha256"):
        pin_of(unpinned, None)
    assert pin_of(unpinned, PIN.upper()) == PIN
    with pytest.raises(Invalid):
        pin_of(unpinned, "abc")
    with pytest.raises(Invalid, match="another"):
        pin_of(spec_of(None), "0" * 64)


def test_a_file_or_a_folder_serves_a_closed_network(tmp_path: Path) -> None:
    stick = tmp_path / "stick" / "deep"
    stick.mkdir(parents=True)
    (stick / "other name.onnx").write_bytes(CONTENT)
    for source in (tmp_path / "stick", stick / "other name.onnx"):
        target = tmp_path / source.name.replace(" ", "")
        assert install_from(spec_of(None), source, folder=target, pin=PIN).read_bytes() == CONTENT
    with pytest.raises(NotFound):
        install_from(get_spec("yolox-s"), tmp_path / "stick", folder=tmp_path / "m", pin=PIN)
    (stick / "wrong.onnx").write_bytes(b"wrong")
    with pytest.raises(DataLoss):
        install_from(spec_of(None), stick / "wrong.onnx", folder=tmp_path / "m", pin=PIN)
    assert not (tmp_path / "m" / "paper.onnx").exists()


def test_the_registry_holds_together() -> None:
    names = [one.name for one in REGISTRY]
    assert len(set(names)) == len(names)
    assert set(AUTO_ORDER) <= set(names)
    hashes = [one.sha256 for one in REGISTRY if one.sha256]
    assert len(set(hashes)) == len(hashes)
    assert all(one.url is None or one.url.startswith("https://") for one in REGISTRY)


def test_auto_takes_the_first_that_is_there(tmp_path: Path, models_dir: Path) -> None:
    assert find_auto(tmp_path) is None
    assert choose_model("auto", tmp_path) is None
    assert choose_model("motion", models_dir) is None
    for name in ("fastestdet", "picodet-s", "yolox-nano", "yolox-nano-dynamic"):
        install_from(get_spec(name), models_dir, folder=tmp_path, pin=str(get_spec(name).sha256))
        chosen = find_auto(tmp_path)
        assert chosen is not None
        assert chosen.spec.name == name
    assert len(list_installed(tmp_path)) == 4
    with pytest.raises(Invalid, match="not installed"):
        choose_model("yolox-s", tmp_path)
    with pytest.raises(NotFound, match="choose one of"):
        choose_model("yolo9000", tmp_path)


def test_the_commands_install_list_and_find_damage(tmp_path: Path, models_dir: Path) -> None:
    run = CliRunner().invoke
    folder = ["--models-dir", str(tmp_path)]
    assert "auto takes: motion" in run(models_app, ["list", *folder]).stdout
    assert run(models_app, ["pull", "fastestdet", "--from", str(models_dir), *folder]).exit_code == 0
    assert "auto takes: fastestdet" in run(models_app, ["list", *folder]).stdout
    assert "installed already" in run(models_app, ["pull", "fastestdet", *folder]).stdout
    assert run(models_app, ["verify", *folder]).exit_code == 0
    (tmp_path / "stranger.onnx").write_bytes(b"stranger")
    found = run(models_app, ["verify", *folder])
    assert found.exit_code == 1
    assert "not known" in found.stdout
    (tmp_path / "stranger.onnx").unlink()
    with (tmp_path / "fastestdet.onnx").open("r+b") as file:
        file.write(b"bad")
    found = run(models_app, ["verify", *folder])
    assert found.exit_code == 1
    assert "damaged" in found.stdout
    assert "auto takes: motion" in run(models_app, ["list", *folder]).stdout
