"""The HTTP side of the virtual cameras' ONVIF: an address or a path for each, requests in, envelopes out.

Cameras stand at addresses of their own (127.0.0.0/8 is all ours), as real ones do, or at one address behind a path
`/<camera>/onvif/...`. A real device has one address and one port; a scan of a subnet is then a real scan.
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from safecity.platform.errors import Invalid, Unavailable
from safecity.platform.xml_tree import Element
from safecity.virtual.card import CardStream
from safecity.virtual.faults import OddOnvif
from safecity.virtual.mounts import Mount, MountName
from safecity.virtual.onvif import device_service, event_service, imaging_service, media_service
from safecity.virtual.onvif import ptz_service as ptz
from safecity.virtual.onvif import recording_service as recording
from safecity.virtual.onvif.access import Doorman, NeedsSignIn
from safecity.virtual.onvif.device import Device, Identity, turning_head
from safecity.virtual.onvif.discovery import Discovery
from safecity.virtual.onvif.events import EventBoard
from safecity.virtual.onvif.soap import Call, SoapFault, read_call, write_envelope
from safecity.virtual.rtsp.messages import Malformed, Reply, Request, take_request

log = structlog.get_logger()

Handler = Callable[[Device, Element], str]
MAX_CONNECTIONS: Final = 4096
IDLE_S: Final = 30.0
MAX_FLOOD_BYTES: Final = 256 * 1024**2

HANDLERS: Final[Mapping[tuple[str, str], Handler]] = {
    ("tds", "GetServices"): device_service.get_services,
    ("tds", "GetCapabilities"): device_service.get_capabilities,
    ("tds", "GetServiceCapabilities"): device_service.get_service_capabilities,
    ("tds", "GetSystemDateAndTime"): device_service.get_system_date_and_time,
    ("tds", "SetSystemDateAndTime"): device_service.set_system_date_and_time,
    ("tds", "GetDeviceInformation"): device_service.get_device_information,
    ("tds", "GetScopes"): device_service.get_scopes,
    ("tds", "GetHostname"): device_service.get_hostname,
    ("tds", "GetNetworkInterfaces"): device_service.get_network_interfaces,
    ("tds", "GetUsers"): device_service.get_users,
    ("tds", "CreateUsers"): device_service.create_users,
    ("tds", "SetUser"): device_service.set_user,
    ("tds", "DeleteUsers"): device_service.delete_users,
    ("trt", "GetProfiles"): media_service.get_profiles,
    ("trt", "GetProfile"): media_service.get_profile,
    ("trt", "GetStreamUri"): media_service.get_stream_uri,
    ("trt", "GetSnapshotUri"): media_service.refuse_snapshot,
    ("trt", "GetVideoSources"): media_service.get_video_sources,
    ("trt", "GetVideoEncoderConfigurations"): media_service.get_encoders,
    ("trt", "GetVideoEncoderConfiguration"): media_service.get_encoder,
    ("trt", "GetVideoEncoderConfigurationOptions"): media_service.get_encoder_options,
    ("trt", "SetVideoEncoderConfiguration"): media_service.set_encoder,
    ("tr2", "GetProfiles"): media_service.get_profiles2,
    ("tr2", "GetStreamUri"): media_service.get_stream_uri2,
    ("tr2", "GetSnapshotUri"): media_service.refuse_snapshot,
    ("tr2", "GetVideoEncoderConfigurations"): media_service.get_encoders2,
    ("tr2", "GetVideoEncoderConfigurationOptions"): media_service.get_encoder_options2,
    ("tr2", "SetVideoEncoderConfiguration"): media_service.set_encoder2,
    ("tptz", "GetNodes"): ptz.get_nodes,
    ("tptz", "GetNode"): ptz.get_node,
    ("tptz", "GetConfigurations"): ptz.get_configurations,
    ("tptz", "GetStatus"): ptz.get_status,
    ("tptz", "AbsoluteMove"): ptz.absolute_move,
    ("tptz", "RelativeMove"): ptz.relative_move,
    ("tptz", "ContinuousMove"): ptz.continuous_move,
    ("tptz", "Stop"): ptz.stop,
    ("tptz", "GetPresets"): ptz.get_presets,
    ("tptz", "SetPreset"): ptz.set_preset,
    ("tptz", "GotoPreset"): ptz.goto_preset,
    ("tptz", "RemovePreset"): ptz.remove_preset,
    ("tptz", "GotoHomePosition"): ptz.goto_home,
    ("tptz", "SetHomePosition"): ptz.set_home,
    ("timg", "GetImagingSettings"): imaging_service.get_imaging_settings,
    ("timg", "SetImagingSettings"): imaging_service.set_imaging_settings,
    ("timg", "GetOptions"): imaging_service.get_imaging_options,
    ("tev", "GetEventProperties"): event_service.get_event_properties,
    ("tev", "CreatePullPointSubscription"): event_service.create_pull_point,
    ("tse", "GetRecordingSummary"): recording.get_recording_summary,
    ("tse", "GetRecordingInformation"): recording.get_recording_information,
    ("tse", "FindRecordings"): recording.find_recordings,
    ("tse", "GetRecordingSearchResults"): recording.get_search_results,
    ("tse", "EndSearch"): recording.end_search,
    ("trc", "GetRecordings"): recording.get_recordings,
    ("trp", "GetReplayUri"): recording.get_replay_uri,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnvifPlan:
    """Where the cameras' ONVIF is served."""

    port: int = 0
    first_address: str | None = None
    """The first camera's own address, the others follow; without it all share the host, each behind its path."""
    discovers: bool = True
    """Answer WS-Discovery too, where cameras have addresses of their own."""


class OnvifServer:
    """All cameras of one process as ONVIF devices."""

    def __init__(self, plan: OnvifPlan, *, host: str) -> None:
        self.plan = plan
        self.port = 0
        self.devices: dict[MountName, Device] = {}
        self._host = host
        self._by_address: dict[str, Device] = {}
        self._doorman = Doorman()
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._discovery: Discovery | None = None

    def addresses(self, count: int) -> list[str]:
        """An address for each of so many cameras. Raises Invalid where there are not so many."""
        if self.plan.first_address is None:
            return [self._host] * count
        try:
            first = ipaddress.IPv4Address(self.plan.first_address)
            last = first + (count - 1)
        except ValueError as error:
            raise Invalid("Give the first camera's IPv4 address, such as 127.60.0.1.", code="virtual.onvif") from error
        if not (first.is_loopback and last.is_loopback) and not first.is_private:
            raise Invalid("Cameras' own addresses lie in 127.0.0.0/8 or are private.", code="virtual.onvif")
        return [str(first + number) for number in range(count)]

    async def start(self, mounts: Sequence[Mount], *, cards: Mapping[MountName, CardStream], rtsp_port: int) -> int:
        """Listen for all; returns the port. Raises Unavailable."""
        addresses = self.addresses(len(mounts))
        self.port = self.plan.port
        for address in dict.fromkeys(addresses):
            server = await self._listen(address)
            self.port = self.port or server.sockets[0].getsockname()[1]
            self._servers.append(server)
        for number, (mount, address) in enumerate(zip(mounts, addresses, strict=True)):
            device = self._device(mount, address=address, card=cards[mount.name], rtsp_port=rtsp_port, number=number)
            self.devices[mount.name] = device
            if self.plan.first_address:
                self._by_address[address] = device
        if self.plan.discovers and self.plan.first_address:
            self._discovery = Discovery(self._by_address)
            await self._discovery.start()
        log.info("virtual.onvif_started", cameras=len(mounts), port=self.port)
        return self.port

    async def close(self) -> None:
        """Stop listening and end what is under way."""
        if self._discovery:
            self._discovery.close()
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, address: str) -> asyncio.Server:
        try:
            return await asyncio.start_server(self._serve, address, self.port)
        except OSError as error:
            raise Unavailable(
                f"The ONVIF port {self.port} of {address} cannot be opened ({error.strerror}); choose another.",
                code="virtual.port",
            ) from error

    def _device(self, mount: Mount, *, address: str, card: CardStream, rtsp_port: int, number: int) -> Device:
        plan = mount.state.plan
        path = "" if self.plan.first_address else f"/{mount.name}"
        serial = f"VC{number + 1:06d}"
        identity = Identity(serial=serial, firmware=plan.firmware) if plan.firmware else Identity(serial=serial)
        return Device(
            mount=mount,
            identity=identity,
            address=f"http://{address}:{self.port}{path}",
            rtsp_base=f"rtsp://{address}:{rtsp_port}/{mount.name}",
            head=turning_head() if plan.turns else None,
            board=EventBoard(),
            card=card,
        )

    # One connection

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if len(self._tasks) <= MAX_CONNECTIONS:
                await self._converse(reader, writer)
        except (TimeoutError, ConnectionError):
            pass  # the client has gone
        finally:
            self._tasks.discard(task)
            writer.transport.abort() if self._is_unplugged(writer) else writer.close()

    def _is_unplugged(self, writer: asyncio.StreamWriter) -> bool:
        device = self._by_address.get(writer.get_extra_info("sockname")[0])
        return device is not None and device.is_unplugged

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = bytearray()
        while True:
            async with asyncio.timeout(IDLE_S):
                request = await _next_request(reader, buffer)
            if request is None:
                return
            if isinstance(request, Malformed):
                writer.write(Reply(status=request.status).encode("HTTP/1.1"))
                return
            device = self._find_device(request, writer.get_extra_info("sockname")[0])
            if device is None:
                reply = Reply(status=404)
            elif device.is_unplugged:
                writer.transport.abort()
                return
            elif device.odd is OddOnvif.MUTE:
                await reader.read()
                return
            else:
                reply = await self._answer(device, request)
            if device is not None and device.odd is OddOnvif.FLOOD:
                await _flood(writer)
                return
            writer.write(reply.encode("HTTP/1.1"))
            await writer.drain()
            if request.headers.get("connection", "").lower() == "close" or request.version == "HTTP/1.0":
                return

    def _find_device(self, request: Request, local: str) -> Device | None:
        path = request.target.partition("?")[0]
        if self.plan.first_address:
            return self._by_address.get(local) if path.startswith("/onvif/") else None
        name, _, rest = path.lstrip("/").partition("/")
        return self.devices.get(MountName(name)) if rest.startswith("onvif/") else None

    async def _answer(self, device: Device, request: Request) -> Reply:
        if request.method != "POST":
            return Reply(status=405, headers=(("Allow", "POST"),))
        relates_to = ""
        try:
            call = read_call(request.body, path=request.target.partition("?")[0])
            relates_to = call.message_id
            self._doorman.admit(device, call, request=request)
            inner = await _perform(device, call)
            action = f"{call.body.namespace}/{call.name}Response"
            return _xml(200, write_envelope(inner, action=action, relates_to=relates_to))
        except NeedsSignIn:
            fault = SoapFault("ter:NotAuthorized", "Sender not authorized.")
            challenges = self._doorman.digest.challenges(device.now_s())
            headers = tuple(("WWW-Authenticate", value) for value in challenges)
            return _xml(401, write_envelope(fault.encode()), headers=headers)
        except SoapFault as fault:
            if device.odd is OddOnvif.FLAT_FAULTS:
                return _xml(500, _flat(fault))
            return _xml(fault.status, write_envelope(fault.encode(), relates_to=relates_to))


async def _perform(device: Device, call: Call) -> str:
    name = call.name
    later: Awaitable[str] | None = None
    if (call.service, name) == ("tev", "PullMessages"):
        later = event_service.pull_messages(device, call)
    elif (call.service, name) == ("wsnt", "Renew"):
        return event_service.renew(device, call)
    elif (call.service, name) == ("wsnt", "Unsubscribe"):
        return event_service.unsubscribe(device, call)
    if later is not None:
        return await later
    handler = HANDLERS.get((call.service, name))
    is_there = call.service in {*device_service.services_of(device), "wsnt"}
    if handler is None or not is_there:
        raise SoapFault("ter:ActionNotSupported", "Optional Action Not Implemented", is_ours=True, status=500)
    return handler(device, call.body)


async def _next_request(reader: asyncio.StreamReader, buffer: bytearray) -> Request | Malformed | None:
    while True:
        taken = take_request(buffer) if buffer else None
        if taken is not None:
            return taken
        data = await reader.read(64 * 1024)
        if not data:
            return None
        buffer += data


async def _flood(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n\r\n<a>")
    with contextlib.suppress(ConnectionError):
        for _ in range(MAX_FLOOD_BYTES // 65_536):
            writer.write(b"<b>x</b>" * 8192)
            await writer.drain()


def _flat(fault: SoapFault) -> bytes:
    """A SOAP 1.1 fault, as older devices send it."""
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
        f"<faultcode>{fault.subcode}</faultcode><faultstring>{fault.reason}</faultstring>"
        "</s:Fault></s:Body></s:Envelope>"
    ).encode()


def _xml(status: int, body: bytes, *, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    kind = ("Content-Type", "application/soap+xml; charset=utf-8")
    return Reply(status=status, headers=(kind, *headers), body=body)
