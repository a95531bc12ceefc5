"""Both kinds of place, by the same tests: a directory, and a bucket of a real S3 server with Object Lock (Ceph)."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from safecity.platform.errors import Conflict, DataLoss, Denied, Invalid, NotFound, Unavailable
from safecity.video.copies import directory
from safecity.video.copies import s3 as s3_module
from safecity.video.copies.directory import MARKER, PARTIAL, DirectoryPlace
from safecity.video.copies.model import Policy, Target, secret_file
from safecity.video.copies.place import Place, open_place
from safecity.video.copies.s3 import PART_BYTES, read_credentials
from safecity.video.model import Stream
from tests.ceph import S3

KEY = "cam_a/main/2026-03-10/120000000Z-t-1." + "ab" * 32 + ".mp4"
FOLDER = KEY.rpartition("/")[0]


def s3_target(server: S3, bucket: str, *, lock: bool = False, prefix: str = "/city/one") -> Target:
    return Target(
        name="vault",
        kind="s3",
        place=f"{server.url}/{bucket}{prefix}",
        policy=Policy.ALL,
        streams=frozenset(Stream),
        bytes_per_s=None,
        keep=timedelta(days=30),
        region="us-east-1",
        has_object_lock=lock,
    )


def admin_of(server: S3) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name="us-east-1",
    )


def write_secret(data_dir: Path, server: S3) -> None:
    path = secret_file(data_dir, "vault")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"access_key_id": server.access_key, "secret_access_key": server.secret_key}))
    path.chmod(0o600)


@pytest.fixture
def bucket(s3: S3) -> str:
    name = f"b{os.urandom(6).hex()}"
    admin_of(s3).create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.fixture(params=["directory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "directory":
        (tmp_path / "place").mkdir()
        made: Place = DirectoryPlace(tmp_path / "place")
    else:
        server: S3 = request.getfixturevalue("s3")
        write_secret(tmp_path, server)
        made = open_place(s3_target(server, request.getfixturevalue("bucket"), lock=True), data_dir=tmp_path)
    made.prepare()
    return made


def body(size: int) -> Iterator[bytes]:
    """Bytes in pieces of odd sizes."""
    data = os.urandom(64 * 1024) * (size // (64 * 1024) + 1)
    step = 100_003
    return (data[at : min(at + step, size)] for at in range(0, size, step))


def read(place: Place, key: str, version: str | None = None) -> bytes:
    return b"".join(place.fetch(key, version))


@pytest.mark.parametrize("size", [1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 77])
def test_what_is_stored_is_listed_and_comes_back(place: Place, size: int) -> None:
    pieces = list(body(size))
    stored = place.put(KEY, iter(pieces))
    assert stored.size_bytes == size
    assert read(place, KEY, stored.version) == b"".join(pieces)
    assert [(one.key, one.size_bytes) for one in place.list_keys(FOLDER)] == [(KEY, size)]
    assert [one.key for one in place.list_keys("")] == [KEY]
    assert place.version_of(KEY) == stored.version


def test_an_upload_that_fails_half_way_leaves_nothing(place: Place) -> None:
    def torn() -> Iterator[bytes]:
        yield from body(PART_BYTES + 1000)
        raise DataLoss("the recording is not what was recorded", code="video.recording_changed")

    with pytest.raises(DataLoss) as caught:
        place.put(KEY, torn())
    assert caught.value.code == "video.recording_changed"
    assert list(place.list_keys("")) == []
    assert place.clean() == 0, "nothing was left to clean either"
    with pytest.raises(NotFound):
        read(place, KEY)


def test_what_is_gone_is_not_found_and_may_be_deleted_again(place: Place) -> None:
    stored = place.put(KEY, iter([b"abc"]))
    place.delete(KEY, stored.version)
    place.delete(KEY, stored.version)
    assert list(place.list_keys(FOLDER)) == []
    with pytest.raises(NotFound):
        read(place, KEY, stored.version)


def test_an_object_sent_twice_is_there_once(place: Place) -> None:
    place.put(KEY, iter([b"abc"]))
    place.put(KEY, iter([b"abc"]))
    assert [one.size_bytes for one in place.list_keys("")] == [3]


# The directory alone


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "disk"
    made.mkdir()
    DirectoryPlace(made).prepare()
    return made


def test_a_directory_without_its_marker_is_never_written_to(tmp_path: Path) -> None:
    place = DirectoryPlace(tmp_path / "mount")
    with pytest.raises(Invalid, match="mount the disk"):
        place.prepare()
    (tmp_path / "mount").mkdir()  # the mount point, without its disk
    with pytest.raises(Unavailable) as caught:
        place.put(KEY, iter([b"abc"]))
    assert caught.value.code == "copies.marker_missing"
    assert list((tmp_path / "mount").iterdir()) == []


def test_a_disk_that_gives_back_other_bytes_is_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pread

    def flipped(descriptor: int, size: int, offset: int) -> bytes:
        found = bytearray(real(descriptor, size, offset))
        if found:
            found[len(found) // 2] ^= 1
        return bytes(found)

    monkeypatch.setattr(directory.os, "pread", flipped)
    with pytest.raises(DataLoss, match="other bytes"):
        DirectoryPlace(folder).put(KEY, iter([b"abc" * 1000]))
    assert list(DirectoryPlace(folder).list_keys("")) == []
    assert list((folder / PARTIAL).iterdir()) == []


def test_what_a_crash_left_is_cleaned_but_not_what_is_being_written(folder: Path) -> None:
    place = DirectoryPlace(folder)
    (folder / PARTIAL / "part_dead").write_bytes(b"half")

    def writing() -> Iterator[bytes]:
        yield b"abc"
        assert DirectoryPlace(folder).clean() == 1
        yield b"def"

    place.put(KEY, writing())
    assert read(place, KEY) == b"abcdef"
    assert list((folder / PARTIAL).iterdir()) == []


def test_an_empty_day_goes_with_its_last_copy(folder: Path) -> None:
    place = DirectoryPlace(folder)
    place.put(KEY, iter([b"abc"]))
    place.delete(KEY, None)
    assert sorted(path.name for path in folder.iterdir()) == [PARTIAL, MARKER]


@pytest.mark.parametrize("key", ["../x", "/etc/x", "a/../../x", ".partial/x", "", "a\0b"])
def test_no_name_leads_out_of_the_directory(folder: Path, key: str) -> None:
    for call in (
        lambda: DirectoryPlace(folder).delete(key, None),
        lambda: DirectoryPlace(folder).put(key, iter([b"x"])),
    ):
        with pytest.raises(Invalid):
            call()


# The S3 server alone


def test_a_held_copy_cannot_be_deleted_until_it_is_let_go(s3: S3, bucket: str, tmp_path: Path) -> None:
    write_secret(tmp_path, s3)
    place = open_place(s3_target(s3, bucket, lock=True), data_dir=tmp_path)
    stored = place.put(KEY, iter([b"evidence"]))
    assert stored.version is not None
    place.hold(KEY, stored.version, is_held=True)
    with pytest.raises(Conflict) as caught:
        place.delete(KEY, stored.version)
    assert caught.value.code == "copies.locked"
    with pytest.raises(admin_of(s3).exceptions.ClientError, match="AccessDenied"):
        admin_of(s3).delete_object(Bucket=bucket, Key=f"city/one/{KEY}", VersionId=stored.version)
    place.hold(KEY, stored.version, is_held=False)
    place.delete(KEY, stored.version)
    with pytest.raises(NotFound):
        read(place, KEY, stored.version)


def test_a_delete_marker_on_top_hides_no_held_copy(s3: S3, bucket: str, tmp_path: Path) -> None:
    write_secret(tmp_path, s3)
    place = open_place(s3_target(s3, bucket, lock=True), data_dir=tmp_path)
    stored = place.put(KEY, iter([b"evidence"]))
    place.hold(KEY, stored.version, is_held=True)
    admin_of(s3).delete_object(Bucket=bucket, Key=f"city/one/{KEY}")
    assert read(place, KEY, stored.version) == b"evidence"


def test_a_bucket_without_object_lock_is_refused_where_holds_are_wanted(s3: S3, tmp_path: Path) -> None:
    write_secret(tmp_path, s3)
    name = f"p{os.urandom(6).hex()}"
    admin_of(s3).create_bucket(Bucket=name)
    with pytest.raises(Denied) as caught:
        open_place(s3_target(s3, name, lock=True), data_dir=tmp_path).prepare()
    assert caught.value.code == "copies.no_object_lock"
    assert open_place(s3_target(s3, name), data_dir=tmp_path).prepare().startswith(s3.url)


def test_parts_of_an_upload_that_died_are_taken_away_and_not_a_neighbours(s3: S3, bucket: str, tmp_path: Path) -> None:
    write_secret(tmp_path, s3)
    admin = admin_of(s3)
    place = open_place(s3_target(s3, bucket), data_dir=tmp_path)
    for key in (f"city/one/{KEY}", f"city/two/{KEY}"):
        started = admin.create_multipart_upload(Bucket=bucket, Key=key)
        admin.upload_part(Bucket=bucket, Key=key, UploadId=started["UploadId"], PartNumber=1, Body=b"x" * 1000)
    assert place.clean() == 1
    left = admin.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [one["Key"] for one in left] == [f"city/two/{KEY}"]


def test_a_server_that_stored_something_else_is_noticed(
    s3: S3, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secret(tmp_path, s3)
    place = open_place(s3_target(s3, bucket), data_dir=tmp_path)
    real = s3_module.obstore.put

    def changed(store: object, name: str, data: bytes, **named: object) -> object:
        return real(store, name, b"X" + data[1:], **named)  # type: ignore[arg-type]

    monkeypatch.setattr(s3_module.obstore, "put", changed)
    with pytest.raises(DataLoss, match="other bytes"):
        place.put(KEY, iter([b"abcdef"]))


def test_a_server_with_other_etags_is_read_back(
    s3: S3, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secret(tmp_path, s3)
    place = open_place(s3_target(s3, bucket), data_dir=tmp_path)
    monkeypatch.setattr(s3_module._Parts, "etag", lambda self: "of-an-encrypting-server")
    assert place.put(KEY, iter([b"abcdef"])).size_bytes == 6


def test_wrong_credentials_are_a_refusal_and_a_dead_server_is_away(s3: S3, bucket: str, tmp_path: Path) -> None:
    wrong = S3(url=s3.url, access_key=s3.access_key, secret_key="wrong")
    write_secret(tmp_path, wrong)
    with pytest.raises(Denied) as caught:
        open_place(s3_target(s3, bucket), data_dir=tmp_path).put(KEY, iter([b"x"]))
    assert caught.value.code == "copies.refused"
    assert "wrong" not in str(caught.value)
    dead = S3(url="http://127.0.0.1:1", access_key="a", secret_key="b")
    with pytest.raises(Unavailable):
        open_place(s3_target(dead, bucket), data_dir=tmp_path).put(KEY, iter([b"x"]))


def test_credentials_come_from_a_closed_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Invalid, match=r"copy-vault\.json"):
        read_credentials(tmp_path, "vault")
    write_secret(tmp_path, S3(url="", access_key="key", secret_key="secret"))
    found = read_credentials(tmp_path, "vault")
    assert found.access_key_id == "key"
    assert "secret" not in repr(found)
    secret_file(tmp_path, "vault").chmod(0o644)
    with pytest.raises(Invalid, match="chmod 600"):
        read_credentials(tmp_path, "vault")
    monkeypatch.setenv("SAFECITY_COPY_VAULT_ACCESS_KEY_ID", "other")
    monkeypatch.setenv("SAFECITY_COPY_VAULT_SECRET_ACCESS_KEY", "hidden")
    assert read_credentials(tmp_path, "vault").access_key_id == "other"
