"""Session descriptions (RFC 8866) of one video stream, as RFC 6184 section 8.2 and RFC 7798 section 7.2 ask."""

from base64 import b64encode

from safecity.virtual.elementary import HEVC_PPS, HEVC_SPS, HEVC_VPS, TICKS_PER_S, Elementary, nal_type
from safecity.virtual.rtsp.packets import PAYLOAD_TYPE

TRACK = "trackID=0"


def describe(stream: Elementary, *, session: int, host: str, title: str) -> bytes:
    """The SDP of a stream. Parameter sets are in it, so a player knows size and codec before the first packet."""
    family = "IP6" if ":" in host else "IP4"
    name = "H264" if stream.codec == "h264" else "H265"
    lines = [
        "v=0",
        f"o=- {session} 1 IN {family} {host}",
        f"s={title}",
        f"c=IN {family} {'::' if family == 'IP6' else '0.0.0.0'}",  # noqa: S104
        "t=0 0",
        "a=tool:SafeCity virtual camera",
        "a=control:*",
        "a=range:npt=0-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"b=AS:{max(1, round(stream.bitrate_bps * 1.1 / 1000))}",
        f"a=rtpmap:{PAYLOAD_TYPE} {name}/{TICKS_PER_S}",
        f"a=fmtp:{PAYLOAD_TYPE} {format_parameters(stream)}",
        f"a=framerate:{stream.frame_rate:.3f}",
        f"a=framesize:{PAYLOAD_TYPE} {stream.width_px}-{stream.height_px}",
        "a=recvonly",
        f"a=control:{TRACK}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n"


def format_parameters(stream: Elementary) -> str:
    """The fmtp line's parameters."""
    if stream.codec == "h264":
        sets = ",".join(b64encode(nal).decode() for nal in stream.parameter_sets)
        profile = stream.parameter_sets[0][1:4].hex().upper()
        return f"packetization-mode=1; profile-level-id={profile}; sprop-parameter-sets={sets}"
    named = {HEVC_VPS: "sprop-vps", HEVC_SPS: "sprop-sps", HEVC_PPS: "sprop-pps"}
    return "; ".join(f"{named[nal_type(nal, 'hevc')]}={b64encode(nal).decode()}" for nal in stream.parameter_sets)
