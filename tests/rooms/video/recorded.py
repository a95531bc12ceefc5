"""Recordings made from a real clip without a recorder: files as the recorder writes them, and their index rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av

from safecity.oversight.merkle import leaf_hash, root
from safecity.platform.database import Database
from safecity.sites.model import CameraId
from safecity.video import fmp4, h264
from safecity.video.access_unit import StreamHeader
from safecity.video.fmp4 import Sample
from safecity.video.model import Segment, SegmentState, Stream, instant_of
from safecity.video.segments import describe
from safecity.video.store import put_segments

CAMERA = CameraId("cam_t-1")
NOON = datetime(2026, 3, 1, 12, 0, 0, 123_457, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A clip's samples and how a decoder is set up for them."""

    header: StreamHeader
    samples: tuple[Sample, ...]


def load_clip(path: Path) -> Clip:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        sets = h264.parameter_sets_of(bytes(stream.codec_context.extradata or b""))
        packets = [packet for packet in container.demux(stream) if packet.size]
        scale = float(stream.time_base) * fmp4.TIMESCALE
    sps = h264.parse_sps(sets[0])
    times = [round((packet.dts - packets[0].dts) * scale) for packet in packets]
    times.append(2 * times[-1] - times[-2])
    return Clip(
        header=StreamHeader(
            codec="h264",
            codec_string=h264.codec_string(sets[0]),
            width_px=sps.width_px,
            height_px=sps.height_px,
            parameter_sets=sets,
            session=1,
        ),
        samples=tuple(
            Sample(
                data=bytes(packet),
                duration_ticks=end - start,
                is_key=packet.is_keyframe,
                composition_offset_ticks=round((packet.pts - packet.dts) * scale),
            )
            for packet, start, end in zip(packets, times, times[1:], strict=False)
        ),
    )


class FakeRecorder:
    """Writes segments of whole groups of pictures, one behind the other, with gaps where told."""

    def __init__(self, database: Database, media_dir: Path, clip: Clip, *, fragment_s: float = 1.0) -> None:
        self.database = database
        self.media_dir = media_dir
        self.clip = clip
        self.fragment_ticks = round(fragment_s * fmp4.TIMESCALE)
        self.at = NOON
        self.previous_root: str | None = None
        self.segments: list[Segment] = []
        self.samples: list[Sample] = []
        self._cursor = 0

    def pause(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def write(
        self, *, keys: int, session: str = "s1", state: SegmentState = SegmentState.CLOSED, rate_ppb: int = 0
    ) -> Segment:
        """A segment of so many groups of pictures."""
        group = self._take(keys)
        self.samples += group
        path = f"{CAMERA}/main/{self.at:%Y-%m-%d}/{self.at:%H%M%S}-{session}.mp4"
        segment = Segment(
            camera=CAMERA,
            stream=Stream.MAIN,
            started_at=self.at,
            durable_until=self.at,
            state=state,
            path=path,
            session=session,
            size_bytes=0,
            fragments=0,
            codec="h264",
            codec_string=self.clip.header.codec_string,
            width_px=self.clip.header.width_px,
            height_px=self.clip.header.height_px,
            rate_ppb=rate_ppb,
            line_error_us=0,
            camera_offset_us=-1500,
            root=None,
            previous_root=self.previous_root,
            is_held=False,
            writer="recorder-1",
        )
        pieces = self._pieces(group, segment)
        file = self.media_dir / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"".join(pieces))
        ticks = sum(sample.duration_ticks for sample in group)
        tree = root([leaf_hash(piece) for piece in pieces]).hex()
        segment = replace(
            segment,
            durable_until=instant_of(segment, ticks),
            size_bytes=file.stat().st_size,
            fragments=len(pieces) - 1,
            root=tree if state is SegmentState.CLOSED else None,
        )
        with self.database.begin() as connection:
            put_segments(connection, [segment])
        self.previous_root = tree
        self.at = segment.durable_until
        self.segments.append(segment)
        return segment

    def _take(self, keys: int) -> list[Sample]:
        group: list[Sample] = []
        while True:
            sample = self.clip.samples[self._cursor % len(self.clip.samples)]
            if sample.is_key:
                if keys == 0:
                    return group
                keys -= 1
            group.append(sample)
            self._cursor += 1

    def _pieces(self, group: Sequence[Sample], segment: Segment) -> list[bytes]:
        pieces = [fmp4.init_segment(self.clip.header, description=describe(segment, self.previous_root))]
        run: list[Sample] = []
        start = ticks = 0
        for number, sample in enumerate(group):
            run.append(sample)
            ticks += sample.duration_ticks
            if ticks - start >= self.fragment_ticks or number + 1 == len(group):
                at = instant_of(segment, start)
                parts = fmp4.fragment(len(pieces), start, samples=run, captured_at=at, received_at=at)
                pieces.append(b"".join(parts))
                run, start = [], ticks
        return pieces
