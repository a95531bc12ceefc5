"""A served gateway for the tests that knock at its door."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from safecity.video import gateway
from tests.rooms.video.house import House
from tests.rooms.video.served import Running, serve


@pytest.fixture
def running(tmp_path: Path, clips_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A gateway with an investigator on duty, which checks its looks five times a second."""
    house = House(tmp_path, clips_dir / "suburban_road_a.mp4")
    monkeypatch.setattr(gateway, "CHECK_EVERY_S", 0.2)
    monkeypatch.setattr("safecity.api.media.CHECK_EVERY_S", 0.2)
    with serve(house) as made:
        yield made
