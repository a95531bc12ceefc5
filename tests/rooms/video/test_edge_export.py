"""Exports over seams: what the centre recorded and what an edge brought, in one clip that proves itself."""

import itertools
import json
import subprocess
from datetime import timedelta
from pathlib import Path

import av
import pytest

from safecity.oversight.model import Actor, PurposeScope, Role
from safecity.oversight.passwords import Cost, Passwords
from safecity.oversight.service import Oversight
from safecity.platform.database import Database
from safecity.platform.errors import Invalid
from safecity.platform.settings import OversightSettings, VideoSettings
from safecity.video.clip_verify import verify_clip
from safecity.video.edge.register import Policy
from safecity.video.edge.wire import ArrivalRequest
from safecity.video.export import ClipExports, ExportRequest
from safecity.video.sheet import Sheet, read_sheet, render_sheet
from safecity.video.volumes import Volumes
from tests.rooms.video.edge_house import CentreHouse, make_edge_database
from tests.rooms.video.recorded import CAMERA, NOON, FakeRecorder, load_clip

PHRASE = "a long enough phrase"
SHIFT = timedelta(milliseconds=350)  # the centre's clock is so far ahead of the edge's
LEAD = timedelta(milliseconds=1300)  # the edge's segments begin so much before the centre's: no seam falls on a start
HOLE_S = 21.4
GROUP_S = 4.5  # more than one group of pictures


class Seams:
    """A camera that the centre recorded before and after an outage, filled with what its edge has."""

    def __init__(self, database: Database, folder: Path, clips_dir: Path) -> None:
        self.house = CentreHouse(database, folder / "centre")
        clip = load_clip(clips_dir / "suburban_road_a.mp4")
        mine = FakeRecorder(database, self.house.data_dir / "media", clip)
        mine.write(keys=2)
        mine.pause(HOLE_S)
        self.last_at = mine.at
        self.end = mine.write(keys=2).durable_until
        edge_database = make_edge_database(folder)
        theirs = FakeRecorder(edge_database, folder / "edge", clip)
        theirs.at = NOON - SHIFT - LEAD
        edge = self.house.enrol(Policy(), at=NOON - timedelta(minutes=1))
        clock = self.house.clock
        clock.step_wall((self.end + timedelta(minutes=1) - clock.now()).total_seconds())
        volumes = Volumes.at(folder / "edge")
        while theirs.at < self.end:
            row = theirs.write(keys=2)
            root = row.root or ""
            self.house.arrivals.put(edge, root, offset=0, body=volumes.path_of(row).read_bytes())
            said = ArrivalRequest(
                camera=CAMERA,
                stream="main",
                size_bytes=row.size_bytes,
                shift_us=SHIFT // timedelta(microseconds=1),
                shift_error_us=1000,
            )
            self.house.arrivals.take(edge, root, said=said)
        edge_database.close()

    def export(self) -> tuple[Path, Path]:
        """A clip of all of it, and its sheet."""
        light = Passwords(Cost(memory_kib=64, passes=1, lanes=1))
        clock = self.house.clock
        oversight = Oversight(self.house.database, OversightSettings(), clock, passwords=light)
        actor = self._sign_in(oversight)
        with self.house.database.begin() as connection:
            scope = [PurposeScope(camera=CAMERA, from_at=NOON, to_at=None)]
            oversight.open_purpose(connection, kind="case", ref="C-1", scope=scope)
        exports = ClipExports(
            self.house.database,
            oversight=oversight,
            clock=clock,
            data_dir=self.house.data_dir,
            settings=VideoSettings(reserve_gb=0),
        )
        request = ExportRequest(camera=CAMERA, from_at=NOON, to_at=self.end, reason="FIR 123/26, a test")
        folder = self.house.data_dir / "exports" / exports.make(actor, request).id
        return folder / "clip.mp4", folder / "sheet.json"

    def _sign_in(self, oversight: Oversight) -> Actor:
        oversight.create_user("ines", PHRASE, role=Role.INVESTIGATOR, display_name="Ines")
        actor = oversight.sign_in("ines", PHRASE, console="desk").session.actor
        oversight.start_shift(actor)
        return actor


def times_of(clip: Path) -> list[float]:
    with av.open(str(clip)) as container:
        return [float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.size]


def change(good: Sheet, number: int, **lie: object) -> Sheet:
    segments = list(good.segments)
    segments[number] = segments[number].model_copy(update=lie)
    return good.model_copy(update={"segments": tuple(segments)})


def test_a_clip_over_seams_is_whole_says_its_sources_and_proves_itself(
    database: Database, tmp_path: Path, clips_dir: Path
) -> None:
    seams = Seams(database, tmp_path, clips_dir)
    clip, sheet_file = seams.export()
    found = verify_clip(clip, sheet_file)
    sheet = found.sheet

    # What came from where
    origins = [one.origin for one in sheet.segments]
    assert origins == ["recorded", *["edge"] * (len(origins) - 2), "recorded"]
    assert len(origins) >= 5
    assert {one.shift_us for one in sheet.segments} == {0, SHIFT // timedelta(microseconds=1)}
    assert sheet.gaps == ()

    # All of it, once, but for one group of pictures at a seam
    times = times_of(clip)
    length_s = (seams.end - NOON).total_seconds()
    assert all(later - earlier < 0.5 for earlier, later in itertools.pairwise(sorted(times))), "there is a hole"
    assert len(times) == found.pictures
    assert length_s <= found.duration_s < length_s + 2 * GROUP_S
    command = ["ffprobe", "-v", "fatal", "-count_frames", "-of", "json", "-show_streams", str(clip)]
    probe = subprocess.run(command, capture_output=True, check=True, text=True)
    assert int(json.loads(probe.stdout)["streams"][0]["nb_read_frames"]) == len(times)  # each of them can be decoded

    # Nobody bends it afterwards
    good = read_sheet(sheet_file.read_bytes())
    middle = good.segments[2]
    lies = [
        change(good, 1, origin="recorded"),
        change(good, 2, shift_us=middle.shift_us + 60_000_000),
        change(good, 2, started_at=middle.started_at + timedelta(seconds=1)),
        change(good, 2, fragments=middle.fragments[:-1]),
        good.model_copy(update={"segments": (*good.segments[:2], *good.segments[3:])}),
    ]
    for number, lie in enumerate(lies):
        sheet_file.write_bytes(render_sheet(lie))
        with pytest.raises(Invalid):
            verify_clip(clip, sheet_file)
            pytest.fail(f"lie {number} was believed")
