"""H.265 out of RTP payloads (RFC 7798): single NAL units, aggregation packets and fragmentation units, without DON."""

from safecity.platform.errors import Invalid
from safecity.video import h264
from safecity.video.rtsp.open_picture import DELIMITER, FLAGS, HEADED, START_CODES, OpenPicture

_AP, _FU, _PACI = 48, 49, 50
_START, _END = 0x80, 0x40
_FLAGS = FLAGS["hevc"]


def take_payload(payload: memoryview, picture: OpenPicture) -> bytes:
    """Take one payload; returns the three bytes with which the next piece of a fragmented unit begins, else nothing.

    Decoding order numbers (sprop-max-don-diff > 0) cannot be seen in a payload: the description's reader refuses them.
    Raises Invalid for PACI packets (RFC 7798 section 4.4.4).
    """
    if len(payload) < 3:
        if len(payload):
            picture.add(payload)
        return b""
    kind = payload[0] >> 1 & 0x3F
    if kind == _FU:
        return _take_fragment(payload, picture)
    if kind == _AP:
        picture.add_aggregate(payload[2:])
    elif kind == _PACI:
        raise Invalid(
            "the camera sends H.265 in PACI packets, which are not read; turn temporal scalability off",
            code="video.unreadable",
        )
    elif bytes(payload[:4]).startswith(START_CODES):
        for nal in h264.split_annex_b(bytes(payload)):
            picture.add(nal)
    elif kind < _AP:
        picture.add(payload)
    else:
        picture.note_malformed()
    return b""


def starts_picture(payload: memoryview) -> bool:
    """Whether a payload can only begin another picture: a delimiter, or a slice that says it is the first."""
    if len(payload) < 4:
        return len(payload) > 0 and bool(_FLAGS[payload[0]] & DELIMITER)
    kind = payload[0] >> 1 & 0x3F
    if kind == _FU:
        return bool(payload[2] & _START and _FLAGS[payload[2] << 1 & 0x7E] & HEADED and payload[3] & 0x80)
    if kind == _AP:
        return len(payload) > 4 and bool(_FLAGS[payload[4]] & DELIMITER)
    flags = _FLAGS[payload[0]]
    return bool(flags & DELIMITER or (flags & HEADED and payload[2] & 0x80))


def _take_fragment(payload: memoryview, picture: OpenPicture) -> bytes:
    first, second, head = payload[0], payload[1], payload[2]
    kind = head & 0x3F
    if kind >= _AP:
        picture.note_malformed()
        return b""
    if head & _START:
        picture.begin(bytes((first & 0x81 | kind << 1, second)), payload[3:])
    elif not picture.go_on(kind << 1, payload[3:]):
        return b""
    if head & _END:
        picture.end()
        return b""
    return bytes((first, second, head & ~_START))
