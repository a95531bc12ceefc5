"""Events by pull points: a loop that subscribes, pulls, renews and begins anew, and what the messages mean."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from safecity.platform.errors import Denied, NotFound, Problem, Unavailable
from safecity.platform.xml_tree import Element
from safecity.video.onvif import names
from safecity.video.onvif.camera import OnvifCamera
from safecity.video.onvif.envelopes import SignIn, clean, text, write_element

PULL_S: Final = 20.0
LIFE_S: Final = 120.0
RENEW_BEFORE_S: Final = 45.0
MAX_PULLED: Final = 50
BACK_OFF_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0)


class DeviceEventKind(StrEnum):
    """What of a camera's events is of use to us."""

    MOTION = "motion"
    TAMPER = "tamper"
    INPUT = "input"


_TOPICS: Final = {
    "VideoSource/MotionAlarm": DeviceEventKind.MOTION,
    "RuleEngine/CellMotionDetector/Motion": DeviceEventKind.MOTION,
    "VideoAnalytics/Motion": DeviceEventKind.MOTION,
    "VideoSource/GlobalSceneChange": DeviceEventKind.TAMPER,
    "RuleEngine/TamperDetector": DeviceEventKind.TAMPER,
    "VideoSource/ImageTooBlurry": DeviceEventKind.TAMPER,
    "VideoSource/ImageTooDark": DeviceEventKind.TAMPER,
    "VideoSource/ImageTooBright": DeviceEventKind.TAMPER,
    "VideoSource/SignalLoss": DeviceEventKind.TAMPER,
    "Device/Trigger/DigitalInput": DeviceEventKind.INPUT,
}
"""By the beginning of the topic; vendors put their own levels behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvent:
    """A camera says that something begins or is over."""

    kind: DeviceEventKind
    is_active: bool
    is_first: bool
    """The state at the beginning of a subscription, no change."""
    at: datetime
    """On our clock: the camera's time less its offset."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPoint:
    """A subscription: where it is and what must stand in the header of each call to it."""

    address: str
    header: str


async def watch_events(address: str, sign_in: SignIn | None) -> AsyncIterator[DeviceEvent]:
    """A camera's events for ever: it is dialled again after faults, ever more slowly. Raises Denied only."""
    failures = 0
    while True:
        try:
            async with OnvifCamera(address, sign_in) as camera:
                async for event in pull_events(camera):
                    failures = 0
                    yield event
        except Denied:
            raise
        except Problem:
            failures += 1
        await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])


async def pull_events(camera: OnvifCamera, *, pull_s: float = PULL_S) -> AsyncIterator[DeviceEvent]:
    """The events of one subscription, renewed in time; it ends with a Problem, or is ended when nobody listens."""
    point = await subscribe(camera)
    try:
        renew_at_s = camera.clock.monotonic_s() + LIFE_S - RENEW_BEFORE_S
        while True:
            for event in await pull(camera, point, within_s=pull_s):
                yield event
            if camera.clock.monotonic_s() >= renew_at_s:
                await renew(camera, point)
                renew_at_s = camera.clock.monotonic_s() + LIFE_S - RENEW_BEFORE_S
    finally:
        await _end(camera, point)


async def subscribe(camera: OnvifCamera) -> PullPoint:
    """Make a pull point. Raises NotFound for a camera without events."""
    inner = f"<q:InitialTerminationTime>PT{LIFE_S:.0f}S</q:InitialTerminationTime>"
    answer = await camera.ask(names.EVENTS, "CreatePullPointSubscription", inner=inner)
    reference = answer.find("SubscriptionReference")
    address = reference.text_at("Address") if reference is not None else ""
    if not address or reference is None:
        raise Unavailable("the camera makes a pull point and does not say where", code="onvif.unreadable")
    told = [*reference.each("ReferenceParameters"), *reference.each("ReferenceProperties")]
    return PullPoint(address=address, header="".join(write_element(one) for box in told for one in box.children))


async def pull(camera: OnvifCamera, point: PullPoint, *, within_s: float) -> list[DeviceEvent]:
    """What happened; waits up to `within_s` for the first."""
    inner = f"<q:Timeout>PT{within_s:.0f}S</q:Timeout><q:MessageLimit>{MAX_PULLED}</q:MessageLimit>"
    answer = await _call(camera, point, names.EVENTS, name="PullMessages", inner=inner, within_s=within_s + 8)
    found = [read_event(one, offset=camera.door.offset) for one in list(answer.each("NotificationMessage"))[:500]]
    return [one for one in found if one is not None]


async def renew(camera: OnvifCamera, point: PullPoint) -> None:
    """Let it live on; cameras that know no Renew prolong it with each pull."""
    inner = f"<q:TerminationTime>PT{LIFE_S:.0f}S</q:TerminationTime>"
    try:
        await _call(camera, point, names.NOTIFICATION, name="Renew", inner=inner)
    except NotFound:
        return


async def _end(camera: OnvifCamera, point: PullPoint) -> None:
    try:
        await _call(camera, point, names.NOTIFICATION, name="Unsubscribe", inner="")
    except Problem:
        return  # it runs out by itself


async def _call(
    camera: OnvifCamera, point: PullPoint, namespace: str, *, name: str, inner: str, within_s: float = 6.0
) -> Element:
    port_type = {"PullMessages": "PullPointSubscription"}.get(name, "SubscriptionManager")
    base = "http://www.onvif.org/ver10/events/wsdl" if name == "PullMessages" else "http://docs.oasis-open.org/wsn/bw-2"
    action = f"{base}/{port_type}/{name}Request"
    header = (
        f'<a:Action xmlns:a="{names.ADDRESSING}">{action}</a:Action>'
        f'<a:To xmlns:a="{names.ADDRESSING}">{text(point.address)}</a:To>{point.header}'
    )
    call = f'<q:{name} xmlns:q="{namespace}">{inner}</q:{name}>'
    return await camera.door.call(call, to=point.address, action=action, header=header, within_s=within_s)


def read_event(message: Element, *, offset: timedelta) -> DeviceEvent | None:
    """A notification that is of use; None for all else: other topics, metadata, deletions."""
    topic = "/".join(part.rpartition(":")[2] for part in message.text_at("Topic").strip().split("/"))
    kind = next((known for start, known in _TOPICS.items() if topic.startswith(start)), None)
    inside = next(message.anywhere("Data"), None)
    if kind is None or inside is None:
        return None
    body = next((one for one in message.anywhere("Message") if "UtcTime" in one.attributes), None)
    values = [one.attributes.get("Value", "").lower() for one in inside.anywhere("SimpleItem")]
    state = next((one in ("true", "1") for one in values if one in ("true", "false", "0", "1")), None)
    operation = body.attributes.get("PropertyOperation", "Changed") if body is not None else "Changed"
    if state is None or operation == "Deleted":
        return None
    sources = [
        item.attributes.get("Value", "") for box in message.anywhere("Source") for item in box.each("SimpleItem")
    ]
    told = _instant(body.attributes.get("UtcTime", "")) if body is not None else None
    return DeviceEvent(
        kind=kind,
        is_active=state,
        is_first=operation == "Initialized",
        at=(told or datetime.now(UTC) + offset) - offset,
        source=clean(sources[0], 64) if sources else "",
    )


def _instant(told: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
