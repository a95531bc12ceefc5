"""The short version of `make soak`: kills, faults, cut links, a failing disk, stepping clocks; all accounted for."""

from pathlib import Path

import pytest

from tests.conftest import missing
from tools.chaos.__main__ import MINUTE
from tools.chaos.centre import CentreOptions
from tools.chaos.places import why_not
from tools.chaos.report import report
from tools.chaos.run import ChaosOptions, run_chaos

SECONDS = 24.0
STARVES_S = 9.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_city_that_suffers_loses_nothing_unexplained(tmp_path: Path, clips_dir: Path) -> None:
    reason = why_not()
    if reason is not None:
        missing(reason)
    options = ChaosOptions(
        folder=tmp_path / "city", clips=[clips_dir / "toll_gate_b.mp4"], cache=tmp_path / "clips", seconds=SECONDS,
        places=2, cameras_a_place=3, disk_bytes=400 * 1024**2, seed=20, starves_s=STARVES_S, plan=MINUTE,
        centre=CentreOptions(recorders=2, analysers=1, segment_s=6.0, watched=1), bitrate_bps=300_000,
    )  # fmt: skip
    outcome = run_chaos(options, say=print)
    text = report(outcome)
    assert outcome.broken() == [], text
    done = {deed.kind for deed in outcome.deeds}
    assert {"disk full", "disk read-only", "link cut", "clock step"} <= done
    assert any(kind.startswith("kill") for kind in done)
    assert outcome.pictures > 500
    assert outcome.acknowledged > 6
