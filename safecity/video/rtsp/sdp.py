"""Session descriptions (SDP, RFC 8866) as cameras write them: the one video stream that we take.

Liberal on purpose: line ends, letter case, missing attributes and broken parameter sets are forgiven; a stream that
could not be put together again (interleaved packetisation, encryption, another codec) is refused with its reason.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from safecity.platform.errors import Invalid, Problem, Unavailable
from safecity.video.rtsp.address import resolve
from safecity.video.rtsp.media import VideoMedia

MAX_DESCRIPTION_BYTES: Final = 64 * 1024
MAX_SECTIONS: Final = 16
MAX_FORMATS: Final = 16  # of one section
MAX_ATTRIBUTES: Final = 128  # of one section
MAX_PARAMETER_SETS: Final = 64
MAX_PARAMETER_SET_BYTES: Final = 16 * 1024
MAX_URL_CHARACTERS: Final = 2048
DEFAULT_CLOCK_HZ: Final = 90_000  # RFC 6184 and RFC 7798 know no other
MAX_CLOCK_HZ: Final = 10_000_000

Codec = Literal["h264", "hevc"]

_CODECS: Final[Mapping[str, Codec]] = {"h264": "h264", "avc": "h264", "avc1": "h264", "h265": "hevc", "hevc": "hevc"}
_KINDS: Final[Mapping[Codec, tuple[int, ...]]] = {"h264": (7, 8, 13), "hevc": (32, 33, 34)}
_SPROPS: Final[Mapping[Codec, tuple[str, ...]]] = {
    "h264": ("sprop-parameter-sets",),
    "hevc": ("sprop-vps", "sprop-sps", "sprop-pps"),
}
# Payload types with a meaning of their own (RFC 3551): cameras leave their rtpmap out.
_STATIC: Final[Mapping[int, str]] = {26: "JPEG", 31: "H261", 32: "MPV", 33: "MP2T", 34: "H263"}
_START_CODE = re.compile(rb"\A\x00{2,3}\x01")
_NAME = re.compile(r"[^A-Za-z0-9._+-]")


@dataclass(slots=True, kw_only=True)
class _Section:
    """One `m=` line and the attributes below it; the one without a line is the session's own."""

    protocol: str = ""
    payload_types: tuple[int, ...] = ()
    attributes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def find(self, name: str) -> str | None:
        return next((value for key, value in self.attributes if key == name), None)

    def find_for(self, name: str, payload_type: int) -> str | None:
        """The value of an attribute whose first word is the payload type (`a=rtpmap:96 ...`)."""
        for key, value in self.attributes:
            words = value.split(None, 1)
            if key == name and len(words) == 2 and words[0] == str(payload_type):
                return words[1]
        return None


def parse_sdp(text: bytes, *, base_url: str) -> VideoMedia:
    """The first video stream of a description that can be recorded.

    `base_url` is what relative control URLs are relative to. Raises Invalid with `video.no_picture` or
    `video.codec_unknown`, Unavailable with `video.unreadable` where it is no description at all.
    """
    session, sections = _read_sections(text)
    aggregate = _control(session.find("control"), base_url)
    problem: Problem = Invalid("the camera offers no video stream; check the address", code="video.no_picture")
    for index, section in enumerate(sections):
        if isinstance(found := _find_media(section, session), Problem):
            problem = found if index == 0 or problem.code == "video.no_picture" else problem
            continue
        payload_type, codec, clock = found
        parameters = _format_parameters(section.find_for("fmtp", payload_type))
        mode = _number(parameters.get("packetization-mode", "0"), otherwise=0) if codec == "h264" else 0
        return VideoMedia(
            control_url=_control(section.find("control"), aggregate if session.find("control") else base_url),
            codec=codec,
            payload_type=payload_type,
            clock_rate_hz=clock,
            parameter_sets=tuple(_parameter_sets(parameters, codec)),
            packetization_mode=mode,
            aggregate_url=aggregate,
        )
    raise problem


def _read_sections(text: bytes) -> tuple[_Section, list[_Section]]:
    """The session's own attributes and the video sections. Raises Unavailable."""
    session = _Section()
    videos: list[_Section] = []
    current: _Section | None = session
    is_description = False
    if len(text) > MAX_DESCRIPTION_BYTES:
        raise Unavailable("the camera's description of its stream is too long to be one", code="video.unreadable")
    for line in text.decode("utf-8", "replace").replace("\r", "\n").split("\n"):
        kind, _, value = line.strip().strip("\0").partition("=")
        kind, value = kind.strip().lower(), value.strip()
        is_description = is_description or kind in ("v", "m")
        if kind == "m":
            current = _read_media_line(value)
            videos.extend([current] if current and len(videos) < MAX_SECTIONS else [])
        elif kind == "a" and current is not None and len(current.attributes) < MAX_ATTRIBUTES:
            name, _, rest = value.partition(":")
            current.attributes.append((name.strip().lower(), rest.strip()))
    if not is_description:
        raise Unavailable("the camera describes its stream in a way that cannot be read", code="video.unreadable")
    return session, videos


def _read_media_line(value: str) -> _Section | None:
    """None for what is not video (audio, metadata, a back channel)."""
    words = value.split()
    if not words or words[0].lower() != "video":
        return None
    formats = words[3 : 3 + MAX_FORMATS]
    types = tuple(int(word) for word in formats if word.isascii() and word.isdecimal() and len(word) <= 3)
    return _Section(protocol=words[2].upper() if len(words) > 2 else "", payload_types=types)


def _find_media(section: _Section, session: _Section) -> tuple[int, Codec, int] | Problem:
    """Payload type, codec and clock of the first format that we take, or why there is none."""
    if "SAVP" in section.protocol:
        return Invalid("the camera encrypts its stream (SRTP); switch that off", code="video.codec_unknown")
    seen: list[str] = []
    for payload_type in section.payload_types:
        parameters = _format_parameters(section.find_for("fmtp", payload_type))
        mapped = section.find_for("rtpmap", payload_type) or session.find_for("rtpmap", payload_type)
        name, _, clock_text = (mapped or _guess_name(payload_type, parameters)).partition("/")
        codec = _CODECS.get(name.strip().lower())
        if codec is None:
            seen.append(_NAME.sub("", name)[:16] or f"payload type {payload_type}")
            continue
        is_interleaved = (
            _number(parameters.get("packetization-mode", "0"), otherwise=0) > 1
            if codec == "h264"
            else _number(parameters.get("sprop-max-don-diff", "0"), otherwise=0) > 0
        )
        if is_interleaved:
            return Invalid(
                "the camera sends its packets out of order (interleaved packetisation); switch that off",
                code="video.codec_unknown",
            )
        clock = _number(clock_text.partition("/")[0], otherwise=0)
        return payload_type, codec, clock if 1000 <= clock <= MAX_CLOCK_HZ else DEFAULT_CLOCK_HZ
    names = ", ".join(seen[:4]) or "a codec it does not name"
    return Invalid(f"the camera sends {names}; set this stream to H.264 or H.265", code="video.codec_unknown")


def _guess_name(payload_type: int, parameters: Mapping[str, str]) -> str:
    """What a format without a name is: its parameters tell, or its number."""
    if "sprop-parameter-sets" in parameters or "packetization-mode" in parameters:
        return "H264"
    if "sprop-vps" in parameters or "sprop-sps" in parameters:
        return "H265"
    return _STATIC.get(payload_type, "")


def _format_parameters(text: str | None) -> dict[str, str]:
    pairs = (part.partition("=") for part in (text or "").split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _parameter_sets(parameters: Mapping[str, str], codec: Codec) -> Iterator[bytes]:
    """The parameter sets that can be read; others are left out, for they come in band too."""
    texts: Sequence[str] = [one for name in _SPROPS[codec] for one in parameters.get(name, "").split(",")]
    for text in texts[:MAX_PARAMETER_SETS]:
        packed = re.sub(r"[^A-Za-z0-9+/]", "", text)[: MAX_PARAMETER_SET_BYTES * 4 // 3]
        try:
            nal = base64.b64decode(packed + "=" * (-len(packed) % 4))
        except binascii.Error:
            continue
        nal = _START_CODE.sub(b"", nal).rstrip(b"\0")
        if len(nal) > 2 and (nal[0] & 0x1F if codec == "h264" else nal[0] >> 1 & 0x3F) in _KINDS[codec]:
            yield nal


def _control(value: str | None, base_url: str) -> str:
    resolved = resolve(value or "*", base_url=base_url)
    return base_url if len(resolved) > MAX_URL_CHARACTERS else resolved


def _number(text: str, *, otherwise: int) -> int:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 10 else otherwise
