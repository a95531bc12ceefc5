"""How backups stand, as the keeper's last word says."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from safecity.api.parts import WebParts
from safecity.api.wire import BackupHealth

STATUS_FILE = "backup-status.json"
GRACE = timedelta(hours=1)


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    made_at: AwareDatetime | None = None
    restored_at: AwareDatetime | None = None
    size_bytes: int = 0
    problem: str | None = None


def read_backup_health(parts: WebParts) -> BackupHealth:
    """Good is: made in time, restored for a trial, nothing wrong since."""
    backup = parts.settings.backup
    try:
        said = _Said.model_validate_json((parts.run_dir / STATUS_FILE).read_bytes())
    except (OSError, ValidationError):
        said = _Said()
    is_good = said.problem is None and said.restored_at is not None
    return BackupHealth(
        is_wanted=backup.directory is not None,
        is_good=is_good and not _is_late(said.made_at, every_h=backup.every_h, now=parts.clock.now()),
        made_at=said.made_at,
        restored_at=said.restored_at,
        size_bytes=said.size_bytes,
        problem=said.problem,
    )


def _is_late(made_at: datetime | None, *, every_h: float, now: datetime) -> bool:
    return made_at is None or now - made_at > 2 * timedelta(hours=every_h) + GRACE
