"""Counts over lines beside the truth, for real clips with labels.

    python -m tools.bench.counts --models motion yolox-nano --profiles offline live
    python -m tools.bench.counts --table     # Markdown for docs/measurements.md

One JSON line for each labelled line, model and profile, then a sum for each model and profile. The error of a direction
is how far the count lies from the truth; crossings that the truth calls uncertain (cut by the clip's start or end) may
be counted or not. Clips come from SAFECITY_TEST_DATA (folder with `video/` and `models/`); without it this says so and
measures nothing.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY))

from safecity.analytics.analyze import Wish, analyze_video  # noqa: E402
from safecity.analytics.boxes import Detector  # noqa: E402
from safecity.analytics.detectors import load_detector  # noqa: E402
from safecity.analytics.pipeline import LIVE, OFFLINE  # noqa: E402
from safecity.analytics.scene_file import scene_from  # noqa: E402

MODELS = {
    "motion": None,
    "yolox-nano-416": "yolox_nano_416.onnx",
    "yolox-nano-384x640": "derived/yolox_nano_dynamic.onnx",
}
PROFILES = {"offline": OFFLINE, "live": LIVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One direction-summed line of one clip."""

    clip: str
    line: str
    crossings: int
    counted: dict[str, int]
    truth: dict[str, int]
    abs_error: int


def labelled(folder: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Clips with labelled lines."""
    for path in sorted(folder.rglob("*.truth.json")):
        lines = json.loads(path.read_text())["lines"]
        if lines:
            yield path.with_name(path.name.replace(".truth.json", ".mp4")), lines


def count_clip(clip: Path, lines: Sequence[dict[str, Any]], *, detector: Detector | None, profile: str) -> list[Row]:
    """Analyse one clip and compare each of its lines."""
    scene = scene_from({"lines": [{"name": line["name"], "points": line["line"]} for line in lines]})
    found = analyze_video(clip, Wish(scene=scene, profile=PROFILES[profile], detector=detector))
    return [_compare(clip.stem, line, forward=sum(got.forward.values()), backward=sum(got.backward.values()))
            for line, got in zip(lines, found.lines, strict=True)]  # fmt: skip


def _compare(clip: str, line: dict[str, Any], *, forward: int, backward: int) -> Row:
    """The truth says up and down; forward is where (x2-x1)*(py-y1)-(y2-y1)*(px-x1) becomes positive."""
    (x1, _), (x2, _) = line["line"]
    counted = {"down": forward, "up": backward} if x2 > x1 else {"down": backward, "up": forward}
    truth = {way: int(line["counts"].get(way, {}).get("total", 0)) for way in ("up", "down")}
    error = 0
    for way, number in counted.items():
        unsure = sum(one["direction"] == way for one in line.get("uncertain", []))
        error += max(0, truth[way] - number, number - truth[way] - unsure)
    return Row(clip=clip, line=line["name"], crossings=sum(truth.values()), counted=counted, truth=truth,
               abs_error=error)  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--profiles", nargs="*", default=list(PROFILES), choices=list(PROFILES))
    parser.add_argument("--table", action="store_true", help="print Markdown instead of JSON lines")
    wanted = parser.parse_args()
    data = Path(os.environ.get("SAFECITY_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (data / "video").is_dir():
        print("counts: no clips; set SAFECITY_TEST_DATA to a folder that holds video/ and models/", file=sys.stderr)
        return
    columns: dict[tuple[str, str], list[Row]] = {}
    for model in wanted.models:
        file = MODELS[model]
        if file is not None and not (data / "models" / file).is_file():
            print(f"counts: no {data / 'models' / file}; skipped", file=sys.stderr)
            continue
        detector = None if file is None else load_detector(data / "models" / file)
        for profile in wanted.profiles:
            rows: list[Row] = []
            for clip, lines in labelled(data / "video"):
                rows += count_clip(clip, lines, detector=detector, profile=profile)
            columns[model, profile] = rows
            if not wanted.table:
                _print(model, profile, rows)
    if wanted.table:
        _print_table(columns)


def _print(model: str, profile: str, rows: Sequence[Row]) -> None:
    head = {"bench": "counts", "model": model, "profile": profile}
    for row in rows:
        print(json.dumps({**head, "clip": row.clip, "line": row.line, "truth": row.truth, "counted": row.counted,
                          "abs_error": row.abs_error}))  # fmt: skip
    total = {"abs_error": sum(row.abs_error for row in rows), "crossings": sum(row.crossings for row in rows)}
    print(json.dumps({**head, **total}), flush=True)


def _print_table(columns: dict[tuple[str, str], list[Row]]) -> None:
    if not columns:
        return
    print("| clip, line | truth up/down | " + " | ".join(f"{model}, {profile}" for model, profile in columns) + " |")
    print("|---|---|" + "---|" * len(columns))
    first = next(iter(columns.values()))
    for number, row in enumerate(first):
        cells = (f"{rows[number].counted['up']}/{rows[number].counted['down']}" for rows in columns.values())
        print(f"| {row.clip}, {row.line} | {row.truth['up']}/{row.truth['down']} | " + " | ".join(cells) + " |")
    sums = (f"**{sum(row.abs_error for row in rows)}**" for rows in columns.values())
    print(f"| sum of absolute errors | {sum(row.crossings for row in first)} crossings | " + " | ".join(sums) + " |")


if __name__ == "__main__":
    main()
