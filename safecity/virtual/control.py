"""The control port: HTTP and JSON on loopback, behind a bearer token; one request a connection.

GET    /mounts                                  cameras, viewers, counters, faults
POST   /faults   {camera, kind, for_s, value}   set a fault
DELETE /faults?camera=&kind=                    clear one kind, or all
POST   /events   {camera, kind, is_active}      have a camera notice something (ONVIF events)
GET    /sent?mount=&stream=&from=               when each burned-in number left
"""

import asyncio
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ValidationError

from safecity.platform.errors import Denied, Invalid, Kind, NotFound, Problem, Unavailable
from safecity.virtual.control_models import (
    Concerned,
    ControlProblem,
    EventRequest,
    FaultRequest,
    MountList,
    SentList,
    SentView,
    view_mount,
)
from safecity.virtual.faults import FaultKind
from safecity.virtual.rtsp.messages import Malformed, Reply, Request, take_request
from safecity.virtual.serving import VirtualCity

CONTROL_HOST: Final = "127.0.0.1"
MAX_CONTROL_CONNECTIONS: Final = 32
READ_TIME_S: Final = 5.0
ANSWER_TIME_S: Final = 300.0
"""Setting `codec` on many clips encodes for long."""

_STATUS: Final[Mapping[Kind, int]] = {
    Kind.INVALID: 422,
    Kind.DENIED: 401,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.EXHAUSTED: 503,
    Kind.UNAVAILABLE: 503,
    Kind.DATA_LOSS: 500,
    Kind.INTERNAL: 500,
}


class ControlServer:
    """Serves the control of one city."""

    def __init__(self, city: VirtualCity, *, token: str) -> None:
        self._city = city
        self._token = token
        self._server: asyncio.Server | None = None
        self._open = 0

    async def start(self, port: int) -> int:
        """Listen on loopback; returns the port. Raises Unavailable."""
        try:
            self._server = await asyncio.start_server(self._serve, CONTROL_HOST, port)
        except OSError as error:
            raise Unavailable(
                f"Control port {port} cannot be opened ({error.strerror}); choose another.", code="virtual.port"
            ) from error
        return self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > MAX_CONTROL_CONNECTIONS:
                reply = Reply(status=503)
            else:
                async with asyncio.timeout(READ_TIME_S):
                    request = await _read(reader)
                async with asyncio.timeout(ANSWER_TIME_S):
                    reply = await self._answer(request)
            writer.write(reply.encode("HTTP/1.1"))
            async with asyncio.timeout(READ_TIME_S):
                await writer.drain()
        except (TimeoutError, ConnectionError):
            # The client is gone or plays dead: nobody is left to tell.
            pass
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, request: Request | Malformed) -> Reply:
        if isinstance(request, Malformed):
            return Reply(status=request.status)
        try:
            self._check_token(request)
            return _json(200, await self._route(request))
        except Problem as problem:
            told = ControlProblem(kind=problem.kind, code=problem.code, detail=problem.message)
            return _json(_STATUS[problem.kind], told)

    def _check_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._token.encode()):
            raise Denied("Send the control token as a bearer token.", code="virtual.token")

    async def _route(self, request: Request) -> BaseModel:
        parts = urlsplit(request.target)
        query = {name: values[-1] for name, values in parse_qs(parts.query, max_num_fields=8).items()}
        if (request.method, parts.path) == ("GET", "/mounts"):
            return MountList(mounts=tuple(map(view_mount, self._city.mounts.values())))
        if (request.method, parts.path) == ("POST", "/faults"):
            return await self._set_fault(request.body)
        if (request.method, parts.path) == ("POST", "/events"):
            return self._notice(request.body)
        if (request.method, parts.path) == ("DELETE", "/faults"):
            kind = _read_kind(query["kind"]) if "kind" in query else None
            return Concerned(cameras=tuple(self._city.clear_faults(query.get("camera", "all"), kind)))
        if (request.method, parts.path) == ("GET", "/sent"):
            return self._list_sent(query)
        raise NotFound("There is no such path; see the README of the virtual city.", code="virtual.path")

    async def _set_fault(self, body: bytes) -> Concerned:
        try:
            wanted = FaultRequest.model_validate_json(body)
        except ValidationError as error:
            raise Invalid(f"This is no fault: {error.errors()[0]['msg']}.", code="virtual.fault") from error
        names = await self._city.set_fault(wanted.camera, wanted.kind, for_s=wanted.for_s, value=wanted.value)
        return Concerned(cameras=tuple(names))

    def _notice(self, body: bytes) -> Concerned:
        try:
            wanted = EventRequest.model_validate_json(body)
        except ValidationError as error:
            raise Invalid(f"This is no event: {error.errors()[0]['msg']}.", code="virtual.event") from error
        return Concerned(cameras=tuple(self._city.notice(wanted.camera, wanted.kind, is_active=wanted.is_active)))

    def _list_sent(self, query: Mapping[str, str]) -> SentList:
        start = query.get("from", "0")
        if not start.isdecimal() or len(start) > 9:
            raise Invalid("`from` is a number of a picture.", code="virtual.sent")
        found = self._city.list_sent(query.get("mount", ""), query.get("stream", "main"), from_counter=int(start))
        return SentList(sent=tuple(SentView(counter=sent.counter, sent_at=sent.sent_at) for sent in found))


async def _read(reader: asyncio.StreamReader) -> Request | Malformed:
    buffer = bytearray()
    while True:
        taken = take_request(buffer)
        if taken is not None:
            return taken
        data = await reader.read(64 * 1024)
        if not data:
            return Malformed(status=400, reason="the request ended early")
        buffer += data


def _read_kind(text: str) -> FaultKind:
    try:
        return FaultKind(text)
    except ValueError as error:
        raise Invalid(f"{text!r} is no fault; know: {', '.join(FaultKind)}.", code="virtual.fault") from error


def _json(status: int, model: BaseModel) -> Reply:
    kind = "application/problem+json" if status >= 400 else "application/json"
    return Reply(
        status=status,
        headers=(("Content-Type", kind), ("Connection", "close"), ("Cache-Control", "no-store")),
        body=model.model_dump_json().encode(),
    )
