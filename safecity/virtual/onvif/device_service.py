"""The device service (ONVIF Core, ver10/device): time, identity, services, users, network."""

import ipaddress
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from safecity.platform.xml_tree import Element
from safecity.virtual.faults import OddOnvif
from safecity.virtual.onvif.device import MAX_USERS, Device, Level
from safecity.virtual.onvif.soap import NAMESPACES, SoapFault, text
from safecity.virtual.rtsp.digest import Credentials

PATHS: Final = {
    "tds": "device_service",
    "trt": "media",
    "tr2": "media2",
    "tptz": "ptz",
    "timg": "imaging",
    "tev": "events",
    "tse": "search",
    "trc": "recording",
    "trp": "replay",
}
_VERSIONS: Final = {"tds": (21, 12), "tr2": (21, 6), "tptz": (20, 12)}
FOREIGN_HOST: Final = "192.0.2.7"
"""TEST-NET-1: nobody answers there."""


def address_of(device: Device, service: str) -> str:
    """Where a service is, or is said to be."""
    base = device.address
    if device.odd is OddOnvif.FOREIGN_ADDRESS:
        parts = urlsplit(base)
        base = f"{parts.scheme}://{FOREIGN_HOST}:{parts.port}{parts.path}"
    return f"{base}/onvif/{PATHS[service]}"


def services_of(device: Device) -> list[str]:
    """Prefixes of the services it has now."""
    gone = {OddOnvif.MEDIA1: {"tr2"}, OddOnvif.MEDIA2: {"trt"}}.get(device.odd or OddOnvif.MUTE, set[str]())
    if device.head is None:
        gone = gone | {"tptz"}
    return [service for service in PATHS if service not in gone]


def get_services(device: Device, body: Element) -> str:
    """Every service with its address and version."""
    del body
    if device.odd is OddOnvif.NO_SERVICES:
        raise SoapFault("ter:ActionNotSupported", "Optional Action Not Implemented", is_ours=True, status=500)
    told: list[str] = []
    for service in services_of(device):
        major, minor = _VERSIONS.get(service, (2, 60))
        told.append(
            f"<tds:Service><tds:Namespace>{NAMESPACES[service]}</tds:Namespace>"
            f"<tds:XAddr>{text(address_of(device, service))}</tds:XAddr><tds:Version><tt:Major>{major}</tt:Major>"
            f"<tt:Minor>{minor}</tt:Minor></tds:Version></tds:Service>"
        )
    return f"<tds:GetServicesResponse>{''.join(told)}</tds:GetServicesResponse>"


def get_capabilities(device: Device, body: Element) -> str:
    """The older way to tell services."""
    del body

    def place(service: str) -> str:
        return f"<tt:XAddr>{text(address_of(device, service))}</tt:XAddr>"

    has = services_of(device)
    parts = [f"<tt:Device>{place('tds')}</tt:Device>"]
    parts.append(
        f"<tt:Events>{place('tev')}<tt:WSSubscriptionPolicySupport>false</tt:WSSubscriptionPolicySupport>"
        "<tt:WSPullPointSupport>true</tt:WSPullPointSupport>"
        "<tt:WSPausableSubscriptionManagerInterfaceSupport>false</tt:WSPausableSubscriptionManagerInterfaceSupport>"
        "</tt:Events>"
    )
    parts.append(f"<tt:Imaging>{place('timg')}</tt:Imaging>")
    if "trt" in has:
        parts.append(
            f"<tt:Media>{place('trt')}<tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast>"
            "<tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>"
        )
    if "tptz" in has:
        parts.append(f"<tt:PTZ>{place('tptz')}</tt:PTZ>")
    parts.append(
        f"<tt:Extension><tt:Recording>{place('trc')}<tt:ReceiverSource>false</tt:ReceiverSource>"
        "<tt:MediaProfileSource>true</tt:MediaProfileSource><tt:DynamicRecordings>false</tt:DynamicRecordings>"
        "<tt:DynamicTracks>false</tt:DynamicTracks><tt:MaxStringLength>256</tt:MaxStringLength></tt:Recording>"
        f"<tt:Search>{place('tse')}<tt:MetadataSearch>false</tt:MetadataSearch></tt:Search>"
        f"<tt:Replay>{place('trp')}</tt:Replay></tt:Extension>"
    )
    told = f"<tds:Capabilities>{''.join(parts)}</tds:Capabilities>"
    return f"<tds:GetCapabilitiesResponse>{told}</tds:GetCapabilitiesResponse>"


def get_system_date_and_time(device: Device, body: Element) -> str:
    """The camera's clock; anyone may ask, so that signed messages can be made to fit it."""
    del body
    now = device.camera_now().astimezone(UTC)
    told = (
        f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second>"
        f"</tt:Time><tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
        "</tt:Date>"
    )
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
        f"<tt:DateTimeType>{'NTP' if device.is_ntp else 'Manual'}</tt:DateTimeType>"
        "<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone>"
        f"<tt:UTCDateTime>{told}</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


def set_system_date_and_time(device: Device, body: Element) -> str:
    """Set the clock, or leave it to NTP."""
    device.is_ntp = body.text_at("DateTimeType") == "NTP"
    told = body.find("UTCDateTime")
    if device.is_ntp or told is None:
        return "<tds:SetSystemDateAndTimeResponse/>"
    try:
        date = (int(told.text_at(f"Date/{part}")) for part in ("Year", "Month", "Day"))
        time = (int(told.text_at(f"Time/{part}")) for part in ("Hour", "Minute", "Second"))
        wanted = datetime(*date, *time, tzinfo=UTC)
    except ValueError as error:
        raise SoapFault("ter:InvalidArgVal", "This is no time.", detail="ter:InvalidDateTime") from error
    state = device.mount.state
    state.camera_clock.set_wall(wanted, now=state.clock.now(), now_s=state.clock.monotonic_s())
    for stream in device.mount.streams.values():
        stream.report_soon()
    return "<tds:SetSystemDateAndTimeResponse/>"


def get_device_information(device: Device, body: Element) -> str:
    """Who it is."""
    del body
    told, model = device.identity, text(device.identity.model)
    if device.odd is OddOnvif.MISFORMED:
        model = "Dome & Bullet"
    return (
        f"<tds:GetDeviceInformationResponse><tds:Manufacturer>{text(told.manufacturer)}</tds:Manufacturer>"
        f"<tds:Model>{model}</tds:Model><tds:FirmwareVersion>{text(told.firmware)}</tds:FirmwareVersion>"
        f"<tds:SerialNumber>{text(told.serial)}</tds:SerialNumber><tds:HardwareId>{text(told.hardware)}</tds:HardwareId>"
        "</tds:GetDeviceInformationResponse>"
    )


def scopes_of(device: Device) -> list[str]:
    """What discovery and GetScopes tell."""
    scopes = ["type/video_encoder", "Profile/Streaming", "Profile/T", "Profile/G", f"name/{device.name}"]
    scopes.append(f"hardware/{device.identity.model.replace(' ', '_')}")
    return [f"onvif://www.onvif.org/{scope}" for scope in [*scopes, *(["type/ptz"] if device.head else [])]]


def get_scopes(device: Device, body: Element) -> str:
    """The scopes, all fixed."""
    del body
    told = "".join(
        f"<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>{text(scope)}</tt:ScopeItem></tds:Scopes>"
        for scope in scopes_of(device)
    )
    return f"<tds:GetScopesResponse>{told}</tds:GetScopesResponse>"


def get_network_interfaces(device: Device, body: Element) -> str:
    """One interface with the address under which it was reached."""
    del body
    host = urlsplit(device.address).hostname or "127.0.0.1"
    mac = ":".join(["02", *(f"{part:02x}" for part in ipaddress.ip_address(host).packed[-4:]), "01"])
    return (
        '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info>'
        f"<tt:Name>eth0</tt:Name><tt:HwAddress>{mac}</tt:HwAddress></tt:Info><tt:IPv4><tt:Enabled>true</tt:Enabled>"
        f"<tt:Config><tt:Manual><tt:Address>{host}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual>"
        "<tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>"
    )


def get_hostname(device: Device, body: Element) -> str:
    """Its name."""
    del body
    return (
        "<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP>"
        f"<tt:Name>{text(device.name)}</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>"
    )


def get_users(device: Device, body: Element) -> str:
    """Users and levels, never passwords."""
    del body
    told = "".join(
        f"<tds:User><tt:Username>{text(name)}</tt:Username>"
        f"<tt:UserLevel>{device.levels.get(name, Level.ADMINISTRATOR)}</tt:UserLevel></tds:User>"
        for name in device.mount.state.users
    )
    return f"<tds:GetUsersResponse>{told}</tds:GetUsersResponse>"


def create_users(device: Device, body: Element) -> str:
    """Add users. Raises SoapFault for a name that is taken or one too many."""
    users = device.mount.state.users
    wanted = [_read_user(user) for user in body.each("User")]
    if len(users) + len(wanted) > MAX_USERS:
        raise SoapFault("ter:OperationProhibited", "There are too many users.", detail="ter:TooManyUsers")
    if any(credentials.user in users for credentials, _ in wanted):
        raise SoapFault("ter:OperationProhibited", "This user exists.", detail="ter:UsernameClash")
    for credentials, level in wanted:
        users[credentials.user], device.levels[credentials.user] = credentials, level
    return "<tds:CreateUsersResponse/>"


def set_user(device: Device, body: Element) -> str:
    """Change passwords and levels."""
    users = device.mount.state.users
    wanted = [_read_user(user) for user in body.each("User")]
    if any(credentials.user not in users for credentials, _ in wanted):
        raise SoapFault("ter:InvalidArgVal", "There is no such user.", detail="ter:UsernameMissing")
    for credentials, level in wanted:
        users[credentials.user], device.levels[credentials.user] = credentials, level
    return "<tds:SetUserResponse/>"


def delete_users(device: Device, body: Element) -> str:
    """Remove users; the last administrator stays."""
    users = device.mount.state.users
    names = [name.text for name in body.each("Username")]
    if any(name not in users for name in names):
        raise SoapFault("ter:InvalidArgVal", "There is no such user.", detail="ter:UsernameMissing")
    left = [name for name in users if name not in names]
    if not any(device.levels.get(name, Level.ADMINISTRATOR) is Level.ADMINISTRATOR for name in left):
        raise SoapFault("ter:InvalidArgVal", "The last administrator stays.", detail="ter:FixedUser")
    for name in names:
        del users[name]
        device.levels.pop(name, None)
    return "<tds:DeleteUsersResponse/>"


def get_service_capabilities(device: Device, body: Element) -> str:
    """Of the device service."""
    del device, body
    return (
        "<tds:GetServiceCapabilitiesResponse><tds:Capabilities><tds:Network/>"
        f'<tds:Security UsernameToken="true" HttpDigest="true" MaxUsers="{MAX_USERS}"/>'
        '<tds:System DiscoveryResolve="false"/></tds:Capabilities></tds:GetServiceCapabilitiesResponse>'
    )


def _read_user(user: Element) -> tuple[Credentials, Level]:
    name, password = user.text_at("Username"), user.text_at("Password")
    if not 1 <= len(name) <= 64:
        raise SoapFault("ter:InvalidArgVal", "A user needs a name.", detail="ter:UsernameTooShort")
    if len(password) < 8:
        raise SoapFault("ter:OperationProhibited", "The password is too weak.", detail="ter:PasswordTooWeak")
    try:
        level = Level(user.text_at("UserLevel"))
    except ValueError as error:
        raise SoapFault("ter:InvalidArgVal", "There is no such level.") from error
    return Credentials(user=name, password=password), level
