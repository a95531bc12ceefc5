"""Which session has read which case lately, so that a page that refreshes does not fill the log."""

from collections import OrderedDict
from threading import Lock

REMEMBERED_S = 300.0
MAX_REMEMBERED = 1024


class CasesRead:
    """Bounded; what is forgotten costs one leaf more."""

    def __init__(self) -> None:
        self._read_s: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._lock = Lock()

    def is_fresh(self, session: str, case: str, *, now_s: float) -> bool:
        """Whether a leaf of this session and case is young enough to cover another read."""
        with self._lock:
            read_s = self._read_s.get((session, case))
        return read_s is not None and now_s - read_s < REMEMBERED_S

    def remember(self, session: str, case: str, *, now_s: float) -> None:
        """A leaf was written now."""
        with self._lock:
            self._read_s[session, case] = now_s
            self._read_s.move_to_end((session, case))
            while len(self._read_s) > MAX_REMEMBERED:
                self._read_s.popitem(last=False)
