"""The client of the control port, for commands, tests and the running system. Synchronous."""

import http.client
import json
from collections.abc import Mapping
from urllib.parse import urlencode

from pydantic import ValidationError

from safecity.platform.errors import Conflict, Denied, Internal, Invalid, NotFound, Problem, Unavailable
from safecity.virtual.control_files import get_control_file
from safecity.virtual.control_models import (
    Concerned,
    ControlProblem,
    EventRequest,
    FaultRequest,
    MountList,
    MountView,
    SentList,
    SentView,
)
from safecity.virtual.faults import FaultKind
from safecity.virtual.onvif.events import EventKind

TIMEOUT_S = 300.0
"""Setting a fault that must be encoded first answers when it holds."""

_KINDS: Mapping[str, type[Problem]] = {
    kind.kind.value: kind for kind in (Invalid, Denied, NotFound, Conflict, Unavailable, Internal)
}


class VirtualControl:
    """Talks to one virtual city. Every method raises the Problem that the city answers, or Unavailable."""

    def __init__(self, port: int, token: str, *, host: str = "127.0.0.1") -> None:
        self._host = host
        self._port = port
        self._token = token

    @classmethod
    def of_this_user(cls, port: int | None = None) -> "VirtualControl":
        """The city that this user runs, on that control port or the only one. Raises NotFound or Conflict."""
        found = get_control_file(port)
        return cls(found.port, found.token)

    def list_mounts(self) -> tuple[MountView, ...]:
        """Cameras with viewers, counters and faults."""
        return MountList.model_validate_json(self._ask("GET", "/mounts")).mounts

    def set_fault(
        self, camera: str, kind: FaultKind, *, for_s: float | None = None, value: str | None = None
    ) -> tuple[str, ...]:
        """Make a camera (or `all`) faulty; returns the cameras concerned, once the fault holds."""
        body = FaultRequest(camera=camera, kind=kind, for_s=for_s, value=value).model_dump_json().encode()
        return Concerned.model_validate_json(self._ask("POST", "/faults", body=body)).cameras

    def notice(self, camera: str, kind: EventKind, *, is_active: bool) -> tuple[str, ...]:
        """Have a camera (or `all`) notice something, or no longer."""
        body = EventRequest(camera=camera, kind=kind, is_active=is_active).model_dump_json().encode()
        return Concerned.model_validate_json(self._ask("POST", "/events", body=body)).cameras

    def clear_faults(self, camera: str = "all", kind: FaultKind | None = None) -> tuple[str, ...]:
        """End one kind of fault or all of a camera (or `all`)."""
        query = urlencode({"camera": camera} | ({"kind": kind.value} if kind else {}))
        return Concerned.model_validate_json(self._ask("DELETE", f"/faults?{query}")).cameras

    def list_sent(self, mount: str, stream: str = "main", *, from_counter: int = 0) -> tuple[SentView, ...]:
        """When each burned-in number left last."""
        query = urlencode({"mount": mount, "stream": stream, "from": from_counter})
        return SentList.model_validate_json(self._ask("GET", f"/sent?{query}")).sent

    def _ask(self, method: str, target: str, *, body: bytes | None = None) -> bytes:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            connection.request(method, target, body, {"Authorization": f"Bearer {self._token}"})
            reply = connection.getresponse()
            content = reply.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"The virtual city does not answer on port {self._port}.", code="virtual.gone") from error
        finally:
            connection.close()
        if reply.status != 200:
            raise _problem(content)
        return content


def _problem(content: bytes) -> Problem:
    try:
        told = ControlProblem.model_validate_json(content)
    except (ValidationError, json.JSONDecodeError):
        return Internal("The virtual city gave an answer that cannot be read.", code="virtual.answer")
    return _KINDS.get(told.kind, Internal)(told.detail, code=told.code)
