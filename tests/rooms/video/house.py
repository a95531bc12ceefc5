"""A small installation with one camera's recordings, and people of the roles that a test needs."""

from datetime import datetime, timedelta
from pathlib import Path

from safecity.oversight.model import Actor, Purpose, PurposeScope, Role
from safecity.oversight.passwords import Cost, Passwords
from safecity.oversight.service import Oversight
from safecity.platform.clock import VirtualClock
from safecity.platform.settings import OversightSettings, VideoSettings
from safecity.video.export import ClipExports, ExportRequest
from tests.databases import make_sqlite
from tests.rooms.video.recorded import CAMERA, NOON, FakeRecorder, load_clip

PHRASE = "a long enough phrase"


class House:
    """Everything that reading recordings stands on, with an investigator on duty."""

    def __init__(self, folder: Path, clip: Path, *, live_hours: float = 24.0) -> None:
        self.data_dir = folder
        self.database = make_sqlite(folder / "safecity.db")
        self.clock = VirtualClock(NOON)
        # Cheap hashes: what they cost real attackers is tested in the oversight room.
        light = Passwords(Cost(memory_kib=64, passes=1, lanes=1))
        self.oversight = Oversight(self.database, OversightSettings(live_hours=live_hours), self.clock, passwords=light)
        self.recorder = FakeRecorder(self.database, folder / "media", load_clip(clip))
        self.exports = ClipExports(
            self.database,
            oversight=self.oversight,
            clock=self.clock,
            data_dir=folder,
            settings=VideoSettings(reserve_gb=0),
        )
        self.tokens: dict[str, str] = {}
        self.actor = self.sign_in("ines", Role.INVESTIGATOR)

    def sign_in(self, name: str, role: Role, *, on_duty: bool = True) -> Actor:
        self.oversight.create_user(name, PHRASE, role=role, display_name=name)
        signed = self.oversight.sign_in(name, PHRASE, console="desk")
        self.tokens[name] = signed.token
        actor = signed.session.actor
        if on_duty:
            self.oversight.start_shift(actor)
        return actor

    def open_case(self, ref: str = "C-1", *, from_at: datetime = NOON, to_at: datetime | None = None) -> Purpose:
        """A case about the camera, open end unless told."""
        scope = PurposeScope(camera=CAMERA, from_at=from_at, to_at=to_at)
        with self.database.begin() as connection:
            return self.oversight.open_purpose(connection, kind="case", ref=ref, scope=[scope])

    def close(self, purpose: Purpose) -> None:
        """End a case."""
        with self.database.begin() as connection:
            self.oversight.close_purpose(connection, purpose.id)

    def log_types(self) -> list[str]:
        """The types of the log's leaves, oldest first."""
        auditor = self.sign_in(f"aude{len(self.tokens)}", Role.AUDITOR, on_duty=False)
        return [leaf.type for leaf in reversed(self.oversight.read_log(auditor, limit=200).leaves)]

    def export(self, *, from_s: float, to_s: float) -> tuple[Path, Path]:
        request = ExportRequest(
            camera=CAMERA,
            from_at=NOON + timedelta(seconds=from_s),
            to_at=NOON + timedelta(seconds=to_s),
            reason="FIR 123/26, a test",
        )
        export = self.exports.make(self.actor, request)
        folder = self.data_dir / "exports" / export.id
        return folder / "clip.mp4", folder / "sheet.json"
