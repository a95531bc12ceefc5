"""The intake's app: where edges knock. An address of its own, signed requests, bounded bodies; no browser comes here.

Every answer to a signed request is signed by the centre, refusals too; so an edge believes no stranger on the wire.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import APIRouter, FastAPI, Path, Query, Request, WebSocket
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from safecity.api.intake_live import serve_push
from safecity.api.problems import install, render
from safecity.platform.clock import Clock, to_us
from safecity.platform.errors import Exhausted, Invalid, Problem
from safecity.video.edge import signing
from safecity.video.edge.arrivals import Arrivals
from safecity.video.edge.intake import Intake
from safecity.video.edge.model import Edge
from safecity.video.edge.register import EdgeRegister
from safecity.video.edge.relay import Relay
from safecity.video.edge.wire import (
    MAX_FACTS_BYTES,
    MAX_PART_BYTES,
    ArrivalRequest,
    EnrolAnswer,
    EnrolRequest,
    ExchangeRequest,
    FactsRequest,
    Message,
)

MAX_WORD_BYTES = 64 * 1024
TIME_HEADER = "SafeCity-Time"
Root = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeParts:
    """What the app is made of, handed in by `app`."""

    register: EdgeRegister
    intake: Intake
    arrivals: Arrivals
    relay: Relay
    clock: Clock


def create_intake_app(parts: IntakeParts) -> FastAPI:
    """The app over its services; its relay runs as long as it does."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        parts.relay.start()
        yield
        parts.relay.stop()

    app = FastAPI(title="SafeCity intake", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    install(app)
    door = _Door(parts)
    app.include_router(_enrolling(parts))
    app.include_router(_words(parts, door))
    app.include_router(_files(parts, door))

    @app.websocket("/intake/live")
    async def live(socket: WebSocket) -> None:  # pyright: ignore[reportUnusedFunction]
        await serve_push(socket, register=parts.register, intake=parts.intake, relay=parts.relay)

    return app


class _Door:
    """Every request passes here: body bounded, signature checked, answer signed."""

    def __init__(self, parts: IntakeParts) -> None:
        self._parts = parts

    async def answer(self, request: Request, work: Callable[[Edge, bytes], Message], *, limit: int) -> Response:
        """Do an edge's request in the thread pool."""
        nonce = ""
        try:
            body = await read_body(request, limit=limit)
            header = request.headers.get("authorization")
            said = signing.Request(method=request.method, target=_target(request), body=body)
            nonce = signing.read_claim(header).nonce
            edge, nonce = await run_in_threadpool(self._parts.register.authenticate, header, said)
            done = await run_in_threadpool(work, edge, body)
            response: Response = Response(done.model_dump_json(), media_type="application/json")
        except Problem as problem:
            response = render(problem)
        return self._sign(response, nonce)

    def _sign(self, response: Response, nonce: str) -> Response:
        body = bytes(response.body)
        if nonce:
            signature = self._parts.register.sign(nonce=nonce, status=response.status_code, body=body)
            response.headers[signing.ANSWER_HEADER] = signature
        response.headers[TIME_HEADER] = str(to_us(self._parts.clock.now()))
        return response


def _target(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


async def read_body(request: Request, *, limit: int) -> bytes:
    """The body, never more than `limit` bytes of it; raises Exhausted."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise Exhausted(f"a body here has at most {limit} bytes", code="edge.body_too_large")
        parts.append(part)
    return b"".join(parts)


def _parse(kind: type[M], body: bytes) -> M:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        where = "; ".join(".".join(map(str, item["loc"])) for item in error.errors()[:5])
        raise Invalid(f"the message is not right: {where}", code="edge.message") from error


def _enrolling(parts: IntakeParts) -> APIRouter:
    router = APIRouter(prefix="/intake")

    @router.post("/enrol")
    async def enrol(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        """The one request without a signature: a one-time token for a key; the answer is signed over the key."""
        said = _parse(EnrolRequest, await read_body(request, limit=MAX_WORD_BYTES))
        edge = await run_in_threadpool(parts.register.enrol, said.token, said.public_key)
        answer = JSONResponse(EnrolAnswer(edge=edge.id, site=edge.site).model_dump())
        nonce = said.public_key
        signature = parts.register.sign(nonce=nonce, status=200, body=bytes(answer.body))
        answer.headers[signing.ANSWER_HEADER] = signature
        return answer

    return router


def _words(parts: IntakeParts, door: _Door) -> APIRouter:
    router = APIRouter(prefix="/intake")

    @router.post("/exchange")
    async def exchange(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        """How the edge is; the time, the registry and the wants."""
        return await door.answer(
            request, lambda edge, body: parts.intake.exchange(edge, _parse(ExchangeRequest, body)), limit=MAX_WORD_BYTES
        )

    @router.post("/facts")
    async def facts(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        """A batch of the outbox; acknowledged after the commit."""
        return await door.answer(
            request, lambda edge, body: parts.intake.take_facts(edge, _parse(FactsRequest, body)), limit=MAX_FACTS_BYTES
        )

    return router


def _files(parts: IntakeParts, door: _Door) -> APIRouter:
    router = APIRouter(prefix="/intake/files")

    @router.get("/{root}")
    async def find(request: Request, root: Root) -> Response:  # pyright: ignore[reportUnusedFunction]
        """How much of a file is here."""
        return await door.answer(request, lambda edge, _: parts.arrivals.find(edge, root), limit=0)

    @router.put("/{root}")
    async def put(  # pyright: ignore[reportUnusedFunction]
        request: Request, root: Root, offset: Annotated[int, Query(ge=0)]
    ) -> Response:
        """The next part of it."""
        return await door.answer(
            request, lambda edge, body: parts.arrivals.put(edge, root, offset=offset, body=body), limit=MAX_PART_BYTES
        )

    @router.post("/{root}")
    async def take(request: Request, root: Root) -> Response:  # pyright: ignore[reportUnusedFunction]
        """It is whole: check it, keep it, show what of it was missing."""

        def work(edge: Edge, body: bytes) -> Message:
            answer = parts.arrivals.take(edge, root, said=_parse(ArrivalRequest, body))
            parts.intake.forget_wants(edge)
            return answer

        return await door.answer(request, work, limit=MAX_WORD_BYTES)

    return router
