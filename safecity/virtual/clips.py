"""From any MP4 to what a virtual camera plays: a main and a sub stream of H.264 without B-frames.

The main stream is passed through where it already is what a camera sends; all else is encoded once into a cache
folder under a name made of the clip's SHA-256 and the parameters, and found there on the next start.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import av.error
import structlog

from safecity.platform.errors import Invalid
from safecity.virtual.elementary import Elementary, load_elementary
from safecity.virtual.encoding import Encoding, TimedFrame, encode
from safecity.virtual.inspection import Inspection, inspect_clip

log = structlog.get_logger()

RECIPE = 1
"""Raise it when the same parameters give another stream: old cache files are then left alone and age out."""

MAIN_LIMIT_PX = 1920, 1080
MAIN_FIT_PX = 1280, 720
SUB_PX = 640, 360
MAIN_MAX_RATE, SUB_MAX_RATE = 30, 15
MAX_CLIP_S = 900.0
"""A longer clip is played up to here: its packets are held in memory."""
COUNTED_CLIP_S = 60.0
"""A clip with burned-in numbers is played again and again up to this length, so that no number comes twice soon."""
CACHE_LIMIT_BYTES = 8_000_000_000
MAX_BROKEN_SHARE = 0.05
"""A clip of which more than this share cannot be decoded is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipOptions:
    """How a clip is prepared."""

    bitrate_bps: int | None = None
    """Constant bit rate of the main stream, with filler; None codes for quality or passes through."""
    burns_counter: bool = False
    """Write the picture's number into it (see `counter`)."""
    min_length_s: float = 0.0
    """Repeat a shorter clip up to this length before encoding (bench: the loop then comes rarely)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedClip:
    """A clip ready to be played by any number of mounts."""

    sha256: str
    source: Path
    main: Elementary
    sub: Elementary
    passed_through: bool
    counts_pictures: bool


Progress = Callable[[float], None]
"""Called with the share done, 0 to 1, at each hundredth; what it raises ends the preparation."""


def prepare_clip(
    source: Path, *, cache: Path, options: ClipOptions | None = None, on_progress: Progress | None = None
) -> PreparedClip:
    """The clip as streams, from the cache where it has been prepared before.

    Raises Invalid where the file cannot be played, Unavailable or DataLoss where the cache cannot be used.
    """
    wanted = options or ClipOptions()
    digest = _sha256(source)
    found = inspect_clip(source)
    passes = found.fits_as_is and wanted == ClipOptions() and found.duration_s <= MAX_CLIP_S
    main, sub = plan_encodings(found, wanted)
    cache.mkdir(parents=True, exist_ok=True)
    length_s = play_length_s(found.duration_s, wanted)
    sub_path = (find_own_sub(source, found) if passes else None) or cache / cache_name(digest, sub, length_s=length_s)
    main_path = source if passes else cache / cache_name(digest, main, length_s=length_s)
    missing = [(path, kind) for path, kind in ((main_path, main), (sub_path, sub)) if not path.exists()]
    if missing:
        frames = repeated_frames(found, length_s)
        encode(frames, missing, end_s=length_s, on_time=_progress(on_progress, length_s))
        log.info("virtual.clip_prepared", clip=source.name, passed_through=passes, length_s=round(length_s, 1))
    played = load_elementary(main_path)
    prepared = PreparedClip(
        sha256=digest,
        source=source,
        main=played,
        sub=with_duration(load_elementary(sub_path), played.duration_ticks),
        passed_through=passes,
        counts_pictures=wanted.burns_counter,
    )
    used = [path for path in (main_path, sub_path) if path.parent == cache]
    for path in used:
        os.utime(path)
    prune_cache(cache, keep=used)
    if on_progress:
        on_progress(1.0)
    return prepared


def find_own_sub(source: Path, found: Inspection) -> Path | None:
    """The sub stream that a drawn scene brings along (`sub.mp4` beside `main.mp4`), where a camera could send it."""
    beside = source.with_name("sub.mp4")
    if source.name != "main.mp4" or not beside.is_file():
        return None
    sub = inspect_clip(beside)
    is_same = (sub.width_px, sub.height_px) == SUB_PX and sub.rate == found.rate and sub.rate <= SUB_MAX_RATE
    return beside if sub.fits_as_is and is_same and abs(sub.duration_s - found.duration_s) < 1 / found.rate else None


def plan_encodings(found: Inspection, options: ClipOptions) -> tuple[Encoding, Encoding]:
    """Size and rate of the main and the sub stream of a clip."""
    width, height = fit_size(found.width_px, found.height_px)
    main = Encoding(
        width_px=width,
        height_px=height,
        rate=capped_rate(found.rate, MAIN_MAX_RATE),
        bitrate_bps=options.bitrate_bps,
        burns_counter=options.burns_counter,
    )
    sub = replace(
        main,
        width_px=SUB_PX[0],
        height_px=SUB_PX[1],
        rate=capped_rate(found.rate, SUB_MAX_RATE),
        bitrate_bps=None,
        limit_bps=768_000,
        quality=26,
    )
    return main, sub


def fit_size(width_px: int, height_px: int) -> tuple[int, int]:
    """The clip's own size where it fits, made even; else as large as fits into 1280x720 with the same shape."""
    if width_px > MAIN_LIMIT_PX[0] or height_px > MAIN_LIMIT_PX[1]:
        scale = min(MAIN_FIT_PX[0] / width_px, MAIN_FIT_PX[1] / height_px)
        width_px, height_px = round(width_px * scale), round(height_px * scale)
    return max(16, width_px - width_px % 2), max(16, height_px - height_px % 2)


def capped_rate(rate: Fraction, most: int) -> Fraction:
    """The rate divided by the smallest whole number that brings it to the cap, so that gaps stay even."""
    return rate / max(1, -(-rate // most)) if rate > most else rate


def play_length_s(duration_s: float, options: ClipOptions) -> float:
    """How long the prepared stream is: the clip, or whole repetitions of it up to the wanted length."""
    length_s = min(duration_s, MAX_CLIP_S)
    least_s = max(options.min_length_s, COUNTED_CLIP_S if options.burns_counter else 0.0)
    return length_s * max(1, -(-least_s // length_s))


def with_duration(stream: Elementary, duration_ticks: int) -> Elementary:
    """The same stream with another loop length, so that main and sub never drift apart over many loops."""
    pictures = tuple(picture for picture in stream.pictures if picture.ticks < duration_ticks)
    return replace(stream, pictures=pictures, duration_ticks=duration_ticks)


def cache_name(sha256: str, encoding: Encoding, *, length_s: float) -> str:
    """File name of one encoding of one clip."""
    parameters = json.dumps(
        {**asdict(encoding), "rate": str(encoding.rate), "recipe": RECIPE, "ms": round(length_s * 1000)}, sort_keys=True
    )
    return f"{sha256[:32]}-{hashlib.sha256(parameters.encode()).hexdigest()[:16]}.mp4"


def prune_cache(cache: Path, *, keep: list[Path], limit_bytes: int = CACHE_LIMIT_BYTES) -> None:
    """Delete the streams that were used longest ago until the folder is within its limit."""
    files = sorted(cache.glob("*.mp4"), key=lambda path: path.stat().st_mtime)
    total = sum(path.stat().st_size for path in files)
    for path in files:
        if total <= limit_bytes:
            return
        if path not in keep:
            total -= path.stat().st_size
            path.unlink(missing_ok=True)


def repeated_frames(found: Inspection, length_s: float) -> Iterator[TimedFrame]:
    """The clip's frames, from the start again where it ends before `length_s`. Raises Invalid when it is broken."""
    start_s = 0.0
    while start_s < length_s - 1e-6:
        for at_s, frame in decoded_frames(found):
            if start_s + at_s >= length_s:
                return
            yield start_s + at_s, frame
        start_s += min(found.duration_s, MAX_CLIP_S)


def decoded_frames(found: Inspection) -> Iterator[TimedFrame]:
    """Every frame with a time that never falls back. Raises Invalid where too much of the clip is broken."""
    broken = count = 0
    with av.open(str(found.path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        interval_s, last_s, first_s = float(1 / found.rate), None, None
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                broken += 1
                continue
            for frame in frames:
                count += 1
                at_s = frame.time if frame.pts is not None else (last_s or 0.0) + interval_s
                first_s = at_s if first_s is None else first_s
                last_s = at_s if last_s is None else max(last_s, at_s)
                yield last_s - first_s, frame
    if not count or broken > MAX_BROKEN_SHARE * (count + broken):
        raise Invalid(
            f"{found.path.name} is broken: {broken} of {count + broken} pictures cannot be decoded. Replace the clip.",
            code="virtual.clip_broken",
        )


def _progress(on_progress: Progress | None, length_s: float) -> Callable[[float], None] | None:
    """Tell each hundredth once."""
    if on_progress is None:
        return None
    tell, told = on_progress, -1

    def at_time(at_s: float) -> None:
        nonlocal told
        hundredth = min(99, int(at_s / length_s * 100))
        if hundredth > told:
            told = hundredth
            tell(hundredth / 100)

    return at_time


def _sha256(source: Path) -> str:
    try:
        with source.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise Invalid(f"{source} cannot be read: {error.strerror}.", code="virtual.clip_missing") from error
