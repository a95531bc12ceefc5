"""The frames of a live link: what a recorder's hub says of a stream, in one binary message.

Layout: kind (1 byte: h, u, s or b for a beat), stream (1 byte: m or s), length of the camera's name (1 byte), the name,
length of the head (2 bytes, big-endian), the head, and for a picture its bytes.
"""

import json
import struct
from dataclasses import dataclass

from safecity.platform.clock import parse_iso, to_iso
from safecity.platform.errors import Invalid
from safecity.sites.model import CameraId
from safecity.video.access_unit import (
    AccessUnit,
    StreamHeader,
    pack_header,
    pack_meta,
    unpack_access_unit,
    unpack_header,
)
from safecity.video.model import Cause, LinkState, Stream, StreamKey, StreamState

MAX_FRAME_BYTES = 16 * 1024**2
BEAT = b"b"
BEAT_EVERY_S = 0.5
_STREAMS = {Stream.MAIN: b"m", Stream.SUB: b"s"}
_NAMES = {raw[0]: stream for stream, raw in _STREAMS.items()}
Said = StreamHeader | AccessUnit | StreamState


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message about one stream."""

    key: StreamKey
    said: Said


def pack_frame(key: StreamKey, said: Said) -> bytes:
    """As it travels."""
    name = key[0].encode()
    if isinstance(said, AccessUnit):
        kind, head, data = b"u", pack_meta(said), said.data
    elif isinstance(said, StreamHeader):
        kind, head, data = b"h", pack_header(said), b""
    else:
        cause = None if said.cause is None else said.cause.value
        body = {"state": said.state.value, "since": to_iso(said.since), "cause": cause}
        kind, head, data = b"s", json.dumps(body).encode(), b""
    return b"".join(
        (kind, _STREAMS[key[1]], struct.pack(">B", len(name)), name, struct.pack(">H", len(head)), head, data)
    )


def unpack_frame(raw: bytes) -> Frame:
    """The reverse of `pack_frame`; raises Invalid for anything else."""
    try:
        size = raw[2]
        key = (CameraId(raw[3 : 3 + size].decode()), _NAMES[raw[1]])
        at = 3 + size
        (length,) = struct.unpack_from(">H", raw, at)
        head, data = raw[at + 2 : at + 2 + length], raw[at + 2 + length :]
        if len(head) != length:
            raise ValueError("the head is cut off")
        match raw[:1]:
            case b"u":
                return Frame(key=key, said=unpack_access_unit(head, data))
            case b"h":
                return Frame(key=key, said=unpack_header(head))
            case b"s":
                return Frame(key=key, said=_state_of(head))
            case _:
                raise ValueError("no such kind")
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, struct.error) as error:
        raise Invalid("a frame of the live link cannot be read", code="edge.frame") from error


def _state_of(head: bytes) -> StreamState:
    body = json.loads(head)
    cause = None if body["cause"] is None else Cause(body["cause"])
    return StreamState(state=LinkState(body["state"]), since=parse_iso(body["since"]), cause=cause)
