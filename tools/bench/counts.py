"""Counts over lines beside the truth, for real clips with labels.

    python -m tools.bench.counts --models motion yolox-nano --profiles offline live
    python -m tools.bench.counts --table     # Markdown for docs/measurements.md
    python -m tools.bench.counts --held-out  # clips that nothing in the programme was chosen by

One JSON line for each labelled line, model and profile, then a sum for each model and profile. The error of a direction
is how far the count lies from the truth; crossings that the truth calls uncertain (cut by the clip's start or end) may
be counted or not. Right sums hide wrong parts, so each crossing is also looked for by its time: `wrong` is how many
were missed or invented, with MATCH_S of tolerance. Clips come from SAFECITY_TEST_DATA (folder with `video/` and
`models/`); without it this says so and measures nothing.
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
MATCH_S = 0.6
BY_EYE = Path(__file__).with_name("counted_by_eye.json")
BY_EYE_FRAMES = 5
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
    wrong: int
    """Crossings missed or invented, matched by direction and time."""


def labelled(folder: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Clips with labelled lines."""
    for path in sorted(folder.rglob("*.truth.json")):
        lines = json.loads(path.read_text())["lines"]
        if lines:
            yield path.with_name(path.name.replace(".truth.json", ".mp4")), lines


def held_out(folder: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Clips whose crossings were counted by eye and that nothing was tuned on; in the shape of the others."""
    for clip in json.loads(BY_EYE.read_text())["clips"]:
        lines: list[dict[str, Any]] = []
        for line in clip["lines"]:
            way = line["way"]
            events = [{"direction": way, "frames": [at - BY_EYE_FRAMES, at + BY_EYE_FRAMES]}
                      for at in line["at_frames"]]  # fmt: skip
            lines.append({"name": line["name"], "line": line["line"], "counts": {way: {"total": len(events)}},
                          "events": events, "uncertain": [{"direction": way}] * line["unsure"]})  # fmt: skip
        yield folder / clip["clip"], lines


def count_clip(clip: Path, lines: Sequence[dict[str, Any]], *, detector: Detector | None, profile: str) -> list[Row]:
    """Analyse one clip and compare each of its lines."""
    ways = ("forward", "backward")
    rules = [{"kind": "line_crossing", "name": f"{line['name']} {way}", "line": line["name"], "direction": way}
             for line in lines for way in ways]  # fmt: skip
    drawn = [{"name": line["name"], "points": line["line"]} for line in lines]
    scene = scene_from({"lines": drawn, "rules": rules})
    found = analyze_video(clip, Wish(scene=scene, profile=PROFILES[profile], detector=detector))
    times = {(line["name"], way): [one.started_s for one in found.events if one.rule == f"{line['name']} {way}"]
             for line in lines for way in ways}  # fmt: skip
    fps = found.frames / found.duration_s
    return [_compare(clip.stem, line, forward=times[line["name"], "forward"],
                     backward=times[line["name"], "backward"], fps=fps)
            for line in lines]  # fmt: skip


def _wrong(found: Sequence[float], expected: Sequence[dict[str, Any]], unsure: Sequence[dict[str, Any]], *,
           fps: float) -> int:  # fmt: skip
    """How many of the times in seconds belong to no crossing of the truth, and crossings to no time."""
    left, missed = sorted(found), 0
    for one in sorted(expected, key=lambda event: event["frames"][0]):
        first_s, last_s = (frame / fps for frame in one["frames"])
        near = [at_s for at_s in left if first_s - MATCH_S <= at_s <= last_s + MATCH_S]
        if near:
            left.remove(min(near, key=lambda at_s: abs(at_s - (first_s + last_s) / 2)))
        else:
            missed += 1
    return missed + max(0, len(left) - len(unsure))


def _compare(clip: str, line: dict[str, Any], *, forward: Sequence[float], backward: Sequence[float],
             fps: float) -> Row:  # fmt: skip
    """The truth says up and down; forward is where (x2-x1)*(py-y1)-(y2-y1)*(px-x1) becomes positive."""
    (x1, _), (x2, _) = line["line"]
    times = {"down": forward, "up": backward} if x2 > x1 else {"down": backward, "up": forward}
    counted = {way: len(found) for way, found in times.items()}
    truth = {way: int(line["counts"].get(way, {}).get("total", 0)) for way in ("up", "down")}
    error = wrong = 0
    for way, number in counted.items():
        doubted = [one for one in line.get("uncertain", []) if one["direction"] == way]
        expected = [one for one in line["events"] if one["direction"] == way]
        error += max(0, truth[way] - number, number - truth[way] - len(doubted))
        wrong += _wrong(times[way], expected, doubted, fps=fps)
    return Row(clip=clip, line=line["name"], crossings=sum(truth.values()), counted=counted, truth=truth,
               abs_error=error, wrong=wrong)  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--profiles", nargs="*", default=list(PROFILES), choices=list(PROFILES))
    parser.add_argument("--table", action="store_true", help="print Markdown instead of JSON lines")
    parser.add_argument("--held-out", action="store_true", help="the clips that nothing was tuned on")
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
            for clip, lines in (held_out if wanted.held_out else labelled)(data / "video"):
                rows += count_clip(clip, lines, detector=detector, profile=profile)
            columns[model, profile] = rows
            if not wanted.table:
                _print(model, profile, rows, is_held_out=wanted.held_out)
    if wanted.table:
        _print_table(columns)


def _print(model: str, profile: str, rows: Sequence[Row], *, is_held_out: bool) -> None:
    head = {"bench": "counts-held-out" if is_held_out else "counts", "model": model, "profile": profile}
    for row in rows:
        print(json.dumps({**head, "clip": row.clip, "line": row.line, "truth": row.truth, "counted": row.counted,
                          "abs_error": row.abs_error, "wrong": row.wrong}))  # fmt: skip
    total = {"abs_error": sum(row.abs_error for row in rows), "crossings": sum(row.crossings for row in rows),
             "wrong": sum(row.wrong for row in rows)}  # fmt: skip
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
    missed = (f"{sum(row.wrong for row in rows)}" for rows in columns.values())
    print("| missed or invented, crossing by crossing | | " + " | ".join(missed) + " |")


if __name__ == "__main__":
    main()
