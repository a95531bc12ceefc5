"""Chaos: `make soak ARGS="--minutes 60"`. See tools/chaos/README.md."""

import argparse
import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tools.chaos.centre import CentreOptions
from tools.chaos.places import why_not
from tools.chaos.report import report, write_report
from tools.chaos.run import ChaosOptions, run_chaos

REPOSITORY = Path(__file__).parent.parent.parent
HOUR = {
    # first at, period, lasts from, to (seconds)
    "kill": (5.0, 15.5, 0.0, 0.0),
    "fault": (3.0, 9.0, 4.0, 25.0),
    "cut": (40.0, 150.0, 2.0, 35.0),
    "full": (200.0, 600.0, 8.0, 20.0),
    "read-only": (400.0, 700.0, 6.0, 15.0),
    "clock": (100.0, 300.0, 0.0, 0.0),
}
MINUTE = {
    "kill": (2.0, 3.0, 0.0, 0.0),
    "fault": (1.0, 2.5, 2.0, 5.0),
    "cut": (6.0, 14.0, 2.0, 5.0),
    "full": (8.0, 40.0, 4.0, 5.0),
    "read-only": (17.0, 60.0, 3.0, 4.0),
    "clock": (9.0, 11.0, 0.0, 0.0),
}


def list_clips() -> list[Path]:
    """Two real clips of the test data."""
    folder = Path(os.environ.get("SAFECITY_TEST_DATA", REPOSITORY.parent / "shared" / "data")) / "video"
    return sorted(folder.glob("*.mp4"))[-2:]


def main() -> int:
    """Torment, account, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--cameras", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where everything is made; emptied first")
    parser.add_argument("--report", type=Path, help="folder in which the report is left")
    asked = parser.parse_args()
    reason = why_not()
    if reason is not None:
        print(f"chaos needs a machine of its own: {reason}", file=sys.stderr)
        return 2
    places = 1 if asked.cameras < 4 else 2 if asked.cameras < 30 else 3
    options = ChaosOptions(
        folder=asked.folder or Path(tempfile.mkdtemp(prefix="safecity-chaos-")), clips=list_clips(),
        cache=Path(tempfile.gettempdir()) / "safecity-chaos-clips", seconds=asked.minutes * 60, places=places,
        cameras_a_place=-(-asked.cameras // places),
        disk_bytes=int(asked.cameras * max(2.0, asked.minutes) * 60 * 80_000) + 2 * 1024**3,
        centre=CentreOptions(recorders=2, analysers=1, segment_s=60.0 if asked.minutes > 5 else 10.0, watched=4),
        seed=asked.seed, plan=HOUR if asked.minutes > 5 else MINUTE, starves_s=60.0 if asked.minutes > 5 else 15.0,
    )  # fmt: skip
    outcome = run_chaos(options, say=lambda text: print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True))
    text = report(outcome)
    print(text)
    if asked.report is not None:
        print(f"written: {write_report(asked.report, text, at=outcome.began_at)}")
    broken = outcome.broken()
    print(json.dumps({"bench": "chaos", "minutes": asked.minutes, "cameras": asked.cameras, "broken": broken}))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
