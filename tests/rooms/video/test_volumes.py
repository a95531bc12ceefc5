"""Recording directories: what makes one, and what must never be taken for one."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from safecity.platform.errors import Conflict, DataLoss, Invalid
from safecity.platform.settings import VideoSettings
from safecity.video.store_commands import store_app
from safecity.video.volumes import (
    MARKER,
    REGISTER,
    UNPREPARED,
    Volumes,
    add_volume,
    check_volumes,
    forget_volume,
    prepare_volumes,
    read_register,
)
from tests.rooms.video.test_retention import segment

DEFAULT = VideoSettings()


def two(folder: Path) -> VideoSettings:
    return VideoSettings(media_dirs=(folder / "a", folder / "b"))


def test_a_fresh_data_folder_gets_its_media_folder_once(tmp_path: Path) -> None:
    prepare_volumes(tmp_path, DEFAULT)
    (volume,) = Volumes.open(tmp_path, DEFAULT).list_volumes()
    assert (volume.directory, volume.is_there(), volume.is_recorded_on) == (tmp_path / "media", True, True)
    shutil.rmtree(tmp_path / "media")
    prepare_volumes(tmp_path, DEFAULT)
    assert not volume.is_there(), "a disk that is away must not be replaced by a folder of the root disk"
    assert not (tmp_path / "media").exists()


def test_recordings_of_an_older_version_are_taken_over(tmp_path: Path) -> None:
    row = segment("cam_a", 60)
    file = tmp_path / "media" / row.path
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    assert Volumes.open(tmp_path, DEFAULT).path_of(row) == file, "also before anything was prepared"
    prepare_volumes(tmp_path, DEFAULT)
    assert Volumes.open(tmp_path, DEFAULT).path_of(row) == file


@pytest.mark.parametrize("what", ["unmounted", "empty", "swapped", "foreign", "torn"])
def test_what_is_not_the_volume_is_gone(tmp_path: Path, what: str) -> None:
    settings = two(tmp_path)
    for one in settings.media_dirs:
        add_volume(tmp_path, one)
    volume, other = Volumes.open(tmp_path, settings).list_volumes()
    assert (volume.is_there(), other.is_there()) == (True, True)
    if what == "unmounted":
        shutil.rmtree(volume.directory)
    elif what == "empty":
        (volume.directory / MARKER).unlink()
    elif what == "swapped":
        shutil.copy(other.directory / MARKER, volume.directory / MARKER)
    elif what == "foreign":
        (volume.directory / MARKER).write_text('{"format": "safecity-volume-1", "id": "vol_elsewhere"}')
    else:
        (volume.directory / MARKER).write_bytes(bytes(80))
    assert (volume.is_there(), other.is_there()) == (False, True)


def test_directories_of_the_settings_are_never_made_by_themselves(tmp_path: Path) -> None:
    settings = two(tmp_path)
    prepare_volumes(tmp_path, settings)
    assert [one.id for one in Volumes.open(tmp_path, settings).list_volumes()] == [UNPREPARED, UNPREPARED]
    assert not any(one.is_there() for one in Volumes.open(tmp_path, settings).list_volumes())
    with pytest.raises(Invalid, match="store volumes add"):
        check_volumes(tmp_path, settings)
    for one in settings.media_dirs:
        add_volume(tmp_path, one)
    check_volumes(tmp_path, settings)
    shutil.rmtree(tmp_path / "a")
    check_volumes(tmp_path, settings)  # a disk that died must not keep the others from recording


def test_a_file_is_found_by_its_hint_and_without_it(tmp_path: Path) -> None:
    settings = two(tmp_path)
    first, second = (add_volume(tmp_path, one) for one in settings.media_dirs)
    volumes = Volumes.open(tmp_path, settings)
    row = segment("cam_a", 60)
    file = tmp_path / "b" / row.path
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    for hint in (None, first, second, "vol_unknown"):
        assert volumes.path_of(replace(row, volume=hint)) == file
    assert volumes.find(row.path) == file
    file.unlink()
    assert volumes.find(row.path) is None
    assert volumes.path_of(replace(row, volume=second)) == file, "where it would be"


def test_what_was_recorded_on_before_is_still_read_but_not_written(tmp_path: Path) -> None:
    prepare_volumes(tmp_path, DEFAULT)
    settings = two(tmp_path)
    for one in settings.media_dirs:
        add_volume(tmp_path, one)
    volumes = Volumes.open(tmp_path, settings)
    assert [one.directory.name for one in volumes.list_volumes()] == ["a", "b", "media"]
    assert [one.directory.name for one in volumes.list_recorded_on()] == ["a", "b"]
    forget_volume(tmp_path, tmp_path / "media")
    assert [one.directory.name for one in Volumes.open(tmp_path, settings).list_volumes()] == ["a", "b"]
    with pytest.raises(Invalid):
        forget_volume(tmp_path, tmp_path / "media")


def test_a_volume_that_moved_keeps_its_name_and_a_copy_is_refused(tmp_path: Path) -> None:
    volume = add_volume(tmp_path, tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    with pytest.raises(Conflict):
        add_volume(tmp_path, tmp_path / "b")
    shutil.rmtree(tmp_path / "a")
    assert add_volume(tmp_path, tmp_path / "b") == volume
    assert read_register(tmp_path) == {volume: tmp_path / "b"}


@pytest.mark.parametrize("path", ["../secrets/key.mp4", "/etc/passwd", "cam/../../x.mp4", "", "a\0b"])
def test_no_path_leads_out_of_a_volume(tmp_path: Path, path: str) -> None:
    volumes = Volumes.at(tmp_path)
    with pytest.raises(Invalid):
        volumes.path_of(replace(segment("cam_a", 1), path=path))
    with pytest.raises(Invalid):
        volumes.find(path)


def test_a_register_that_cannot_be_read_is_said_and_not_begun_anew(tmp_path: Path) -> None:
    prepare_volumes(tmp_path, DEFAULT)
    (tmp_path / REGISTER).write_bytes(b"{")
    with pytest.raises(DataLoss, match="store volumes add"):
        prepare_volumes(tmp_path, DEFAULT)


def test_the_commands_add_show_and_forget(tmp_path: Path) -> None:
    config = tmp_path / "safecity.toml"
    config.write_text(f'[platform]\ndata_dir = "{tmp_path}"\n[video]\nmedia_dirs = ["{tmp_path}/a"]\n')
    call = CliRunner()

    def volumes(*words: str) -> tuple[int, str]:
        found = call.invoke(store_app, ["volumes", *words, "--config", str(config)])
        return found.exit_code, found.output

    assert volumes("list")[0] == 1, "not prepared"
    assert volumes("add", str(tmp_path / "a"))[0] == 0
    code, said = volumes("list", "--json")
    (row,) = json.loads(said)["volumes"]
    assert (code, row["there"], row["recorded_on"], row["directory"]) == (0, True, True, str(tmp_path / "a"))
    assert "media_dirs" in volumes("add", str(tmp_path / "b"))[1]
    (tmp_path / "b" / MARKER).unlink()
    assert (volumes("list")[0], "GONE" in volumes("list")[1]) == (1, True)
    assert volumes("forget", str(tmp_path / "b"))[0] == 0
    assert volumes("list")[0] == 0
