"""What the index has ever acknowledged, remembered by somebody else, so that nothing can be taken back unseen."""

import threading
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from safecity.platform.database import Database
from safecity.platform.errors import Problem
from safecity.video.store import segments

EVERY_S = 1.0
REACHES_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """The most that was said of one file."""

    camera: str
    path: str
    started_at: datetime
    durable_until: datetime
    size_bytes: int
    fragments: int
    state: str
    root: str | None


class Witness:
    """Looks at the index again and again. `words` is by path; `closed` holds what has been closed and not yet taken."""

    def __init__(self, database: Database) -> None:
        self.words: dict[str, Word] = {}
        self.taken_back: list[str] = []
        self._database = database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)
        self._closed: list[Word] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Look a last time and end."""
        self._stop.set()
        self._thread.join()
        self.look(all_of_it=True)

    def take_closed(self) -> list[Word]:
        """The files that were closed since this was asked last."""
        with self._lock:
            closed, self._closed = self._closed, []
        return closed

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                self.look()
            except Problem:
                continue  # busy: the next look sees it

    def look(self, *, all_of_it: bool = False) -> None:
        """Remember what the index says now; note what it says no more."""
        c = segments.c
        columns = (c.camera, c.path, c.started_at, c.durable_until, c.size_bytes, c.fragments, c.state, c.root)
        with self._database.read() as connection:
            newest = connection.execute(sa.select(sa.func.max(sa.type_coerce(c.durable_until, sa.BigInteger)))).scalar()
            since = 0 if all_of_it or newest is None else int(newest) - int(REACHES_S * 1e6)
            recent = sa.or_(c.state == "open", sa.type_coerce(c.durable_until, sa.BigInteger) >= since)
            rows = connection.execute(sa.select(*columns).where(recent)).mappings().all()
        for row in rows:
            self._compare(Word(**row))

    def _compare(self, word: Word) -> None:
        before = self.words.get(word.path)
        if before is not None:
            less = word.size_bytes < before.size_bytes or word.durable_until < before.durable_until
            if less or (before.root is not None and word.root != before.root):
                self.taken_back.append(
                    f"{word.path}: {before.size_bytes} B until {before.durable_until}, then {word.size_bytes} B until "
                    f"{word.durable_until}"
                )
                return  # keeps the greater word, which the end is held against
        if word.state == "closed" and (before is None or before.state != "closed"):
            with self._lock:
                self._closed.append(word)
        self.words[word.path] = word
