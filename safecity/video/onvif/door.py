"""The one way to a camera's ONVIF side: HTTP with bounds on time and size, both ways to sign in, no host but this.

Whatever address a camera tells, we stay with the host that we reached: behind NAT it tells an inner one, and a camera
that was taken over must not send us, and our sign-in, elsewhere.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx2

from safecity.platform.clock import Clock, SystemClock
from safecity.platform.errors import Denied, Invalid, NotFound, Problem, Unavailable
from safecity.platform.xml_tree import MAX_BYTES, Element
from safecity.video.onvif.envelopes import (
    LOCKED,
    UNAUTHORISED,
    UNREADABLE,
    UNSUPPORTED,
    SignIn,
    read_answer,
    username_token,
    write_envelope,
)
from safecity.video.rtsp.auth import Signer

Result = TypeVar("Result")

CALL_S: Final = 6.0
CONNECT_S: Final = 3.0
DEVICE_PATH: Final = "/onvif/device_service"
UNREACHABLE: Final = "onvif.unreachable"
TOO_LARGE: Final = "onvif.too_large"


class Door:
    """Calls to one camera. For one event loop; `close` it."""

    def __init__(self, address: str, sign_in: SignIn | None, *, clock: Clock | None = None) -> None:
        """`address` is `host`, `host:port` or a whole http(s) address. Raises Invalid for what is none."""
        self.address = read_address(address)
        self.offset = timedelta()
        """The camera's clock less ours: what it calls now is our now plus this."""
        self._clock = clock or SystemClock()
        self._sign_in = sign_in
        self._signer: Signer | None = None
        self._refused: Problem | None = None
        # Certificates of cameras are their own: what protects the way is the site's tunnel. Broken keep-alives are
        # common, and calls are few, so each has a connection of its own.
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(CALL_S, connect=CONNECT_S),
            limits=httpx2.Limits(max_keepalive_connections=0, max_connections=4),
            follow_redirects=False,
            trust_env=False,
            verify=False,
        )

    async def close(self) -> None:
        """Free the connections."""
        await self._client.aclose()

    async def call(
        self,
        inner: str,
        *,
        to: str = "",
        action: str = "",
        header: str = "",
        within_s: float = CALL_S,
        signed: bool = True,
    ) -> Element:
        """Send a call's element; returns the element of the answer. `to` is an address as the camera told it.

        Raises Denied for a refused sign-in, which is not tried again with this door; NotFound for what the camera
        does not offer; Conflict for what it will not do; Unavailable and Invalid for a camera that is away or talks
        nonsense.
        """
        if signed and self._refused is not None:
            raise self._refused
        url = self.keep_host(to) if to else self.address
        try:
            async with asyncio.timeout(within_s):
                return await self._converse(inner, url=url, action=action, header=header, signed=signed)
        except TimeoutError as error:
            raise Unavailable("the camera did not answer in time", code=UNREACHABLE) from error
        except httpx2.ConnectError as error:
            raise Unavailable("the camera cannot be reached at this address", code=UNREACHABLE) from error
        except httpx2.HTTPError as error:
            raise Unavailable("the camera broke the conversation off", code=UNREACHABLE) from error
        except Denied as problem:
            if signed and problem.code in (UNAUTHORISED, LOCKED):
                self._refused = problem
            raise

    def keep_host(self, told: str) -> str:
        """The path of a told address at the host we reached; its own port where it names that very host."""
        try:
            there, here = urlsplit(told), urlsplit(self.address)
            is_same = (there.hostname or "").lower() == (here.hostname or "").lower()
            _ = there.port
        except ValueError:
            return self.address
        if there.scheme not in ("http", "https"):
            return self.address
        base = there if is_same and there.scheme == here.scheme else here
        netloc = base.netloc.rpartition("@")[2]
        return urlunsplit((base.scheme, netloc, there.path or "/", there.query, ""))

    def note_time(self, camera_now: datetime) -> None:
        """Remember what the camera calls now, so that what we sign fits its clock."""
        self.offset = camera_now - self._clock.now()

    async def _converse(self, inner: str, *, url: str, action: str, header: str, signed: bool) -> Element:
        status, head, body = await self._post(inner, url=url, action=action, header=header, signed=signed)
        challenges = head.get_list("www-authenticate")
        if status == 401 and signed and self._sign_in and challenges and self._may_answer(challenges):
            status, head, body = await self._post(inner, url=url, action=action, header=header, signed=True)
        if not signed:
            self._note_date(head)
        return _read(status, body)

    def _may_answer(self, challenges: list[str]) -> bool:
        """Take up HTTP Digest; a sign-in that was refused by Digest is not tried again, unless its nonce was old."""
        tries = 0 if self._signer is None else 1
        if self._signer is None:
            assert self._sign_in is not None
            self._signer = Signer(self._sign_in.user, self._sign_in.password)
        try:
            self._signer.face(challenges, tries=tries)
        except Denied:
            return False
        return True

    async def _post(
        self, inner: str, *, url: str, action: str, header: str, signed: bool
    ) -> tuple[int, httpx2.Headers, bytes]:
        kind = "application/soap+xml; charset=utf-8" + (f'; action="{action}"' if action else "")
        headers = {"Content-Type": kind, "Connection": "close", "Accept-Encoding": "identity"}
        token = ""
        if signed and self._signer is not None:
            parts = urlsplit(url)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            signature = self._signer.sign("POST", target)
            headers |= {"Authorization": signature} if signature else {}
        elif signed and self._sign_in is not None:
            token = username_token(self._sign_in, created=self._clock.now() + self.offset)
        content = write_envelope(inner, header=token + header)
        async with self._client.stream("POST", url, content=content, headers=headers) as reply:
            body = bytearray()
            async for piece in reply.aiter_raw(65_536):
                body += piece
                if len(body) > MAX_BYTES:
                    raise Invalid("the camera's answer does not end", code=TOO_LARGE)
            if signed and self._signer is not None and reply.status_code != 401:
                self._signer.prove()
            return reply.status_code, reply.headers, bytes(body)

    def _note_date(self, head: httpx2.Headers) -> None:
        """The HTTP Date, for cameras that tell their time to signed-in users only."""
        try:
            told = parsedate_to_datetime(head.get("date", ""))
        except ValueError:
            return
        if told.tzinfo is not None and told.year >= 2000:
            self.note_time(told.astimezone(UTC))


def read_address(told: str) -> str:
    """The device service's address of `host`, `host:port`, or a whole address. Raises Invalid."""
    whole = told.strip() if "://" in told else f"http://{told.strip()}"
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme not in ("http", "https") or port == 0 or len(whole) > 1000 or "@" in parts.netloc:
        raise Invalid("this is no camera's address; write 10.1.2.3, 10.1.2.3:8080 or http://...", code="onvif.address")
    path = parts.path if parts.path not in ("", "/") else DEVICE_PATH
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _read(status: int, body: bytes) -> Element:
    """An answer by its body first: many cameras send faults with a wrong status, some results too."""
    try:
        return read_answer(body)
    except Invalid as problem:
        if problem.code != UNREADABLE or status == 200:
            raise
    if status in (401, 403):
        raise Denied("the camera refuses this user", code=UNAUTHORISED, status=status)
    if status in (404, 405, 501):
        raise NotFound("there is no ONVIF service at this address", code=UNSUPPORTED, status=status)
    if 300 <= status < 400:
        raise Unavailable("the camera sends us elsewhere; enter that address", code=UNREADABLE, status=status)
    raise Unavailable(f"the camera answers {status} and nothing that can be read", code=UNREADABLE, status=status)


def run(make: Callable[[], Awaitable[Result]]) -> Result:
    """Do this in an event loop of its own, for synchronous callers."""

    async def main() -> Result:
        return await make()

    return asyncio.run(main())
