"""The gap ledger as the city publishes it: sums of closed days over all cameras, nothing of any single one."""

import html
from collections.abc import Sequence
from datetime import date

from safecity.platform.database import Database
from safecity.video.ledger_days import ClosedDay, list_closed_days
from safecity.video.model import Cause

DAYS = 31
WORDS = {
    "en": {
        "title": "What the city's cameras recorded",
        "lead": "Camera-seconds of each closed day: recorded, filled in later, or missing with the cause. "
        "Unexplained is what nobody can account for; it should be zero.",
        "day": "Day", "cameras": "Cameras", "recorded": "Recorded", "recovered": "Filled in later",
        "missing": "Missing", "unexplained": "Unexplained", "none": "No day has been closed yet.",
        "camera": "camera", "link": "link", "credentials": "password", "power": "power", "recorder": "recorder",
        "disk": "disk", "policy": "not kept",
    },
    "ur": {
        "title": "شہر کے کیمروں نے کیا ریکارڈ کیا",
        "lead": "ہر مکمل دن کے کیمرہ سیکنڈ: ریکارڈ شدہ، بعد میں بھرے گئے، یا وجہ کے ساتھ غائب۔ "
        "بے وجہ وہ ہے جس کا حساب کوئی نہیں دے سکتا؛ اسے صفر ہونا چاہیے۔",
        "day": "دن", "cameras": "کیمرے", "recorded": "ریکارڈ شدہ", "recovered": "بعد میں بھرے گئے",
        "missing": "غائب", "unexplained": "بے وجہ", "none": "ابھی تک کوئی دن مکمل نہیں ہوا۔",
        "camera": "کیمرہ", "link": "رابطہ", "credentials": "پاس ورڈ", "power": "بجلی", "recorder": "ریکارڈر",
        "disk": "ڈسک", "policy": "محفوظ نہیں رکھا گیا",
    },
}  # fmt: skip


def list_days(database: Database, *, limit: int = DAYS) -> list[ClosedDay]:
    """The newest closed days, oldest first. Raises Unavailable."""
    with database.read() as connection:
        return list_closed_days(connection, limit=limit)


def render_page(days: Sequence[ClosedDay], *, city: str, language: str) -> str:
    """A plain page that every browser, printer and screen reader can read; newest day first."""
    words = WORDS.get(language, WORDS["en"])
    direction = "rtl" if language == "ur" else "ltr"
    title = f"{words['title']}: {html.escape(city)}"
    heads = "".join(f'<th scope="col">{words[name]}</th>' for name in ("day", "cameras", "recorded", "recovered"))
    heads += f'<th scope="col">{words["missing"]}</th><th scope="col">{words["unexplained"]}</th>'
    rows = "".join(_row(one, words) for one in reversed(days)) or f'<tr><td colspan="6">{words["none"]}</td></tr>'
    return (
        f'<!doctype html><html lang="{language}" dir="{direction}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        "<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding-inline:1rem}"
        "table{border-collapse:collapse;inline-size:100%}th,td{padding:.3rem .6rem;text-align:start;"
        "border-block-end:1px solid #bbb}td{font-variant-numeric:tabular-nums}</style>"
        f"<h1>{title}</h1><p>{words['lead']}</p><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        '<p><a href="?lang=en">English</a> · <a href="?lang=ur" lang="ur">اردو</a> · '
        '<a href="/api/public/ledger">JSON</a></p></html>'
    )


def _row(one: ClosedDay, words: dict[str, str]) -> str:
    missing = sorted(one.missing_s.items(), key=lambda item: -item[1])
    why = ", ".join(f"{_cause(cause, words)} {_share(seconds, one)}" for cause, seconds in missing if seconds > 0)
    cells = (_day(one.day), str(one.cameras), _share(one.recorded_s, one), _share(one.recovered_s, one), why or "-")
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in (*cells, f"{one.unexplained_s:,.0f} s")) + "</tr>"


def _cause(cause: Cause, words: dict[str, str]) -> str:
    return words[cause.value]


def _day(day: date) -> str:
    return f'<time datetime="{day.isoformat()}">{day.isoformat()}</time>'


def _share(seconds: float, one: ClosedDay) -> str:
    return f"{100 * seconds / one.expected_s:.2f} %" if one.expected_s else "-"
