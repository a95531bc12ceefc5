"""What a backup of this system is: which tables and files, what proves its log, and the drill that restores it.

The running system has the public key only, so it cannot open a backup of yesterday. It restores each one while it still
has the key that it was just sealed with, and from then on watches that the file is the very one that was restored.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from sqlalchemy.engine import Connection

from safecity.api.backup_health import STATUS_FILE
from safecity.oversight.log import LogState, state_of
from safecity.oversight.verify import verify
from safecity.platform.backup.contents import LogSum, Manifest
from safecity.platform.backup.keys import Lock, lock_for
from safecity.platform.backup.making import BackupPlan, fingerprint, list_backups, make_backup, prune
from safecity.platform.backup.restoring import DATABASE_FILE, RestorePlan, restore
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import DataLoss, NotFound, Problem
from safecity.platform.files import write_whole
from safecity.platform.settings import Settings

log = structlog.get_logger()

PUBLIC_KEY_FILE = "backup-public-key"
LEFT_OUT = frozenset({"sessions", "leases", "recorder_status", "analyser_status", "sign_in_attempts"})
"""Who is signed in and what runs now: it would be false, or dangerous, in a system that is restored."""
DRILL_EVERY = timedelta(hours=24)


class BackupStatus(BaseModel):
    """How backups stand, for the health page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    made_at: AwareDatetime | None = None
    size_bytes: int = 0
    rows: int = 0
    file: str = ""
    sha256: str = ""
    restored_at: AwareDatetime | None = None
    """When the newest one was last restored or, the file being the same, compared."""
    problem: str | None = None


def backup_plan(settings: Settings, *, has_index: bool, config: Path | None = None) -> BackupPlan:
    """Everything of this system that is not a recording."""
    data_dir = settings.platform.data_dir.absolute()
    secrets = sorted((data_dir / "secrets").glob("*")) if (data_dir / "secrets").is_dir() else []
    files = {f"secrets/{path.name}": path for path in secrets if path.is_file()}
    files |= {PUBLIC_KEY_FILE: data_dir / PUBLIC_KEY_FILE, "volumes.json": data_dir / "volumes.json"}
    files |= {"restored/settings.json": data_dir / "run" / "settings.json"}
    files |= {"restored/safecity.toml": config or Path("safecity.toml")}
    return BackupPlan(files=files, left_out=LEFT_OUT, describe_log=describe_log, has_index=has_index)


def restore_plan(data_dir: Path, *, database_url: str | None = None) -> RestorePlan:
    """How this system is restored."""
    return RestorePlan(data_dir=data_dir.absolute(), database_url=database_url, check_log=check_log)


def describe_log(connection: Connection) -> LogSum:
    """The audit log's size and root in this look at the database."""
    state = state_of(connection)
    return LogSum(size=state.size, root=state.root.hex())


def check_log(connection: Connection, noted: LogSum) -> None:
    """Recompute the log from its own bytes. Raises DataLoss where it is not what the backup's manifest says."""
    verdict = verify(connection, noted=LogState(size=noted.size, root=bytes.fromhex(noted.root)))
    if not verdict.is_whole or verdict.size != noted.size:
        reason = verdict.reason or f"it has {verdict.size} leaves, not {noted.size}"
        raise DataLoss(f"the audit log in the backup is not whole: {reason}", code="backup.log")


def read_lock(data_dir: Path) -> Lock:
    """A fresh lock for this system's key. Raises NotFound where none was made yet."""
    try:
        return lock_for((data_dir / PUBLIC_KEY_FILE).read_text())
    except FileNotFoundError as error:
        raise NotFound("there is no key for backups yet; run `safecity backup keygen`", code="backup.no_key") from error


def drill(path: Path, lock: Lock, *, scratch: Path) -> None:
    """Restore a backup into a folder that is thrown away, and compare. Raises what restoring raises, and DataLoss."""
    with tempfile.TemporaryDirectory(prefix="drill-", dir=scratch) as folder:
        manifest = restore(path, lock, plan=restore_plan(Path(folder)))
        database = Database(f"sqlite:///{Path(folder) / DATABASE_FILE}")
        try:
            with database.read() as connection:
                compare_counts(connection, manifest)
        finally:
            database.close()


def compare_counts(connection: Connection, manifest: Manifest) -> None:
    """Raises DataLoss where a table has not the rows that the manifest tells."""
    for name, told in manifest.tables.items():
        found = connection.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one()
        if found != told.rows:
            raise DataLoss(f"{name} has {found} rows after the restore, not {told.rows}", code="backup.drill")


@dataclass(slots=True, kw_only=True)
class BackupKeeper:
    """Makes backups in their rhythm, restores each for a trial, and lets the oldest go."""

    database: Database
    settings: Settings
    clock: Clock
    run_dir: Path

    def run_once(self) -> None:
        """Look whether something is due; what goes wrong stands on the health page until it is right again."""
        directory = self.settings.backup.directory
        if directory is None:
            return
        before = read_status(self.run_dir)
        try:
            after = self._make(directory) if self._is_due(before) else self._compare(directory, before)
        except (Problem, OSError) as problem:
            text = problem.message if isinstance(problem, Problem) else str(problem)
            log.error("app.backup_failed", problem=text)
            after = before.model_copy(update={"problem": text})
        if after != before:
            write_whole(self.run_dir / STATUS_FILE, after.model_dump_json().encode(), mode=0o600)

    def _is_due(self, status: BackupStatus) -> bool:
        every = timedelta(hours=self.settings.backup.every_h)
        return status.made_at is None or self.clock.now() - status.made_at >= every or status.made_at > self.clock.now()

    def _make(self, directory: Path) -> BackupStatus:
        data_dir = self.settings.platform.data_dir.absolute()
        lock = read_lock(data_dir)
        plan = backup_plan(self.settings, has_index=self.settings.backup.has_index)
        path, manifest = make_backup(self.database, plan, lock=lock, directory=directory)
        drill(path, lock, scratch=_scratch(data_dir))
        prune(directory, keep=self.settings.backup.keep)
        rows = sum(one.rows for one in manifest.tables.values())
        now = self.clock.now()
        log.info("app.backup_made", file=path.name, rows=rows, size_bytes=path.stat().st_size)
        return BackupStatus(
            made_at=now, size_bytes=path.stat().st_size, rows=rows, file=path.name, sha256=fingerprint(path),
            restored_at=now,
        )  # fmt: skip

    def _compare(self, directory: Path, status: BackupStatus) -> BackupStatus:
        """Once a day: is the file still the one that was restored?"""
        now = self.clock.now()
        if status.restored_at is not None and timedelta() <= now - status.restored_at < DRILL_EVERY:
            return status
        newest = list_backups(directory)
        if not newest or newest[-1].name != status.file:
            raise DataLoss(f"the newest backup, {status.file}, is gone from {directory}", code="backup.gone")
        if fingerprint(newest[-1]) != status.sha256:
            raise DataLoss(f"{status.file} is not what it was when it was restored", code="backup.damaged")
        return status.model_copy(update={"restored_at": now, "problem": None})


def read_status(run_dir: Path) -> BackupStatus:
    """How backups stand; an empty word where none was ever made."""
    try:
        return BackupStatus.model_validate(json.loads((run_dir / STATUS_FILE).read_bytes()))
    except (OSError, ValueError, ValidationError):
        return BackupStatus()


def _scratch(data_dir: Path) -> Path:
    """Where trials are made; what a killed one left is thrown away."""
    folder = data_dir / "drills"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder
