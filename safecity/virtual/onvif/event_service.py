"""Events by pull points (ONVIF Core 9.1; WS-BaseNotification): subscribe, pull, renew, end."""

from typing import Final

from safecity.platform.xml_tree import Element
from safecity.virtual.faults import OddOnvif
from safecity.virtual.onvif.device import Device
from safecity.virtual.onvif.device_service import address_of
from safecity.virtual.onvif.events import TOPICS, EventKind, Notice, PullPoint
from safecity.virtual.onvif.ptz_service import read_duration_s
from safecity.virtual.onvif.soap import Call, SoapFault, flag, instant

DEFAULT_LIFE_S: Final = 60.0
MAX_PULL_S: Final = 60.0
MAX_PULLED: Final = 100
_DIALECT = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"


def get_event_properties(device: Device, body: Element) -> str:
    """Which topics there are."""
    del device, body
    return (
        "<tev:GetEventPropertiesResponse><tev:TopicNamespaceLocation>http://www.onvif.org/onvif/ver10/topics/topicns.xml"
        "</tev:TopicNamespaceLocation><wsnt:FixedTopicSet>true</wsnt:FixedTopicSet><wstop:TopicSet>"
        '<tns1:VideoSource><MotionAlarm wstop:topic="true"/><GlobalSceneChange><ImagingService wstop:topic="true"/>'
        '</GlobalSceneChange></tns1:VideoSource><tns1:Device><Trigger><DigitalInput wstop:topic="true"/></Trigger>'
        f"</tns1:Device></wstop:TopicSet><wsnt:TopicExpressionDialect>{_DIALECT}</wsnt:TopicExpressionDialect>"
        "<tev:MessageContentFilterDialect>http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter"
        "</tev:MessageContentFilterDialect><tev:MessageContentSchemaLocation>"
        "http://www.onvif.org/onvif/ver10/schema/onvif.xsd</tev:MessageContentSchemaLocation>"
        "</tev:GetEventPropertiesResponse>"
    )


def create_pull_point(device: Device, body: Element) -> str:
    """A subscription with an address of its own; the odd way `references` tells it by a reference parameter."""
    now = device.camera_now()
    point = device.board.subscribe(now_s=device.now_s(), at=now, life_s=_life_s(body.text_at("InitialTerminationTime")))
    place = f"<wsa:Address>{address_of(device, 'tev')}/{point.id}</wsa:Address>"
    if device.odd is OddOnvif.REFERENCES:
        place = (
            f"<wsa:Address>{address_of(device, 'tev')}/all</wsa:Address><wsa:ReferenceParameters>"
            f'<vc:SubscriptionId xmlns:vc="urn:virtual-camera">{point.id}</vc:SubscriptionId></wsa:ReferenceParameters>'
        )
    return (
        f"<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>{place}"
        f"</tev:SubscriptionReference>{_times(device, point, prefix='wsnt')}</tev:CreatePullPointSubscriptionResponse>"
    )


async def pull_messages(device: Device, call: Call) -> str:
    """What happened since the last pull; waits for the first where nothing did."""
    point = _point(device, call)
    limit = call.body.text_at("MessageLimit")
    within_s = min(read_duration_s(call.body.text_at("Timeout") or "PT1S"), MAX_PULL_S)
    most = min(int(limit) if limit.isdecimal() and len(limit) < 6 else MAX_PULLED, MAX_PULLED)
    notices = await device.board.pull(point, within_s=within_s, limit=max(1, most))
    told = "".join(map(_message, notices))
    return f"<tev:PullMessagesResponse>{_times(device, point, prefix='tev')}{told}</tev:PullMessagesResponse>"


def renew(device: Device, call: Call) -> str:
    """Let a subscription live on."""
    point = _point(device, call)
    device.board.renew(point, now_s=device.now_s(), life_s=_life_s(call.body.text_at("TerminationTime")))
    ends = device.board.ends_at(point, now=device.camera_now(), now_s=device.now_s())
    return (
        f"<wsnt:RenewResponse><wsnt:TerminationTime>{instant(ends)}</wsnt:TerminationTime>"
        f"<wsnt:CurrentTime>{instant(device.camera_now())}</wsnt:CurrentTime></wsnt:RenewResponse>"
    )


def unsubscribe(device: Device, call: Call) -> str:
    """End a subscription."""
    device.board.unsubscribe(_point(device, call))
    return "<wsnt:UnsubscribeResponse/>"


def _point(device: Device, call: Call) -> PullPoint:
    return device.board.find(call.reference, now_s=device.now_s())


def _life_s(told: str) -> float:
    if not told:
        return DEFAULT_LIFE_S
    if not told.startswith("P"):
        raise SoapFault("wsnt:UnacceptableTerminationTimeFault", "Give a duration.")
    return read_duration_s(told)


def _times(device: Device, point: PullPoint, *, prefix: str) -> str:
    now = device.camera_now()
    ends = device.board.ends_at(point, now=now, now_s=device.now_s())
    return (
        f"<{prefix}:CurrentTime>{instant(now)}</{prefix}:CurrentTime>"
        f"<{prefix}:TerminationTime>{instant(ends)}</{prefix}:TerminationTime>"
    )


def _message(notice: Notice) -> str:
    topic = TOPICS[EventKind(notice.kind)]
    return (
        f'<wsnt:NotificationMessage><wsnt:Topic Dialect="{_DIALECT}">{topic.path}</wsnt:Topic><wsnt:Message>'
        f'<tt:Message UtcTime="{instant(notice.at)}" PropertyOperation="{notice.operation}"><tt:Source>'
        f'<tt:SimpleItem Name="{topic.source}" Value="{topic.subject}"/></tt:Source><tt:Data>'
        f'<tt:SimpleItem Name="{topic.item}" Value="{flag(notice.is_active)}"/></tt:Data></tt:Message>'
        "</wsnt:Message></wsnt:NotificationMessage>"
    )
