"""WS-Discovery as a device answers it: a Probe by unicast or multicast, a ProbeMatches back (SOAP over UDP, 2005/04).

Only addresses of the virtual cameras listen; the multicast group is joined on their own interface, so that no Probe
of another network is answered and none of ours leaves.
"""

import asyncio
import contextlib
import socket
import uuid
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from safecity.platform.errors import Invalid
from safecity.platform.xml_tree import Element, parse_xml
from safecity.virtual.onvif.device import Device
from safecity.virtual.onvif.device_service import address_of, scopes_of
from safecity.virtual.onvif.soap import text

log = structlog.get_logger()

PORT: Final = 3702
GROUP: Final = "239.255.255.250"
MAX_PROBE_BYTES: Final = 4096
_WSD = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_Hear = Callable[[bytes, tuple[str, int]], None]
_TYPES = frozenset({"NetworkVideoTransmitter", "Device"})


class Discovery:
    """Answers for the cameras of one process."""

    def __init__(self, devices: Mapping[str, Device]) -> None:
        self._devices = devices
        self._endpoints: dict[str, asyncio.DatagramTransport] = {}
        self._group: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Listen at each camera's address and in the group; where the port is taken, nothing is discovered there."""
        loop = asyncio.get_running_loop()
        for address, device in self._devices.items():
            try:
                endpoint, _ = await loop.create_datagram_endpoint(
                    lambda device=device: _Ear(lambda probe, peer, one=device: self._answer(one, probe, peer)),
                    local_addr=(address, PORT),
                )
            except OSError as error:
                log.warning("virtual.discovery_unavailable", address=address, reason=error.strerror)
                break
            self._endpoints[address] = endpoint
        with contextlib.suppress(OSError):
            endpoint, _ = await loop.create_datagram_endpoint(
                lambda: _Ear(self._answer_all), sock=_group_socket(next(iter(self._devices)))
            )
            self._group = endpoint

    def close(self) -> None:
        """Stop listening."""
        for endpoint in [*self._endpoints.values(), *([self._group] if self._group else [])]:
            endpoint.close()

    def _answer_all(self, probe: bytes, peer: tuple[str, int]) -> None:
        for device in self._devices.values():
            self._answer(device, probe, peer)

    def _answer(self, device: Device, probe: bytes, peer: tuple[str, int]) -> None:
        asked = _read_probe(probe)
        address = device.address.split("//", 1)[1].partition(":")[0]
        endpoint = self._endpoints.get(address)
        if asked is None or endpoint is None or device.is_unplugged:
            return
        endpoint.sendto(write_match(device, relates_to=asked), peer)


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, hear: _Hear) -> None:
        self._hear = hear

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One datagram."""
        if len(data) <= MAX_PROBE_BYTES:
            self._hear(data, (addr[0], addr[1]))


def write_match(device: Device, *, relates_to: str) -> bytes:
    """A ProbeMatches with one match."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        f'xmlns:w="{_WSA}" xmlns:d="{_WSD}" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">'
        f"<e:Header><w:MessageID>urn:uuid:{uuid.uuid4()}</w:MessageID><w:RelatesTo>{text(relates_to)}</w:RelatesTo>"
        "<w:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</w:To>"
        f"<w:Action>{_WSD}/ProbeMatches</w:Action></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch>"
        f"<w:EndpointReference><w:Address>{device.urn}</w:Address></w:EndpointReference>"
        f"<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>{text(' '.join(scopes_of(device)))}</d:Scopes>"
        f"<d:XAddrs>{text(address_of(device, 'tds'))}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>"
        "</d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
    ).encode()


def _read_probe(data: bytes) -> str | None:
    """The MessageID of a Probe for cameras or for anything; None for all else."""
    try:
        root = parse_xml(data)
    except Invalid:
        return None
    probe: Element | None = root.find("Body/Probe")
    if probe is None:
        return None
    types = {one.rpartition(":")[2] for one in probe.text_at("Types").split()}
    if types and not types & _TYPES:
        return None
    return root.text_at("Header/MessageID")[:256] or None


def _group_socket(address: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((GROUP, PORT))
        membership = socket.inet_aton(GROUP) + socket.inet_aton(address)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except OSError:
        made.close()
        raise
    made.setblocking(False)
    return made
