"""Exports: the recorded pictures untouched, gaps kept, and a sheet with which any change is found."""

import hashlib
import itertools
import json
import random
import subprocess
from datetime import timedelta
from pathlib import Path

import av
import pytest
import rfc8785
from typer.testing import CliRunner

from safecity.oversight.model import Role
from safecity.platform.errors import Conflict, DataLoss, Denied, Invalid, NotFound
from safecity.video.clip_verify import verify_clip
from safecity.video.commands import clip_app
from safecity.video.export import KEEP_EXPORTS, ExportRequest
from safecity.video.model import SegmentState
from safecity.video.sheet import read_sheet, render_sheet
from tests.rooms.video.house import House
from tests.rooms.video.recorded import CAMERA, NOON, FakeRecorder, load_clip


@pytest.fixture
def house(tmp_path: Path, clips_dir: Path) -> House:
    made = House(tmp_path, clips_dir / "suburban_road_a.mp4")
    made.open_case("2026-000012")
    return made


def packets_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def record_three_with_a_gap(house: House) -> None:
    house.recorder.write(keys=3)
    house.recorder.write(keys=2)
    house.recorder.pause(20)
    house.recorder.write(keys=3, session="s2", rate_ppb=300_000)
    house.clock.advance(60)


def test_a_clip_over_three_segments_with_a_gap_is_byte_for_byte_the_recorded_one(house: House) -> None:
    record_three_with_a_gap(house)
    clip, sheet = house.export(from_s=0, to_s=60)
    assert packets_of(clip) == [sample.data for sample in house.recorder.samples]
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-of", "json", "-show_streams", str(clip)],
        capture_output=True,
        check=True,
        text=True,
    )
    assert probe.stderr == ""
    assert int(json.loads(probe.stdout)["streams"][0]["nb_read_frames"]) == len(house.recorder.samples)
    found = verify_clip(clip, sheet)
    assert found.pictures == len(house.recorder.samples)
    assert [item.root for item in found.sheet.segments] == [segment.root for segment in house.recorder.segments]
    assert [gap.cause for gap in found.sheet.gaps][:1] == ["recorder"]
    assert found.sheet.gaps[0].to_at - found.sheet.gaps[0].from_at == timedelta(seconds=20)
    with av.open(str(clip)) as container:
        times = [float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.size]
    holes = [later - earlier for earlier, later in itertools.pairwise(times) if later - earlier > 1]
    assert holes == [pytest.approx(20, abs=0.2)], "a gap stays a gap"


def test_a_clip_begins_at_the_key_frame_before_and_carries_whole_fragments(house: House, clips_dir: Path) -> None:
    house.recorder = FakeRecorder(
        house.database, house.data_dir / "media", load_clip(clips_dir / "suburban_road_a.mp4"), fragment_s=0.7
    )
    house.recorder.write(keys=6)
    house.clock.advance(30)
    clip, sheet = house.export(from_s=5.2, to_s=7.1)
    found = verify_clip(clip, sheet)
    assert found.sheet.segments[0].fragments[0].left_out > 0, "the key frame lies inside a fragment"
    assert NOON + timedelta(seconds=3.8) < found.sheet.first_at < NOON + timedelta(seconds=4.2)
    packets = packets_of(clip)
    samples = [sample.data for sample in house.recorder.samples]
    start = samples.index(packets[0])
    assert samples[start : start + len(packets)] == packets
    with av.open(str(clip)) as container:
        assert next(container.decode(video=0)).key_frame


def test_any_flipped_byte_is_found(house: House) -> None:
    record_three_with_a_gap(house)
    clip, sheet = house.export(from_s=3, to_s=40)
    good_clip, good_sheet = clip.read_bytes(), sheet.read_bytes()
    dice = random.Random(7)
    for path, good in ((clip, good_clip), (sheet, good_sheet)):
        for at in [0, len(good) - 1, *(dice.randrange(len(good)) for _ in range(60))]:
            bad = bytearray(good)
            bad[at] ^= 1 << dice.randrange(8)
            path.write_bytes(bytes(bad))
            with pytest.raises(Invalid):
                verify_clip(clip, sheet)
        path.write_bytes(good)
    verify_clip(clip, sheet)


def test_a_forger_who_writes_a_new_sheet_cannot_bend_the_pictures(house: House) -> None:
    """The sheet's own hash stops accidents; the tree stops someone who computes that hash anew."""
    record_three_with_a_gap(house)
    clip, sheet = house.export(from_s=0, to_s=60)
    good_clip, good = clip.read_bytes(), read_sheet(sheet.read_bytes())
    dice = random.Random(8)
    for _ in range(40):
        bad = bytearray(good_clip)
        bad[dice.randrange(len(bad))] ^= 1
        clip.write_bytes(bytes(bad))
        about = good.clip.model_copy(update={"sha256": hashlib.sha256(bad).hexdigest()})
        sheet.write_bytes(render_sheet(good.model_copy(update={"clip": about})))
        with pytest.raises(Invalid):
            verify_clip(clip, sheet)
    clip.write_bytes(good_clip)
    first, hour = good.segments[0], timedelta(hours=1)
    moved = tuple(one.model_copy(update={"shift_us": hour // timedelta(microseconds=1)}) for one in good.segments)
    for lie in (
        {"segments": moved, "first_at": good.first_at + hour, "end_at": good.end_at + hour},
        {"segments": (first.model_copy(update={"fragments": first.fragments[1:]}), *good.segments[1:])},
        {"segments": good.segments[1:]},
        {"segments": (first.model_copy(update={"started_at": NOON - timedelta(hours=1)}), *good.segments[1:])},
        {"segments": (first.model_copy(update={"root": "0" * 64}), *good.segments[1:])},
        {"first_at": NOON - timedelta(seconds=5)},
        {"camera": "cam_t-2"},
    ):
        sheet.write_bytes(render_sheet(good.model_copy(update=lie)))
        with pytest.raises(Invalid):
            verify_clip(clip, sheet)


def test_the_open_segment_can_be_exported(house: House) -> None:
    house.recorder.write(keys=2)
    house.recorder.write(keys=3, state=SegmentState.OPEN)
    house.clock.advance(30)
    clip, sheet = house.export(from_s=1, to_s=20)
    assert verify_clip(clip, sheet).sheet.segments[-1].state == "open"
    assert packets_of(clip) == [sample.data for sample in house.recorder.samples]


def test_a_changed_recording_is_not_exported(house: House) -> None:
    segment = house.recorder.write(keys=3)
    house.clock.advance(30)
    path = house.data_dir / "media" / segment.path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataLoss):
        house.export(from_s=0, to_s=5)
    assert list((house.data_dir / "exports").iterdir()) == [], "nothing half-made is left"


def test_a_change_of_format_is_told(house: House, clips_dir: Path) -> None:
    house.recorder.write(keys=2)
    house.recorder.clip = load_clip(clips_dir / "intel_car_detection.mp4")
    changed = house.recorder.write(keys=1, session="s2")
    house.clock.advance(60)
    with pytest.raises(Conflict) as told:
        house.export(from_s=0, to_s=30)
    assert told.value.facts["change_at"] == changed.started_at.isoformat()


def test_who_may_not_gets_nothing_and_it_is_written_down(house: House) -> None:
    record_three_with_a_gap(house)
    request = ExportRequest(camera=CAMERA, from_at=NOON, to_at=NOON + timedelta(seconds=5), reason="because")
    for name, role in (("olga", Role.OPERATOR), ("adam", Role.ADMINISTRATOR)):
        actor = house.sign_in(name, role, on_duty=role is Role.OPERATOR)
        with pytest.raises(Denied):
            house.exports.make(actor, request)
    export = house.exports.make(house.actor, request)
    with pytest.raises(Denied):
        house.exports.permitted(actor, export.id, part="clip.mp4")
    assert house.exports.permitted(house.actor, export.id, part="clip.mp4").exists()
    auditor = house.sign_in("aude", Role.AUDITOR, on_duty=False)
    types = [leaf.type for leaf in house.oversight.read_log(auditor).leaves]
    assert types.count("refused") == 3
    assert types.count("export_clip") == 2
    assert types.count("export_made") == 1


def test_a_clip_needs_a_case_that_covers_it_and_ends_with_it(house: House) -> None:
    record_three_with_a_gap(house)
    export = house.exports.make(house.actor, _first_seconds())
    with house.database.read() as connection:
        case = house.oversight.find_purpose(connection, kind="case", ref="2026-000012")
    assert case is not None
    house.close(case)
    before = len(list((house.data_dir / "exports").iterdir()))
    for part in ("clip.mp4", "sheet.json"):
        with pytest.raises(Denied, match="Open the case or incident"):
            house.exports.permitted(house.actor, export.id, part=part)
    with pytest.raises(Denied):
        house.exports.make(house.actor, _first_seconds())
    narrow = house.open_case("2026-000013", from_at=NOON + timedelta(seconds=1))
    with pytest.raises(Denied):
        house.exports.make(house.actor, _first_seconds())
    house.close(narrow)
    assert len(list((house.data_dir / "exports").iterdir())) == before
    house.open_case("2026-000014", to_at=NOON + timedelta(seconds=5))
    again = house.exports.make(house.actor, _first_seconds())
    sheet = read_sheet((house.data_dir / "exports" / again.id / "sheet.json").read_bytes())
    assert sheet.purpose is not None
    assert (sheet.purpose.kind, sheet.purpose.ref) == ("case", "2026-000014")
    assert house.exports.permitted(house.actor, export.id, part="clip.mp4").exists(), "any case that covers it"
    house.oversight.end_shift(house.actor)
    with pytest.raises(Denied, match="not on duty"):
        house.exports.permitted(house.actor, export.id, part="clip.mp4")


def _first_seconds() -> ExportRequest:
    return ExportRequest(camera=CAMERA, from_at=NOON, to_at=NOON + timedelta(seconds=5), reason="because")


def test_a_sheet_from_before_cases_were_known_still_verifies(house: House) -> None:
    record_three_with_a_gap(house)
    clip, sheet = house.export(from_s=0, to_s=60)
    body = json.loads(sheet.read_bytes())
    del body["purpose"], body["sheet_sha256"]
    body["sheet_sha256"] = hashlib.sha256(rfc8785.dumps(body)).hexdigest()
    sheet.write_bytes(rfc8785.dumps(body) + b"\n")
    assert verify_clip(clip, sheet).sheet.purpose is None


def test_wrong_requests_are_refused_with_what_to_do(house: House) -> None:
    for from_s, to_s, kind in ((5, 5, Invalid), (0, 4000, Invalid), (0, 10, NotFound)):
        with pytest.raises(kind):
            house.export(from_s=from_s, to_s=to_s)


def test_files_go_after_their_time(house: House) -> None:
    record_three_with_a_gap(house)
    clip, _ = house.export(from_s=0, to_s=5)
    orphan = house.data_dir / "exports" / "exp_half"
    orphan.mkdir()
    assert house.exports.delete_expired() == 0
    house.clock.advance(KEEP_EXPORTS.total_seconds())
    assert house.exports.delete_expired() == 1
    assert not clip.exists()
    assert house.exports.delete_expired() == 0


def test_the_command_needs_no_database(house: House, tmp_path: Path) -> None:
    record_three_with_a_gap(house)
    clip, sheet = house.export(from_s=0, to_s=60)
    run = CliRunner()
    told = run.invoke(clip_app, ["verify", str(clip), str(sheet)])
    assert told.exit_code == 0
    assert "VERIFIED" in told.output
    facts = json.loads(run.invoke(clip_app, ["verify", str(clip), str(sheet), "--json"]).output)
    assert facts["verified"]
    assert facts["pictures"] == len(house.recorder.samples)
    clip.write_bytes(clip.read_bytes()[:-1])
    assert run.invoke(clip_app, ["verify", str(clip), str(sheet)]).exit_code == 1
