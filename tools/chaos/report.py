"""The report of a run: what was done, what the books say, and whether the two agree."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from tools.chaos.causes import Hole, matrix
from tools.chaos.run import Outcome

SHOWN = 20


def report(outcome: Outcome) -> str:
    """Markdown."""
    options, found = outcome.options, outcome.account
    cameras = options.places * options.cameras_a_place
    broken = outcome.broken()
    lines = [
        f"# Soak of {outcome.began_at:%Y-%m-%d}",
        "",
        f"{cameras} virtual cameras of {options.bitrate_bps / 1e6:.1f} Mbit/s at {options.places} places (network "
        f"namespaces) recorded for {outcome.seconds / 60:.0f} minutes by {options.centre.recorders} recorders with our "
        f"own reader, while things were done to them at random (seed {options.seed}). Written by `make soak`.",
        "",
        f"**{'Everything holds.' if not broken else 'Does not hold: ' + '; '.join(broken) + '.'}**",
        "",
        *_table(
            ("", ""),
            [
                ("camera-seconds expected", f"{found.expected_s:,.1f}"),
                ("recorded", f"{found.recorded_s:,.1f} ({found.recorded_s / max(found.expected_s, 1):.3%})"),
                *((f"missing, cause {cause}", f"{s:,.1f}") for cause, s in sorted(found.missing_s.items())),
                ("unexplained", f"{found.unexplained_s:,.1f}"),
                ("accounted", f"{found.accounted_share:.4%}"),
                (
                    f"holes in {options.starves_s:.0f} s before, while analysers and web were killed, hung and starved",
                    f"{len(outcome.starved_missing)}",
                ),
                ("files acknowledged by the index", f"{outcome.acknowledged:,}"),
                ("of them lost, shorter or changed at the end", f"{len(outcome.lost)}"),
                ("pictures that the cameras sent", f"{outcome.sent:,}"),
                ("pictures in the files, each looked for in what was sent", f"{outcome.pictures:,}"),
                ("of them sent damaged or cut", f"{outcome.damaged:,}"),
                ("pictures sent in recorded time that the files lack", f"{outcome.not_in_files:,}"),
                ("files whose length is wrong by over 3 s", f"{len(outcome.wrong_length)}"),
            ],
        ),
        "",
        "## What was done",
        *_table(("deed", "times"), sorted(Counter(deed.kind for deed in outcome.deeds).items())),
        "",
        f"kill -9 altogether: {sum(deed.kind.startswith('kill') for deed in outcome.deeds)}",
        "",
        "## Missing seconds: what was done against what the ledger calls it",
        *_matrix(outcome),
        *_list("Holes that nothing explains", (_hole(one) for one in found.holes if one.deed is None)),
        *_list("Holes while what looks was killed, hung and starved", outcome.starved_missing),
        *_list("Acknowledged and lost", outcome.lost),
        *_list("Not in the files", outcome.problems),
        *_list("Of a wrong length", outcome.wrong_length),
        *_list("What could not be done", outcome.could_not),
    ]
    return "\n".join(lines) + "\n"


def write_report(folder: Path, text: str, *, at: datetime) -> Path:
    """Into `soak-<date>.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"soak-{at:%Y-%m-%d}.md"
    path.write_text(text, encoding="utf-8")
    return path


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'|'.join('---' for _ in head)}|",
        *(f"| {' | '.join(map(str, row))} |" for row in rows),
    ]


def _matrix(outcome: Outcome) -> list[str]:
    table = matrix(outcome.account.holes)
    causes = sorted({cause for row in table.values() for cause in row})
    rows = [(deed, *(f"{row.get(cause, 0.0):,.1f}" for cause in causes)) for deed, row in sorted(table.items())]
    return [*_table(("deed", *causes), rows), ""]


def _hole(hole: Hole) -> str:
    return (
        f"{hole.camera}: {hole.seconds:.1f} s of {hole.cause.value} from {hole.from_at:%H:%M:%S} (the centre's clock)"
    )


def _list(title: str, items: Iterable[str]) -> list[str]:
    found = list(items)
    if not found:
        return []
    more = [f"- and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return [f"## {title}", *(f"- {one}" for one in found[:SHOWN]), *more, ""]
