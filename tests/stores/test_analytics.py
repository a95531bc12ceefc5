"""The tables of analysis, on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta

from safecity.analytics import store
from safecity.analytics.scene import Scene, SceneLine
from safecity.analytics.store import AnalyserStatus, StoredScene
from safecity.events.analytics import LineCounted
from safecity.platform.database import Database
from safecity.sites.model import CameraId

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CAMERA = CameraId("cam_a")


def drawn(version: int, *names: str) -> StoredScene:
    lines = tuple(SceneLine(name=name, points=((0, 0), (10.5, 20))) for name in names)
    return StoredScene(
        camera=CAMERA,
        width_px=640,
        height_px=360,
        scene=Scene(lines=lines),
        version=version,
        changed_at=NOON,
        changed_by=None,
    )


def test_a_scene_comes_back_as_it_was_drawn(database: Database) -> None:
    with database.begin() as connection:
        assert store.find_scene(connection, CAMERA) is None
        store.put_scene(connection, drawn(1, "a"))
        store.put_scene(connection, drawn(2, "a", "b"))
    with database.read() as connection:
        assert store.find_scene(connection, CAMERA) == drawn(2, "a", "b")
        assert store.list_versions(connection) == {CAMERA: 2}


def test_counts_are_written_once_and_summed(database: Database) -> None:
    with database.begin() as connection:
        for minute in range(3):
            counted = LineCounted(
                camera=CAMERA,
                line="a",
                from_at=NOON + timedelta(minutes=minute),
                to_at=NOON + timedelta(minutes=minute + 1),
                forward={"car": 1 + minute},
                backward={},
                model="motion",
            )
            assert store.state_count(connection, counted, source="analyser-1")
            assert not store.state_count(connection, counted, source="analyser-1")
    with database.read() as connection:
        totals = store.read_totals(connection, CAMERA, from_at=NOON, to_at=NOON + timedelta(minutes=2))
    assert [(one.line, one.forward, one.backward) for one in totals.lines] == [("a", {"car": 3}, {})]
    assert totals.models == ["motion"]


def test_an_analysers_last_word_replaces_the_one_before(database: Database) -> None:
    for second in range(2):
        word = AnalyserStatus(
            slot="analyser-1", pid=7, started_at=NOON, seen_at=NOON + timedelta(seconds=second), status={"cameras": 1}
        )
        with database.begin() as connection:
            store.put_analyser_status(connection, word)
    with database.read() as connection:
        assert store.list_analyser_statuses(connection) == [word]
