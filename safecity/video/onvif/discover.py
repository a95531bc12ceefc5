"""Finding cameras: WS-Discovery probes (multicast on one link, unicast anywhere), and a scan of a subnet.

A scan asks each address one harmless question that needs no sign-in (GetSystemDateAndTime), some at a time and not
faster than a stated rate: cameras share thin links with the video.
"""

import asyncio
import ipaddress
import socket
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from safecity.platform.errors import Invalid, NotFound, Problem
from safecity.platform.xml_tree import parse_xml
from safecity.video.onvif.camera import OnvifCamera
from safecity.video.onvif.envelopes import clean

MAX_ADDRESSES: Final = 4096
AT_ONCE: Final = 32
PER_SECOND: Final = 100.0
PORTS: Final = (80,)
CONNECT_S: Final = 2.0
PROBE_S: Final = 3.0
MAX_MATCHES: Final = 4096
PORT: Final = 3702
GROUP: Final = "239.255.255.250"
_WSD = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A device that answered."""

    address: str
    """Of its device service, at the host that answered."""
    urn: str = ""
    name: str = ""
    hardware: str = ""
    types: tuple[str, ...] = ()
    clock_offset_s: float | None = None
    how: str = "scan"


def addresses_of(subnets: Iterable[str]) -> list[str]:
    """Every host address of some subnets (`10.1.2.0/24`, `10.1.2.7`). Raises Invalid for none, or too many."""
    found: dict[str, None] = {}
    for told in subnets:
        try:
            network = ipaddress.ip_network(told, strict=False)
        except ValueError as error:
            raise Invalid("this is no subnet; write 10.1.2.0/24 or 10.1.2.7", code="onvif.subnet") from error
        if network.num_addresses > MAX_ADDRESSES:
            raise Invalid(f"a scan asks at most {MAX_ADDRESSES} addresses; take smaller parts", code="onvif.subnet")
        hosts = list(network.hosts()) or [network.network_address]
        found |= dict.fromkeys(map(str, hosts))
    if len(found) > MAX_ADDRESSES:
        raise Invalid(f"a scan asks at most {MAX_ADDRESSES} addresses; take smaller parts", code="onvif.subnet")
    return list(found)


async def scan(
    subnets: Sequence[str], *, ports: Sequence[int] = PORTS, at_once: int = AT_ONCE, per_second: float = PER_SECOND
) -> AsyncIterator[Found]:
    """Ask every address and port of some subnets; what speaks ONVIF comes out as it is found."""
    places = [(host, port) for host in addresses_of(subnets) for port in ports]
    room, results = asyncio.Semaphore(at_once), asyncio.Queue[Found | None]()

    async def ask(host: str, port: int) -> None:
        try:
            found = await _knock(host, port)
            if found is not None:
                results.put_nowait(found)
        finally:
            room.release()

    async def ask_all() -> None:
        async with asyncio.TaskGroup() as asks:
            for host, port in places:
                await room.acquire()
                asks.create_task(ask(host, port))
                await asyncio.sleep(1 / per_second)
        results.put_nowait(None)

    asking = asyncio.create_task(ask_all())
    try:
        while (found := await results.get()) is not None:
            yield found
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def probe(*, to: str = GROUP, interface: str | None = None, within_s: float = PROBE_S) -> list[Found]:
    """WS-Discovery: who hears a Probe, by multicast on one interface (its address) or by unicast to a host.

    Answers are believed for the host that sent them only: what else they tell is not dialled.
    """
    loop = asyncio.get_running_loop()
    mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mouth.setblocking(False)
    mouth.bind((interface or ("127.0.0.1" if to.startswith("127.") else "0.0.0.0"), 0))  # noqa: S104
    if ipaddress.ip_address(to).is_multicast:
        mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        if interface:
            mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    asked = f"urn:uuid:{uuid.uuid4()}"
    found: dict[str, Found] = {}
    with mouth:
        end_s, again_s = loop.time() + within_s, (0.0, 0.3)
        for wait_s in again_s:  # UDP: twice, as the standard has it
            await asyncio.sleep(wait_s)
            try:
                await loop.sock_sendto(mouth, write_probe(asked), (to, PORT))
            except OSError as error:
                raise Invalid("a probe cannot be sent from this interface", code="onvif.probe") from error
        while (left_s := end_s - loop.time()) > 0 and len(found) < MAX_MATCHES:
            try:
                async with asyncio.timeout(left_s):
                    data, peer = await loop.sock_recvfrom(mouth, 65_536)
            except (TimeoutError, OSError):
                break
            for one in read_matches(data, peer=peer[0], asked=asked):
                found[one.address] = one
    return list(found.values())


def write_probe(message: str) -> bytes:
    """A Probe for cameras."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        f'xmlns:w="{_WSA}" xmlns:d="{_WSD}" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
        f"<w:MessageID>{message}</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        f"<w:Action>{_WSD}/Probe</w:Action></e:Header><e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types>"
        "</d:Probe></e:Body></e:Envelope>"
    ).encode()


def read_matches(data: bytes, *, peer: str, asked: str) -> list[Found]:
    """The devices in an answer to our Probe; nothing of answers to others, or of what is no answer."""
    try:
        root = parse_xml(data, mends=True)
    except Invalid:
        return []
    relates = root.text_at("Header/RelatesTo")
    if relates and relates != asked:
        return []
    found: list[Found] = []
    for match in list(root.each("Body/ProbeMatches/ProbeMatch"))[:16]:
        scopes = [unquote(one) for one in match.text_at("Scopes").split()]
        told = match.text_at("XAddrs").split()
        address = next((one for one in told if urlsplit(one).hostname == peer), "") or _at(peer, told)
        found.append(
            Found(
                address=address,
                urn=clean(match.text_at("EndpointReference/Address"), 100),
                name=_scope(scopes, "name"),
                hardware=_scope(scopes, "hardware"),
                types=tuple(one.rpartition(":")[2] for one in match.text_at("Types").split()[:8]),
                how="probe",
            )
        )
    return found


async def _knock(host: str, port: int) -> Found | None:
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except (OSError, TimeoutError):
        return None
    try:
        async with OnvifCamera(f"{host}:{port}" if port != 80 else host, None) as camera:
            return Found(address=camera.door.address, clock_offset_s=camera.clock_offset_s)
    except NotFound:
        return None
    except Problem as problem:
        # A camera that wants a sign-in even for its time is a camera all the same.
        is_camera = problem.code in ("onvif.unauthorised", "onvif.locked")
        return Found(address=f"http://{host}:{port}/onvif/device_service") if is_camera else None


def _at(peer: str, told: list[str]) -> str:
    """The first told address at the host that answered."""
    for one in told:
        try:
            parts = urlsplit(one)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            continue
        if parts.scheme in ("http", "https"):
            return f"{parts.scheme}://{peer}{port}{parts.path}"
    return f"http://{peer}/onvif/device_service"


def _scope(scopes: list[str], name: str) -> str:
    start = f"onvif://www.onvif.org/{name}/"
    return next((clean(one[len(start) :], 80) for one in scopes if one.startswith(start)), "")
