"""H.264 out of RTP payloads (RFC 6184): single NAL units, STAP-A and FU-A; interleaving is refused."""

from safecity.platform.errors import Invalid
from safecity.video import h264
from safecity.video.rtsp.open_picture import DELIMITER, FLAGS, HEADED, START_CODES, OpenPicture

_STAP_A, _FU_A = 24, 28
_INTERLEAVED = {25: "STAP-B", 26: "MTAP16", 27: "MTAP24", 29: "FU-B"}
_START, _END = 0x80, 0x40
_FLAGS = FLAGS["h264"]


def take_payload(payload: memoryview, picture: OpenPicture) -> bytes:
    """Take one payload; returns the two bytes with which the next piece of a fragmented unit begins, else nothing.

    Raises Invalid for the packets of the interleaved mode (packetization-mode 2, RFC 6184 section 5.5).
    """
    if len(payload) < 2:
        if len(payload):
            picture.add(payload)
        return b""
    kind = payload[0] & 0x1F
    if kind == _FU_A:
        return _take_fragment(payload, picture)
    if 1 <= kind < _STAP_A:
        picture.add(payload)
    elif kind == _STAP_A:
        picture.add_aggregate(payload[1:])
    elif kind in _INTERLEAVED:
        raise Invalid(
            f"the camera sends interleaved H.264 ({_INTERLEAVED[kind]}), which is not read; set packetization mode 1",
            code="video.unreadable",
        )
    elif bytes(payload[:4]).startswith(START_CODES):
        for nal in h264.split_annex_b(bytes(payload)):
            picture.add(nal)
    else:
        picture.note_malformed()
    return b""


def starts_picture(payload: memoryview) -> bool:
    """Whether a payload can only begin another picture: a delimiter, or the slice of the first macroblock."""
    if len(payload) < 3:
        return len(payload) > 0 and payload[0] & 0x1F == 9
    kind = payload[0] & 0x1F
    if kind == _FU_A:
        return bool(payload[1] & _START and _FLAGS[payload[1] & 0x1F] & HEADED and payload[2] & 0x80)
    if kind == _STAP_A:
        return len(payload) > 3 and bool(_FLAGS[payload[3]] & DELIMITER)
    flags = _FLAGS[payload[0]]
    return bool(flags & DELIMITER or (flags & HEADED and payload[1] & 0x80))


def _take_fragment(payload: memoryview, picture: OpenPicture) -> bytes:
    indicator, head = payload[0], payload[1]
    kind = head & 0x1F
    if not 1 <= kind < _STAP_A:
        picture.note_malformed()
        return b""
    if head & _START:
        picture.begin(bytes((indicator & 0xE0 | kind,)), payload[2:])
    elif not picture.go_on(kind, payload[2:]):
        return b""
    if head & _END:
        picture.end()
        return b""
    return bytes((indicator, head & ~_START))
