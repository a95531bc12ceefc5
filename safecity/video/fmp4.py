"""Writes fragmented MP4 (ISO/IEC 14496-12): the one form in which pictures are recorded, sent live and exported.

Why our own writer: a fragment has to be one `writev` of known bytes, because these very bytes are hashed, and the
payload must not be copied on the way. Reading back stands in `safecity.video.boxes`.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from safecity.platform.clock import to_us
from safecity.platform.errors import Invalid
from safecity.video import h264, hevc
from safecity.video.access_unit import StreamHeader

TIMESCALE = 90_000
MAX_SAMPLES = 1000  # in one fragment: one writev takes 1024 buffers at most
MAX_FRAGMENT_BYTES = 256 * 1024**2
MAX_DESCRIPTION_BYTES = 256 * 1024

# "This uuid box is SafeCity's description of the recording" (drawn once at random, version 4).
DESCRIPTION_UUID = bytes.fromhex("5afec17e0b7d4c559c1a6f2d83e1b940")

NTP_UNIX_OFFSET_S = 2_208_988_800  # 1900-01-01 to 1970-01-01
PRFT_CAPTURED = 24  # flags: the instant of capture, as ISO/IEC 14496-12 8.16.5 and FFmpeg's reader of RTCP use it
PRFT_RECEIVED = 8  # flags: an instant in constant relation to the picture; ours is that of arrival

SYNC_FLAGS = 0x0200_0000  # depends on no other sample
DELTA_FLAGS = 0x0101_0000  # depends on others, is no sync sample
NON_SYNC_BIT = 0x0001_0000
DEFAULT_BASE_IS_MOOF = 0x02_0000
TRUN_FLAGS = 0xF01  # data offset; duration, size, flags and composition offset of each sample

_UNITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
ENTRY = struct.Struct(">IIIi")

Entry = tuple[int, int, int, int]  # duration in ticks, size in bytes, sample flags, composition offset in ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One picture as it lies in a file: 4-byte length-prefixed NAL units, times in ticks of the track."""

    data: bytes
    duration_ticks: int
    is_key: bool
    composition_offset_ticks: int = 0


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box with 32-bit size around the joined parts."""
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)


def full_box(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def init_segment(header: StreamHeader, *, timescale: int = TIMESCALE, description: bytes | None = None) -> bytes:
    """`ftyp` and `moov` of a one-track file without samples; with a description, SafeCity's `uuid` box follows.

    Raises Invalid when the parameter sets do not describe a stream that can be stored.
    """
    out = box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6", b"iso5", b"isom", b"mp42") + _moov(header, timescale)
    return out if description is None else out + description_box(description)


def description_box(description: bytes) -> bytes:
    """The `uuid` box that holds the self-description of a recording."""
    if len(description) > MAX_DESCRIPTION_BYTES:
        raise Invalid(f"the description of a recording is over {MAX_DESCRIPTION_BYTES} bytes", code="video.description")
    return box(b"uuid", DESCRIPTION_UUID, description)


def _moov(header: StreamHeader, timescale: int) -> bytes:
    mvhd = struct.pack(">IIIIIH10x", 0, 0, timescale, 0, 0x10000, 0x100) + _UNITY + bytes(24) + struct.pack(">I", 2)
    tkhd = struct.pack(">IIIII8xHHHH", 0, 0, 1, 0, 0, 0, 0, 0, 0) + _UNITY
    tkhd += struct.pack(">II", header.width_px << 16, header.height_px << 16)
    mdhd = struct.pack(">IIIIHH", 0, 0, timescale, 0, 0x55C4, 0)  # 0x55C4: language "und"
    hdlr = struct.pack(">I4s12x", 0, b"vide") + b"SafeCity\0"
    dref = full_box(b"dref", struct.pack(">I", 1), full_box(b"url ", flags=1))
    stbl = box(
        b"stbl",
        full_box(b"stsd", struct.pack(">I", 1), _sample_entry(header)),
        full_box(b"stts", bytes(4)),
        full_box(b"stsc", bytes(4)),
        full_box(b"stsz", bytes(8)),
        full_box(b"stco", bytes(4)),
    )
    minf = box(b"minf", full_box(b"vmhd", bytes(8), flags=1), box(b"dinf", dref), stbl)
    mdia = box(b"mdia", full_box(b"mdhd", mdhd), full_box(b"hdlr", hdlr), minf)
    trak = box(b"trak", full_box(b"tkhd", tkhd, flags=7), mdia)
    trex = full_box(b"trex", struct.pack(">IIIII", 1, 1, 0, 0, 0))
    return box(b"moov", full_box(b"mvhd", mvhd), trak, box(b"mvex", trex))


def _sample_entry(header: StreamHeader) -> bytes:
    name = b"\x08SafeCity".ljust(32, b"\0")
    fields = struct.pack(">6xH16xHHIIIH", 1, header.width_px, header.height_px, 0x480000, 0x480000, 0, 1)
    fields += name + struct.pack(">Hh", 24, -1)
    match header.codec:
        case "h264":
            return box(b"avc1", fields, box(b"avcC", h264.configuration_record(header.parameter_sets)))
        case "hevc":
            return box(b"hvc1", fields, box(b"hvcC", hevc.configuration_record(header.parameter_sets)))
        case _:
            raise Invalid(
                f"{header.codec} cannot be recorded; set the camera to H.264 or H.265", code="video.codec_unknown"
            )


def codec_string(codec: str, parameter_sets: Sequence[bytes]) -> str:
    """The RFC 6381 name of a stream, such as `avc1.4D401F`; raises Invalid where the parameter sets lack an SPS."""
    of, kind = (h264, h264.NalType.SPS) if codec == "h264" else (hevc, hevc.NalType.SPS)
    for nal in parameter_sets:
        if of.nal_type(nal) == kind:
            return of.codec_string(nal)
    raise Invalid("the stream has no sequence parameter set", code="video.parameter_set_missing")


def to_ntp(instant: datetime) -> int:
    """The 64-bit NTP timestamp (RFC 5905, 32.32 bits, eras fold at 2036)."""
    seconds, micros = divmod(to_us(instant), 1_000_000)
    return ((seconds + NTP_UNIX_OFFSET_S) % 2**32) << 32 | ((micros << 32) + 500_000) // 1_000_000


def _prft(instant: datetime, flags: int, *, media_ticks: int, track_id: int) -> bytes:
    return full_box(b"prft", struct.pack(">IQQ", track_id, to_ntp(instant), media_ticks), version=1, flags=flags)


def fragment(
    sequence: int,
    decode_ticks: int,
    *,
    samples: Sequence[Sample],
    captured_at: datetime | None = None,
    received_at: datetime | None = None,
    track_id: int = 1,
) -> list[bytes]:
    """One movie fragment as buffers for a single `os.writev`: [prft* moof mdat-header, sample, sample, ...].

    The sample bytes are handed through, never copied. `captured_at` and `received_at` are instants of the first
    sample, each kept in a `prft` box of its own where known. Raises Invalid for an empty or oversized fragment.
    """
    payload = sum(len(sample.data) for sample in samples)
    if not 0 < len(samples) <= MAX_SAMPLES or payload > MAX_FRAGMENT_BYTES:
        raise Invalid(
            f"a fragment holds 1 to {MAX_SAMPLES} samples and at most {MAX_FRAGMENT_BYTES} bytes;"
            f" this one has {len(samples)} and {payload}",
            code="video.fragment_size",
        )
    first_ticks = max(0, decode_ticks + samples[0].composition_offset_ticks)
    times = reference_times(first_ticks, captured_at=captured_at, received_at=received_at, track_id=track_id)
    run = moof(sequence, decode_ticks, entries=[entry_of(sample) for sample in samples], track_id=track_id)
    return [times + run + mdat_header(payload), *(sample.data for sample in samples)]


def entry_of(sample: Sample) -> Entry:
    """The line of a sample in its run."""
    flags = SYNC_FLAGS if sample.is_key else DELTA_FLAGS
    return sample.duration_ticks, len(sample.data), flags, sample.composition_offset_ticks


def reference_times(
    media_ticks: int, *, captured_at: datetime | None, received_at: datetime | None, track_id: int = 1
) -> bytes:
    """A `prft` box for each instant that is known of the picture at that presentation time."""
    known = ((captured_at, PRFT_CAPTURED), (received_at, PRFT_RECEIVED))
    return b"".join(
        _prft(at, flags, media_ticks=media_ticks, track_id=track_id) for at, flags in known if at is not None
    )


def mdat_header(payload_bytes: int) -> bytes:
    """The head of the `mdat` around so many bytes."""
    return struct.pack(">I4s", 8 + payload_bytes, b"mdat")


def moof(
    sequence: int, decode_ticks: int, *, entries: Sequence[Entry], track_id: int = 1, skip_bytes: int = 0
) -> bytes:
    """The `moof` box for samples that lie in the `mdat` right behind it, after `skip_bytes` of its payload.

    The first `skip_bytes` stay in the file, unreferenced: an export starts at a key frame inside a recorded fragment
    and still carries the fragment's payload whole, so that its hash can be checked.
    """
    table = b"".join(ENTRY.pack(*entry) for entry in entries)
    # Fixed sizes: moof 8, mfhd 16, traf 8, tfhd 16, tfdt 20, trun 20 and the table; the mdat header adds 8.
    size = 88 + len(table)
    run = struct.pack(">4sIIi", b"trun", 1 << 24 | TRUN_FLAGS, len(entries), size + 8 + skip_bytes)
    return b"".join(
        (
            struct.pack(">I4s", size, b"moof"),
            struct.pack(">I4sII", 16, b"mfhd", 0, sequence & 0xFFFF_FFFF),
            struct.pack(">I4s", size - 24, b"traf"),
            struct.pack(">I4sII", 16, b"tfhd", DEFAULT_BASE_IS_MOOF, track_id),
            struct.pack(">I4sIQ", 20, b"tfdt", 1 << 24, decode_ticks),
            struct.pack(">I", 20 + len(table)) + run,
            table,
        )
    )
