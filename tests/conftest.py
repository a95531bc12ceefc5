"""What every test may ask for: real clips, a migrated database of both kinds, a fresh data folder."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from safecity.platform.database import Database
from tests.ceph import S3, missing_programs, serve_s3
from tests.databases import PostgresServer, make_sqlite

REPOSITORY = Path(__file__).parent.parent
IN_CI = os.environ.get("CI") == "true"


def missing(reason: str) -> None:
    """Skip where a part may be missing; fail under CI, where it must be there."""
    if IN_CI:
        pytest.fail(f"under CI this must be there: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def clips_dir() -> Path:
    """The folder of real clips with truth (SAFECITY_TEST_DATA/video)."""
    folder = Path(os.environ.get("SAFECITY_TEST_DATA", REPOSITORY.parent / "shared" / "data")) / "video"
    if not folder.is_dir():
        missing(f"no real clips at {folder}; set SAFECITY_TEST_DATA to the folder that holds video/")
    return folder


@pytest.fixture(scope="session")
def encoded_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where demos of this run keep the clips that their virtual cameras encoded: a minute of work, done once."""
    return tmp_path_factory.mktemp("streams")


def keep_encoded(data: Path, encoded: Path) -> Path:
    """The data folder of a demo that is to come, with its encoded clips in a folder that others share."""
    data.mkdir(mode=0o700)
    (data / "streams").symlink_to(encoded)
    return data


@pytest.fixture(scope="session")
def evidence_dir() -> Path:
    """The folder of signed clips and pictures (SAFECITY_TEST_DATA/evidence)."""
    folder = Path(os.environ.get("SAFECITY_TEST_DATA", REPOSITORY.parent / "shared" / "data")) / "evidence"
    if not folder.is_dir():
        missing(f"no signed clips at {folder}; set SAFECITY_TEST_DATA to the folder that holds evidence/")
    return folder


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder of detector models (SAFECITY_TEST_DATA/models)."""
    folder = Path(os.environ.get("SAFECITY_TEST_DATA", REPOSITORY.parent / "shared" / "data")) / "models"
    if not folder.is_dir():
        missing(f"no detector models at {folder}; set SAFECITY_TEST_DATA to the folder that holds models/")
    return folder


def find_postgres_tools() -> Path | None:
    """Debian keeps initdb and postgres out of the path."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL of Debian's, started for this run on a free loopback port and gone afterwards."""
    tools = find_postgres_tools()
    if tools is None:
        missing("no PostgreSQL; on Debian: apt-get install postgresql")
        return
    with tempfile.TemporaryDirectory(prefix="safecity-pg-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        # PostgreSQL refuses to run as root; Debian's package brings the user it runs as.
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if as_user:
            shutil.chown(folder, "postgres")
        data = f"{folder}/data"
        subprocess.run(
            [*as_user, tools / "initdb", "-D", data, "-A", "trust", "-U", "safecity", "--no-sync"],
            check=True,
            capture_output=True,
            cwd="/",
        )
        # No test takes this server's power away; what it writes need not reach the disk.
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off"
        subprocess.run(
            [*as_user, tools / "pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start"],
            check=True,
            capture_output=True,
            cwd="/",
        )
        try:
            yield f"postgresql+psycopg://safecity@127.0.0.1:{port}/"
        finally:
            subprocess.run(
                [*as_user, tools / "pg_ctl", "-D", data, "-m", "immediate", "stop"],
                check=True,
                capture_output=True,
                cwd="/",
            )


@pytest.fixture(scope="session")
def postgres(postgres_url: str) -> PostgresServer:
    """The same server, as the maker of migrated databases."""
    return PostgresServer(postgres_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        made = make_sqlite(tmp_path / "safecity.db")
        yield made
        made.close()
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        with server.fresh() as made:
            yield made


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """A real S3 server with Object Lock: Debian's Ceph, started for this run and gone afterwards (about 15 s)."""
    lacking = missing_programs()
    if lacking:
        missing(f"no {', '.join(lacking)}; on Debian: apt-get install ceph-mon ceph-osd radosgw")
    with tempfile.TemporaryDirectory(prefix="safecity-s3-") as folder, serve_s3(Path(folder)) as served:
        yield served
