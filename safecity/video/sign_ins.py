"""That we never lock a camera: one stream at a time shows it a password, and a refused one rests for half a minute.

Cameras count wrong passwords over all their streams (often five in a few minutes) and shut out the user, the operator
with him. So main and sub stream are counted together here, whoever reads them.
"""

import threading
from dataclasses import dataclass, field

from safecity.sites.model import CameraId
from safecity.video.model import Stream, StreamKey

REFUSED_WAIT_S = 30.0
TRY_S = 10.0  # a try that has not ended by then says nothing of the password
ASK_AGAIN_S = 0.1


@dataclass(slots=True, kw_only=True)
class _Known:
    """What is known of one camera's password."""

    proven_by: set[Stream] = field(default_factory=set[Stream])  # streams that it let in, and that stand
    trying: Stream | None = None
    since_s: float = 0.0
    not_before_s: float = 0.0


class SignIns:
    """Shared by all streams of a recorder; all times are monotonic."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cameras: dict[CameraId, _Known] = {}

    def ask(self, key: StreamKey, *, now_s: float) -> float:
        """How long the stream must wait before it may show its password; 0: now, and others wait for what comes of
        it."""
        camera, stream = key
        with self._lock:
            known = self._cameras.setdefault(camera, _Known())
            if now_s < known.not_before_s:
                return known.not_before_s - now_s
            if known.proven_by:
                return 0.0
            if known.trying not in (None, stream) and now_s - known.since_s < TRY_S:
                return ASK_AGAIN_S
            known.trying, known.since_s = stream, now_s
            return 0.0

    def succeed(self, key: StreamKey) -> None:
        """The camera let the stream in."""
        camera, stream = key
        with self._lock:
            known = self._cameras.setdefault(camera, _Known())
            known.proven_by.add(stream)
            known.trying = None

    def end(self, key: StreamKey, *, is_refused: bool, now_s: float) -> None:
        """The stream's connection ended, or was refused for its password."""
        camera, stream = key
        with self._lock:
            known = self._cameras.setdefault(camera, _Known())
            known.proven_by.discard(stream)
            if known.trying is stream:
                known.trying = None
            if is_refused:
                known.proven_by.clear()
                known.not_before_s = now_s + REFUSED_WAIT_S

    def is_refused(self, camera: CameraId, *, now_s: float) -> bool:
        """Whether the camera's password rests because it was refused."""
        known = self._cameras.get(camera)
        return known is not None and now_s < known.not_before_s

    def hold(self, camera: CameraId, *, now_s: float) -> None:
        """The recorder before us was refused: its last try counts, too."""
        with self._lock:
            self._cameras.setdefault(camera, _Known()).not_before_s = now_s + REFUSED_WAIT_S

    def forget(self, camera: CameraId) -> None:
        """Somebody entered another address or password."""
        with self._lock:
            self._cameras.pop(camera, None)
