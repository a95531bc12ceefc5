"""A camera asked by ONVIF: its time, services, identity, network and users."""

import re
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from safecity.platform.clock import Clock, SystemClock
from safecity.platform.errors import Denied, Invalid, NotFound, Problem
from safecity.platform.xml_tree import Element
from safecity.video.onvif import names
from safecity.video.onvif.door import CALL_S, Door
from safecity.video.onvif.envelopes import REFUSED, UNSUPPORTED, SignIn, clean, text
from safecity.video.onvif.model import Identity

MAX_SERVICES: Final = 64
LONGEST_WAY: Final = timedelta(seconds=2)
_NUMBER = re.compile(r"\d{1,4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraUser:
    """A user that a camera knows."""

    name: str
    level: str


class OnvifCamera:
    """One camera. Use `async with`; `connect` happens at entry and needs no sign-in."""

    def __init__(self, address: str, sign_in: SignIn | None, *, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.door = Door(address, sign_in, clock=self.clock)
        self.services: dict[str, str] = {}
        self.is_ntp = False
        self.clock_offset_s: float | None = None
        """The camera's clock less ours; None where it tells no time."""

    async def __aenter__(self) -> "OnvifCamera":
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.door.close)
            await self._connect()
            stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.door.close()

    async def ask(self, namespace: str, name: str, *, inner: str = "", within_s: float = CALL_S) -> Element:
        """Call an operation of a service. Raises NotFound where the camera does not have the service."""
        to = self.services.get(namespace)
        if to is None:
            raise NotFound("the camera does not offer this service", code=UNSUPPORTED, service=namespace)
        call = f'<q:{name} xmlns:q="{namespace}" xmlns:tt="{names.SCHEMA}">{inner}</q:{name}>'
        return await self.door.call(call, to=to, action=f"{namespace}/{name}", within_s=within_s)

    def offers(self, namespace: str) -> bool:
        """Whether it says it has a service."""
        return namespace in self.services

    # Before anyone signs in

    async def _connect(self) -> None:
        self.services = {names.DEVICE: self.door.address}
        await self._read_time()
        self.services |= await self._read_services()
        self.services[names.DEVICE] = self.door.address

    async def _read_time(self) -> None:
        """The camera's time, asked for without a sign-in; all that is signed later is dated by it."""
        call = f'<q:GetSystemDateAndTime xmlns:q="{names.DEVICE}"/>'
        action = f"{names.DEVICE}/GetSystemDateAndTime"
        asked_at = self.clock.now()
        try:
            answer = await self.door.call(call, action=action, signed=False)
        except Denied:
            answer = await self.door.call(call, action=action)  # some tell it to users only; dated by HTTP's Date
        except NotFound:
            return
        told = answer.find("SystemDateAndTime")
        if told is None:
            raise Invalid("what answers there is no ONVIF camera", code="onvif.unreadable")
        self.is_ntp = told.text_at("DateTimeType").upper() == "NTP"
        now = read_utc(told)
        if now is not None:
            # It is told in whole seconds, and it was so half-way of the question.
            way = (self.clock.now() - asked_at) / 2
            self.door.note_time(now + min(way, LONGEST_WAY) + timedelta(seconds=0.5))
            self.clock_offset_s = self.door.offset.total_seconds()

    async def _read_services(self) -> dict[str, str]:
        try:
            answer = await self._ask_early("GetServices", "<q:IncludeCapability>false</q:IncludeCapability>")
            found = {
                one.text_at("Namespace").rstrip("/"): one.text_at("XAddr")
                for one in list(answer.each("Service"))[:MAX_SERVICES]
            }
            if len(found) > 1 or names.MEDIA in found:
                return found
        except Denied:
            raise
        except Problem as problem:
            if problem.code not in (UNSUPPORTED, REFUSED, "onvif.failed", "onvif.unreadable"):
                raise
        answer = await self._ask_early("GetCapabilities", "<q:Category>All</q:Category>")
        told = {space: answer.text_at(f"Capabilities/{path}/XAddr") for path, space in names.CAPABILITIES.items()}
        return {space: address for space, address in told.items() if address}

    async def _ask_early(self, name: str, inner: str) -> Element:
        """Of access class PRE_AUTH, but some cameras want a sign-in all the same."""
        call = f'<q:{name} xmlns:q="{names.DEVICE}">{inner}</q:{name}>'
        try:
            return await self.door.call(call, action=f"{names.DEVICE}/{name}", signed=False)
        except Denied:
            return await self.door.call(call, action=f"{names.DEVICE}/{name}")

    # Signed in

    async def identity(self) -> Identity:
        """Who it is; needs a sign-in with nearly all cameras, so it proves one."""
        told = await self.ask(names.DEVICE, "GetDeviceInformation")
        return Identity(
            manufacturer=clean(told.text_at("Manufacturer"), 80),
            model=clean(told.text_at("Model"), 80),
            firmware=clean(told.text_at("FirmwareVersion"), 80),
            serial=clean(told.text_at("SerialNumber"), 80),
            hardware=clean(told.text_at("HardwareId"), 80),
            mac=await self._mac(),
        )

    async def _mac(self) -> str:
        try:
            told = await self.ask(names.DEVICE, "GetNetworkInterfaces")
        except (NotFound, Invalid):
            return ""
        except Denied:
            return ""  # an operator may not see it; the sign-in itself was accepted just before
        return next((clean(one.text, 20).lower() for one in told.anywhere("HwAddress")), "")

    async def set_time(self, now: datetime) -> None:
        """Set the clock by hand, in UTC; the camera's own time zone is left alone."""
        now = now.astimezone(UTC)
        inner = (
            "<q:DateTimeType>Manual</q:DateTimeType><q:DaylightSavings>false</q:DaylightSavings>"
            f"<q:UTCDateTime><tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year>"
            f"<tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date></q:UTCDateTime>"
        )
        await self.ask(names.DEVICE, "SetSystemDateAndTime", inner=inner)
        await self._read_time()

    async def set_ntp(self, server: str) -> None:
        """Have the camera take its time from a server (IPv4 or a name), not from DHCP's."""
        is_ip = re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", server) is not None
        kind, tag = ("IPv4", "IPv4Address") if is_ip else ("DNS", "DNSname")
        inner = (
            f"<q:FromDHCP>false</q:FromDHCP><q:NTPManual><tt:Type>{kind}</tt:Type><tt:{tag}>{text(server)}</tt:{tag}>"
            "</q:NTPManual>"
        )
        await self.ask(names.DEVICE, "SetNTP", inner=inner)
        by_ntp = "<q:DateTimeType>NTP</q:DateTimeType><q:DaylightSavings>false</q:DaylightSavings>"
        await self.ask(names.DEVICE, "SetSystemDateAndTime", inner=by_ntp)

    async def users(self) -> tuple[CameraUser, ...]:
        """Who may sign in; administrators only may ask."""
        told = await self.ask(names.DEVICE, "GetUsers")
        return tuple(
            CameraUser(name=clean(one.text_at("Username"), 64), level=clean(one.text_at("UserLevel"), 20))
            for one in list(told.each("User"))[:64]
        )

    async def put_user(self, sign_in: SignIn, *, level: str = "Administrator", is_new: bool = False) -> None:
        """Create a user, or set the password and level of one that is there."""
        inner = (
            f"<q:User><tt:Username>{text(sign_in.user)}</tt:Username><tt:Password>{text(sign_in.password)}</tt:Password>"
            f"<tt:UserLevel>{level}</tt:UserLevel></q:User>"
        )
        await self.ask(names.DEVICE, "CreateUsers" if is_new else "SetUser", inner=inner)

    async def delete_user(self, name: str) -> None:
        """Remove a user."""
        await self.ask(names.DEVICE, "DeleteUsers", inner=f"<q:Username>{text(name)}</q:Username>")


def read_utc(told: Element) -> datetime | None:
    """The UTCDateTime of a SystemDateAndTime; None where it is absent or no time (month 0, an empty field)."""
    utc = told.find("UTCDateTime")
    if utc is None:
        return None
    texts = [utc.text_at(f"Date/{part}") for part in ("Year", "Month", "Day")]
    texts += [utc.text_at(f"Time/{part}") for part in ("Hour", "Minute", "Second")]
    if not all(_NUMBER.fullmatch(one) for one in texts):
        return None
    year, month, day, hour, minute, second = map(int, texts)
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)  # 60 is a leap second
    except ValueError:
        return None
