"""Loss and delay over the tunnels: ICMP echoes (RFC 792) to many sites from one socket."""

import os
import select
import socket
import statistics
import struct
import time
from collections.abc import Sequence
from ipaddress import IPv4Address

from safecity.sites.links.model import EchoFigures

ECHOES = 5
EVERY_S = 0.1
WAIT_S = 1.5
_ECHO, _REPLY = 8, 0
_TOKEN_BYTES = 8


def measure(
    addresses: Sequence[IPv4Address],
    *,
    echoes: int = ECHOES,
    device: str | None = None,
    source: IPv4Address | None = None,
) -> dict[IPv4Address, EchoFigures] | None:
    """Send echoes to every address, spread over time, and say what came back; None where we may not send any.

    It takes about `echoes * EVERY_S + WAIT_S` for any number of addresses, and less where all answer.
    """
    opened = _open()
    if opened is None:
        return None
    with opened as endpoint:
        try:
            if device is not None:
                endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
            if source is not None:
                endpoint.bind((str(source), 0))
        except OSError:
            return {address: EchoFigures(sent=echoes, answered=0, delay_ms=None) for address in addresses}
        return _exchange(endpoint, addresses, echoes)


def _open() -> "socket.socket | None":
    """An unprivileged ICMP socket where the system lets us have one, else a raw one."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP)
        except OSError:
            continue
    return None


def _exchange(
    endpoint: "socket.socket", addresses: Sequence[IPv4Address], echoes: int
) -> dict[IPv4Address, EchoFigures]:
    endpoint.setblocking(False)
    token = os.urandom(_TOKEN_BYTES)
    sent_s: dict[tuple[str, int], float] = {}
    delays_ms: dict[str, list[float]] = {str(address): [] for address in addresses}
    for number in range(echoes):
        if number:
            _collect(endpoint, token, sent_s, delays_ms, until_s=time.monotonic() + EVERY_S)
        for address in addresses:
            sent_s[str(address), number] = time.monotonic()
            try:
                endpoint.sendto(_echo(number, token), (str(address), 0))
            except OSError:
                sent_s.pop((str(address), number), None)  # no route, or a full buffer: it counts as lost
    _collect(endpoint, token, sent_s, delays_ms, until_s=time.monotonic() + WAIT_S)
    return {
        address: EchoFigures(
            sent=echoes,
            answered=len(delays_ms[str(address)]),
            delay_ms=round(statistics.median(delays_ms[str(address)]), 2) if delays_ms[str(address)] else None,
        )
        for address in addresses
    }


def _collect(
    endpoint: "socket.socket",
    token: bytes,
    sent_s: dict[tuple[str, int], float],
    delays_ms: dict[str, list[float]],
    *,
    until_s: float,
) -> None:
    while True:
        left_s = until_s - time.monotonic()
        if not sent_s or left_s <= 0 or not select.select([endpoint], [], [], left_s)[0]:
            return
        try:
            packet, (sender, _) = endpoint.recvfrom(2048)
        except OSError:
            continue
        number = _reply_number(packet, token)
        began_s = None if number is None else sent_s.pop((sender, number), None)
        if began_s is not None:
            delays_ms[sender].append((time.monotonic() - began_s) * 1000)


def _echo(number: int, token: bytes) -> bytes:
    body = struct.pack("!BBHHH", _ECHO, 0, 0, os.getpid() & 0xFFFF, number) + token
    total = sum(struct.unpack(f"!{len(body) // 2}H", body))
    total = (total >> 16) + (total & 0xFFFF)
    total += total >> 16
    return body[:2] + struct.pack("!H", ~total & 0xFFFF) + body[4:]


def _reply_number(packet: bytes, token: bytes) -> int | None:
    """The number of our own echo that this answers; a raw socket hands out the IP header before it."""
    if packet[:1] and packet[0] >> 4 == 4 and len(packet) > 20:
        packet = packet[(packet[0] & 15) * 4 :]
    if len(packet) < 8 + _TOKEN_BYTES or packet[0] != _REPLY or packet[8 : 8 + _TOKEN_BYTES] != token:
        return None
    return struct.unpack("!H", packet[6:8])[0]
