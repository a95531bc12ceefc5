"""What a stream's description (SDP) tells of the one video stream that is read."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoMedia:
    """The video stream of a description, as far as setting it up and reading its RTP packets need it."""

    control_url: str  # absolute; what SETUP asks for
    codec: Literal["h264", "hevc"]
    payload_type: int  # RTP payload type (RFC 3551), 0 to 127
    clock_rate_hz: int  # of the RTP timestamps; 90,000 nearly always
    parameter_sets: tuple[bytes, ...]  # NAL units of sprop-*; empty where they come in band only
    packetization_mode: int  # RFC 6184 section 6.2; 0 for H.265
    aggregate_url: str = ""  # absolute; what PLAY asks for
