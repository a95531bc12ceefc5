"""The published ledger: anybody may read the sums of closed days, and nothing else."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from fastapi.testclient import TestClient

from safecity.oversight.model import Role
from safecity.platform.database import Database
from safecity.video.check_store import put_findings
from safecity.video.day_ledger import DayLedger
from safecity.video.day_rules import Finding
from safecity.video.file_verify import FILE_FLAWS, Flaw
from safecity.video.ledger_days import put_closed_day
from safecity.video.model import Cause, Stream
from tests.rooms.video.paper import KEY

DAY = date(2026, 3, 1)
NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
LEDGER = DayLedger(
    day=DAY, from_at=NOW, until=NOW, cameras=2, expected_s=172_800.0, recorded_s=172_000.0, recovered_s=500.0,
    missing_s={Cause.LINK: 290.0}, unexplained_s=10.0,
)  # fmt: skip


def test_anybody_reads_the_closed_days(client: TestClient, database: Database) -> None:
    assert client.get("/api/public/ledger").json()["days"] == []
    assert "No day has been closed yet" in client.get("/public/ledger").text
    with database.begin() as connection:
        put_closed_day(connection, LEDGER, now=NOW)
    found = client.get("/api/public/ledger")
    assert found.status_code == 200
    assert found.json()["days"] == [
        {
            "day": "2026-03-01",
            "cameras": 2,
            "expected_s": 172_800.0,
            "recorded_s": 172_000.0,
            "recovered_s": 500.0,
            "missing_s": {"link": 290.0},
            "unexplained_s": 10.0,
        }
    ]
    page = client.get("/public/ledger?lang=ur")
    assert 'dir="rtl"' in page.text
    assert "99.54 %" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/public/ledger?lang=<script>").status_code == 422


def test_health_says_what_the_slow_check_has_found(sign_in: Callable[[Role], TestClient], database: Database) -> None:
    browser = sign_in(Role.SUPERVISOR)
    assert browser.get("/api/health/detail").json()["store"] == {
        "days": 0,
        "oldest_checked_at": None,
        "newest_checked_at": None,
        "findings": {},
    }
    finding = Finding(key=(KEY[0], Stream.MAIN), at=NOW, kind=Flaw.ROOT, detail="other bytes", path="a/b.mp4")
    with database.begin() as connection:
        put_findings(connection, KEY, [finding], kinds=FILE_FLAWS, within=(NOW, NOW), now=NOW)
    assert browser.get("/api/health/detail").json()["store"]["findings"] == {"root": 1}
