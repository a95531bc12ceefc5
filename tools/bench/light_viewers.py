"""Many viewers in one light process: WebSockets read as raw bytes, so that what is measured is the gateway.

    python -m tools.bench.light_viewers < plan.json

The plan: {"gateway", "origin", "looks": [{"camera", "cookie"}], "seconds"}. When all looks have had a picture, `ready`
is printed; then pictures are counted for so many seconds, and one line of JSON tells what came. Latency is the arrival
here less the instant at which the camera took the picture, by the clock that the gateway tells.
"""

import asyncio
import base64
import contextlib
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime

TICKS_PER_S = 90_000
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one viewer got."""

    camera: str
    opened_s: float = 0.0
    first_s: float | None = None
    is_counting: bool = False
    ticks: list[int] = field(default_factory=list[int])
    arrivals: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    clock: tuple[int, float] | None = None
    close_reason: str | None = None


class LightViewer(asyncio.Protocol):
    """The receiving half of RFC 6455, as far as this gateway uses it: whole frames, and pongs masked with zeros."""

    def __init__(self, tally: Tally, request: bytes) -> None:
        self._tally = tally
        self._request = request
        self._buffer = bytearray()
        self._is_open = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._tally.opened_s = time.monotonic()
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take every whole frame."""
        self._buffer += data
        if not self._is_open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if b" 101 " not in self._buffer[:64]:
                self._tally.close_reason = bytes(self._buffer[:200]).decode(errors="replace")
            self._is_open = True
            del self._buffer[: end + 4]
        while (frame := self._next()) is not None:
            self._take(*frame)

    def connection_lost(self, exc: Exception | None) -> None:
        """A viewer that was sent away counts against the gateway."""
        self._tally.close_reason = self._tally.close_reason or f"lost: {exc}"

    def _answer(self, payload: bytes) -> None:
        assert self._transport is not None
        self._transport.write(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)

    def _next(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, at = buffer[1] & 127, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(buffer) < 2 + width:
                return None
            size, at = int.from_bytes(buffer[2 : 2 + width]), 2 + width
        if len(buffer) < at + size:
            return None
        frame = buffer[0] & 15, bytes(buffer[at : at + size])
        del buffer[: at + size]
        return frame

    def _take(self, kind: int, payload: bytes) -> None:
        tally = self._tally
        if kind == CLOSE:
            tally.close_reason = payload[2:].decode(errors="replace")
        elif kind == PING:
            self._answer(payload)
        elif kind == TEXT:
            word = json.loads(payload)
            if word["type"] == "clock":
                tally.clock = word["media_ticks"], datetime.fromisoformat(word["captured_at"]).timestamp()
        elif kind == BINARY and payload[4:8] != b"ftyp":
            tally.first_s = tally.first_s or time.monotonic()
            if tally.is_counting:
                at = payload.index(b"tfdt")
                ticks = int.from_bytes(payload[at + 8 : at + 16])
                tally.ticks.append(ticks)
                tally.arrivals.append((ticks, time.time()))


def latencies_ms(tally: Tally) -> list[float]:
    """Arrival less capture of every picture that was counted."""
    if tally.clock is None:
        return []
    anchor, at_s = tally.clock
    return [(arrived - at_s - (ticks - anchor) / TICKS_PER_S) * 1000 for ticks, arrived in tally.arrivals]


def summary(tallies: list[Tally]) -> dict[str, object]:
    """What all viewers got, and what those of one stream did not all get."""
    streams: dict[str, set[int]] = {}
    for tally in tallies:
        streams.setdefault(tally.camera, set()).update(tally.ticks)
    # Viewers begin and end to count one after the other: a picture at either edge may be in one count only.
    missed = sum(max(0, len(streams[tally.camera]) - len(tally.ticks) - 2) for tally in tallies)
    late = [one for tally in tallies for one in latencies_ms(tally)]
    firsts = [(tally.first_s or 0) - tally.opened_s for tally in tallies]
    return {
        "pictures": sum(len(tally.ticks) for tally in tallies),
        "missed": missed,
        "sent_away": sum(tally.close_reason is not None for tally in tallies),
        "wire_p50_ms": round(statistics.median(late), 1),
        "wire_p95_ms": round(statistics.quantiles(late, n=20)[-1], 1),
        "wire_first_p95_ms": round(statistics.quantiles(firsts, n=20)[-1] * 1000),
    }


async def main() -> None:
    """Open all looks, count for a while, tell."""
    plan = json.loads(sys.stdin.readline())
    host, port = plan["gateway"].removeprefix("http://").rsplit(":", 1)
    loop = asyncio.get_running_loop()
    tallies: list[Tally] = []
    transports: list[asyncio.BaseTransport] = []
    for look in plan["looks"]:
        tally = Tally(camera=look["camera"])
        lines = (
            f"GET /media/live/{look['camera']}?stream=sub&rendition=clear HTTP/1.1",
            f"Host: {host}:{port}",
            f"Origin: {plan['origin']}",
            f"Cookie: {look['cookie']}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        )
        request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        transport, _ = await loop.create_connection(lambda t=tally, r=request: LightViewer(t, r), host, int(port))
        tallies.append(tally)
        transports.append(transport)
        await asyncio.sleep(0.02)
    async with asyncio.timeout(120):
        while not all(tally.first_s or tally.close_reason for tally in tallies):
            await asyncio.sleep(0.1)
    await asyncio.sleep(plan["settle_s"])
    print("ready", flush=True)
    for tally in tallies:
        tally.is_counting = True
    await asyncio.sleep(plan["seconds"])
    for tally in tallies:
        tally.is_counting = False
    print(json.dumps(summary(tallies)), flush=True)
    for transport in transports:
        transport.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
