"""SOAP 1.2 as an ONVIF device speaks it: a call taken out of its envelope, an answer or a fault put into one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from safecity.platform.errors import Invalid
from safecity.platform.xml_tree import Element, parse_xml

NAMESPACES: Final = {
    "env": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wstop": "http://docs.oasis-open.org/wsn/t-1",
    "tns1": "http://www.onvif.org/ver10/topics",
    "ter": "http://www.onvif.org/ver10/error",
    "xs": "http://www.w3.org/2001/XMLSchema",
    "tt": "http://www.onvif.org/ver10/schema",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "timg": "http://www.onvif.org/ver20/imaging/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tse": "http://www.onvif.org/ver10/search/wsdl",
    "trc": "http://www.onvif.org/ver10/recording/wsdl",
    "trp": "http://www.onvif.org/ver10/replay/wsdl",
}
PREFIXES: Final = {uri: prefix for prefix, uri in NAMESPACES.items()}
_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation that a client asks for."""

    service: str
    """Prefix of the service's namespace in `NAMESPACES`."""
    name: str
    body: Element
    security: Element | None
    message_id: str
    reference: str
    """Which pull point is meant: by a `SubscriptionId` header (reference parameter) or by the end of the address."""


class SoapFault(Exception):
    """What a device answers instead of a result (SOAP 1.2 part 1, section 5.4; ONVIF Core 5.11)."""

    def __init__(
        self, subcode: str, reason: str, *, detail: str = "", is_ours: bool = False, status: int = 400
    ) -> None:
        super().__init__(reason)
        self.subcode = subcode
        self.reason = reason
        self.detail = detail
        """A second subcode, below the first."""
        self.is_ours = is_ours
        self.status = status

    def encode(self) -> str:
        """The Fault element."""
        inner = f"<env:Subcode><env:Value>{self.detail}</env:Value></env:Subcode>" if self.detail else ""
        code = "Receiver" if self.is_ours else "Sender"
        return (
            f"<env:Fault><env:Code><env:Value>env:{code}</env:Value><env:Subcode><env:Value>{self.subcode}</env:Value>"
            f'{inner}</env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">{text(self.reason)}</env:Text>'
            "</env:Reason></env:Fault>"
        )


def read_call(data: bytes, *, path: str) -> Call:
    """The call in an envelope that was sent to a path. Raises SoapFault (`ter:WellFormed`) for what is none."""
    try:
        root = parse_xml(data)
    except Invalid as error:
        raise SoapFault("ter:WellFormed", "The message is not well-formed.") from error
    body = root.find("Body")
    if root.name != "Envelope" or body is None or not body.children:
        raise SoapFault("ter:WellFormed", "The message is no SOAP envelope with a body.")
    head = root.find("Header")
    act = body.children[0]
    return Call(
        service=PREFIXES.get(act.namespace, ""),
        name=act.name,
        body=act,
        security=head.find("Security") if head else None,
        message_id=head.text_at("MessageID") if head else "",
        reference=(head.text_at("SubscriptionId") if head else "") or path.rpartition("/")[2],
    )


def write_envelope(inner: str, *, action: str = "", relates_to: str = "") -> bytes:
    """An answer in its envelope, with the addressing headers where the client used them."""
    head = ""
    if relates_to:
        head = f"<wsa:RelatesTo>{text(relates_to[:256])}</wsa:RelatesTo>"
        head += f"<wsa:Action>{text(action)}</wsa:Action>" if action else ""
        head = f"<env:Header>{head}</env:Header>"
    whole = f"<env:Envelope {_DECLARED}>{head}<env:Body>{inner}</env:Body></env:Envelope>"
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + whole.encode()


def text(value: object) -> str:
    """Any value as the text of an element."""
    return escape(str(value))


def attribute(value: object) -> str:
    """Any value as an attribute, quotes included."""
    return quoteattr(str(value))


def flag(value: bool) -> str:
    """xs:boolean."""
    return "true" if value else "false"


def instant(value: datetime) -> str:
    """xs:dateTime in UTC with milliseconds."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
