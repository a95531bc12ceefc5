"""ONVIF signed video stays signed: every NAL unit comes back as the camera sent it, recorded, played back and exported.

Real clips of the ONVIF media-signing project are served by a virtual camera, recorded by our own reader in a recorder
process, and compared picture by picture. A signature covers the bytes of the NAL units and travels in SEIs.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import av
import pytest

from safecity.oversight.model import PurposeScope, Role
from safecity.oversight.passwords import Cost, Passwords
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.settings import OversightSettings, VideoSettings
from safecity.video.access_unit import TICKS_PER_S
from safecity.video.clip_verify import verify_clip
from safecity.video.export import ClipExports, ExportRequest
from safecity.video.fmp4 import Sample, fragment, init_segment
from safecity.video.h264 import split_length_prefixed
from safecity.video.model import Segment, SegmentState, Stream
from safecity.video.scan import read_samples, scan
from safecity.video.volumes import Volumes
from safecity.video.windows import WindowReader
from tests.rooms.video.recorded import load_clip
from tests.rooms.video.rig import Installation, VirtualCameras, camera_id, wait_until

SIGNED, UNSIGNED = 1, 2
SLICES, SEI, SETS, AUD = {1, 5}, 6, {7, 8}, 9
PHRASE = "a long enough phrase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was recorded of the two cameras, and the clips that they sent in a loop."""

    installation: Installation
    clips: dict[int, Path]

    def volumes(self) -> Volumes:
        return Volumes.open(self.installation.data_dir, self.installation.settings.video)

    def segments(self, camera: int) -> list[Segment]:
        return [one for one in self.installation.segments(camera) if one.state is SegmentState.CLOSED]


def clip_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def nals_of(samples: Sequence[bytes]) -> list[tuple[int, str]]:
    """(type, SHA-256) of each NAL unit, without what every sender and file puts elsewhere: sets and delimiters."""
    nals = [nal for data in samples for nal in split_length_prefixed(data) if nal[0] & 0x1F not in SETS | {AUD}]
    return [(nal[0] & 0x1F, hashlib.sha256(nal).hexdigest()) for nal in nals]


def samples_in(raw: bytes) -> list[bytes]:
    return [sample.data for one in scan(raw).fragments for _, sample in read_samples(raw, one)]


def is_same(one: Sequence[bytes], other: Sequence[bytes]) -> bool:
    """Byte for byte; said as a truth, for nobody wants to read the difference of two videos."""
    return list(one) == list(other)


def as_a_camera_sends_it(clip: Path, folder: Path) -> Path:
    """The same NAL units, in pictures that a camera could send: there the first seven have one and the same time, and
    the last signature stands alone as if it were a picture."""
    loaded = load_clip(clip)
    samples: list[Sample] = []
    for sample in loaded.samples:
        if any(kind in SLICES for kind, _ in nals_of([sample.data])):
            samples.append(replace(sample, duration_ticks=TICKS_PER_S // 25))
        else:
            samples[-1] = replace(samples[-1], data=samples[-1].data + sample.data)
    made = folder / clip.name
    made.write_bytes(b"".join([init_segment(loaded.header), *fragment(1, 0, samples=samples)]))
    assert nals_of(clip_packets(made)) == nals_of(clip_packets(clip)), "nothing was lost in making it"
    return made


@pytest.fixture(scope="module")
def recorded(evidence_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = evidence_dir / "onvif_media_signing"
    data = tmp_path_factory.mktemp("signed")
    names = {SIGNED: "test_signed_h264.mp4", UNSIGNED: "test_h264.mp4"}
    clips = {camera: as_a_camera_sends_it(folder / name, data) for camera, name in names.items()}
    house = Installation(data / "data", reader="own")
    try:
        with VirtualCameras(2, list(clips.values()), cache=data / "cache") as virtual:
            house.register(virtual)
            house.start_recorder()
            made = Recorded(installation=house, clips=clips)
            wait_until(
                lambda: all(span_s(made.segments(camera)) > 11 for camera in clips),
                within_s=150,
                what="recording of the whole clip",
            )
        yield made
    finally:
        house.close()


def span_s(segments: Sequence[Segment]) -> float:
    return (segments[-1].durable_until - segments[0].started_at).total_seconds() if segments else 0.0


@pytest.mark.parametrize("camera", [SIGNED, UNSIGNED])
def test_every_nal_unit_is_kept_from_camera_to_court(recorded: Recorded, camera: int) -> None:
    sent = nals_of(clip_packets(recorded.clips[camera]))
    segments = recorded.segments(camera)
    media = recorded.installation.media_dir
    kept = [data for row in segments for data in samples_in((media / row.path).read_bytes())]
    nals = nals_of(kept)

    assert len(nals) >= len(sent), "the whole clip was recorded"
    rounds = sent * (len(nals) // len(sent) + 2)
    starts = [at for at, nal in enumerate(sent) if nal == nals[0]]  # it stands still: two key frames can be the same
    assert any(rounds[at : at + len(nals)] == nals for at in starts), "from some picture on it is the clip, in a loop"
    signatures = {digest for kind, digest in nals if kind == SEI}
    assert len(signatures) == (5 if camera == SIGNED else 0)

    assert is_same(played_back(recorded, camera, segments), kept)
    assert is_same(exported(recorded, camera, segments), kept)


def played_back(recorded: Recorded, camera: int, segments: Sequence[Segment]) -> list[bytes]:
    """All of it in windows of 3 s, as a browser asks for them."""
    reader = WindowReader(recorded.installation.database, volumes=recorded.volumes())
    got: list[bytes] = []
    at: datetime = segments[0].started_at
    while at < segments[-1].durable_until:
        window = reader.read(camera_id(camera), Stream.MAIN, at=at, seconds=3.0)
        got += samples_in(b"".join(window.parts))
        at = window.to_at
    whole = sum(len(samples_in((recorded.installation.media_dir / row.path).read_bytes())) for row in segments)
    return got[:whole]


def exported(recorded: Recorded, camera: int, segments: Sequence[Segment]) -> list[bytes]:
    """The same as a clip for a case, with its sheet verified."""
    house, clock = recorded.installation, SystemClock()
    light = Passwords(Cost(memory_kib=64, passes=1, lanes=1))
    oversight = Oversight(house.database, OversightSettings(), clock, passwords=light)
    name = f"ines{camera}"
    oversight.create_user(name, PHRASE, role=Role.INVESTIGATOR, display_name=name)
    actor = oversight.sign_in(name, PHRASE, console="desk").session.actor
    oversight.start_shift(actor)
    begin, end = segments[0].started_at, segments[-1].durable_until
    with house.database.begin() as connection:
        scope = PurposeScope(camera=camera_id(camera), from_at=begin, to_at=None)
        oversight.open_purpose(connection, kind="case", ref=f"C-{camera}", scope=[scope])
    exports = ClipExports(
        house.database, oversight=oversight, clock=clock, data_dir=house.data_dir, settings=VideoSettings(reserve_gb=0)
    )
    request = ExportRequest(camera=camera_id(camera), from_at=begin, to_at=end, reason="FIR 123/26, a test")
    folder = house.data_dir / "exports" / exports.make(actor, request).id
    assert verify_clip(folder / "clip.mp4", folder / "sheet.json").pictures > 0
    return clip_packets(folder / "clip.mp4")
