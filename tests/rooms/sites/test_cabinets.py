"""Cabinets: what they say, over a real MQTT broker and over HTTP, and what becomes of it."""

import getpass
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.platform.errors import Invalid, NotFound
from safecity.platform.settings import CabinetsSettings
from safecity.sites.cabinets.model import Kind, Reading, conditions_of, instant_of, read_reading
from safecity.sites.cabinets.mqtt import MqttListener
from safecity.sites.cabinets.service import Cabinets
from safecity.sites.cabinets.store import list_power_cuts, list_standing
from safecity.sites.cabinets.tokens import is_token, new_token, revoke_token
from safecity.sites.model import CameraId, SiteId
from safecity.video.model import Cause, Missing
from safecity.video.power import BATTERY_LASTS, blame_power
from tests.conftest import missing

from .conftest import Centre

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SITE = "QTA-001"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"{}", b'{"at": "2026-03-01T12:00:00Z"}', b'{"battery_percent": 200}', b'{"temperature_c": NaN}',
     b'{"mains": "perhaps"}', b'{"at": "yesterday", "mains": true}', b'{"mains": true}' + b" " * 5000, b"\xff\xfe"],
)  # fmt: skip
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        read_reading(raw)


@settings(deadline=None)
@given(st.lists(st.floats(-60, 150), min_size=2, max_size=30))
def test_a_temperature_does_not_flutter(figures: list[float]) -> None:
    """The word changes only when the figure has crossed both limits."""
    before: dict[Kind, str] = {}
    for figure in figures:
        (condition,) = conditions_of(Reading(temperature_c=figure), before=before)
        if before.get(Kind.TEMPERATURE) is not None and 50.0 < figure <= 55.0:
            assert condition.word == before[Kind.TEMPERATURE]
        before[Kind.TEMPERATURE] = condition.word


def test_a_cabinet_whose_clock_runs_ahead_is_heard_now() -> None:
    assert instant_of(Reading(mains=True, at=NOW + timedelta(hours=1)), now=NOW) == NOW
    assert instant_of(Reading(mains=True, at=NOW - timedelta(hours=1)), now=NOW) == NOW - timedelta(hours=1)
    assert instant_of(Reading(mains=True), now=NOW) == NOW


def said(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_only_a_change_is_a_fact_and_old_words_change_nothing(centre: Centre) -> None:
    centre.import_quetta(12)
    cabinets = Cabinets(centre.database, clock=centre.clock, source="test")
    first = centre.clock.now()
    assert [one.word for one in cabinets.take(SITE, said(mains=True, temperature_c=40))] == ["on", "normal"]
    centre.clock.advance(60)
    assert cabinets.take(SITE, said(mains=True, temperature_c=48)) == []
    centre.clock.advance(60)
    assert [one.word for one in cabinets.take(SITE, said(mains=False))] == ["off"]
    # Late and twice: told at `first`, heard now.
    assert cabinets.take(SITE, said(mains=True, at=first.isoformat())) == []
    with centre.database.read() as connection:
        standing = {one.condition.kind: one for one in list_standing(connection)}
    assert standing[Kind.MAINS].condition.word == "off"
    assert standing[Kind.TEMPERATURE].condition.figure == 48
    with pytest.raises(NotFound):
        cabinets.take("QTA-999", said(mains=True))


def test_a_power_cut_is_found_for_the_cameras_of_its_site(centre: Centre) -> None:
    centre.import_quetta(12)
    cabinets = Cabinets(centre.database, clock=centre.clock, source="test")
    cabinets.take(SITE, said(mains=True))
    centre.clock.advance(60)
    began = centre.clock.now()
    cabinets.take(SITE, said(mains=False))
    centre.clock.advance(60)
    ended = centre.clock.now()
    cabinets.take(SITE, said(mains=True))
    hour = timedelta(hours=1)
    with centre.database.read() as connection:
        mine = list_power_cuts(connection, CameraId("cam_qta-001-01"), from_at=began - hour, to_at=ended + hour)
        other = list_power_cuts(connection, CameraId("cam_qta-002-01"), from_at=began - hour, to_at=ended + hour)
        after = list_power_cuts(connection, CameraId("cam_qta-001-01"), from_at=ended, to_at=ended + hour)
    assert mine == [(began, ended)]
    assert other == after == []


def hole(start_s: float, end_s: float, cause: Cause = Cause.LINK) -> Missing:
    return Missing(from_at=NOW + timedelta(seconds=start_s), to_at=NOW + timedelta(seconds=end_s), cause=cause)


def test_holes_that_began_in_a_power_cut_are_laid_to_it() -> None:
    cut = (NOW + timedelta(seconds=10), NOW + timedelta(seconds=100))
    holes = (hole(0, 5), hole(20, 200), hole(30, 40, Cause.CREDENTIALS), hole(150, 160))
    assert [one.cause for one in blame_power(holes, [cut])] == [Cause.LINK, Cause.POWER, Cause.CREDENTIALS, Cause.LINK]
    late = hole(BATTERY_LASTS.total_seconds() + 60, BATTERY_LASTS.total_seconds() + 90)
    assert [one.cause for one in blame_power([late], [(NOW, None)])] == [Cause.LINK]
    assert [one.cause for one in blame_power([hole(60, 90)], [(NOW, None)])] == [Cause.POWER]


def test_a_token_opens_its_own_site_until_the_next_is_made(centre: Centre) -> None:
    centre.import_quetta(12)
    with centre.database.begin() as connection:
        first = new_token(connection, SiteId("site_qta-001"), now=NOW)
        assert is_token(connection, SITE, first)
        assert not is_token(connection, "QTA-002", first)
        assert not is_token(connection, SITE, "")
        assert not is_token(connection, "QTA-999", "")
        second = new_token(connection, SiteId("site_qta-001"), now=NOW)
        assert not is_token(connection, SITE, first)
        assert is_token(connection, SITE, second)
        assert revoke_token(connection, SiteId("site_qta-001"))
        assert not is_token(connection, SITE, second)


class Broker:
    """Debian's Mosquitto with a user for the centre and one for each site, each allowed its own topic only."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.folder = folder
        folder.chmod(0o755)
        users = folder / "users"
        users.touch()
        for user in ("centre", SITE, "QTA-002"):
            subprocess.run(
                ["mosquitto_passwd", "-b", str(users), user, f"pass-{user}"], check=True, capture_output=True
            )
        users.chmod(0o644)
        (folder / "acl").write_text("user centre\ntopic read safecity/#\npattern write safecity/%u/cabinet\n")
        # Started by root it would become another user, who may not look into this folder.
        lines = (
            f"user {getpass.getuser()}",
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {users}",
            f"acl_file {folder / 'acl'}",
        )
        (folder / "conf").write_text("\n".join(lines) + "\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["mosquitto", "-c", str(self.folder / "conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def publish(self, user: str, site: str, payload: str) -> None:
        command = [
            "mosquitto_pub",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-q",
            "1",
            "-u",
            user,
            "-P",
            f"pass-{user}",
        ]
        subprocess.run([*command, "-t", f"safecity/{site}/cabinet", "-m", payload], check=True, capture_output=True)


def wait_until(condition: Callable[[], bool], *, within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    if any(shutil.which(tool) is None for tool in ("mosquitto", "mosquitto_pub", "mosquitto_passwd")):
        missing("no Mosquitto; on Debian: apt-get install mosquitto mosquitto-clients")
    (tmp_path / "broker").mkdir()
    made = Broker(tmp_path / "broker")
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_cabinets_are_heard_over_a_real_broker(centre: Centre, broker: Broker, tmp_path: Path) -> None:
    centre.import_quetta(12)
    (tmp_path / "mqtt.json").write_text('{"user": "centre", "password": "pass-centre"}')
    cabinets = Cabinets(centre.database, clock=centre.clock, source="test")
    configured = CabinetsSettings(broker="127.0.0.1", port=broker.port)
    listener = MqttListener(cabinets, configured, secrets_dir=tmp_path)
    stop = threading.Event()
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()

    def words() -> dict[str, str]:
        with centre.database.read() as connection:
            return {f"{one.code} {one.condition.kind}": one.condition.word for one in list_standing(connection)}

    def say(payload: str) -> bool:
        broker.publish(SITE, SITE, payload)
        return bool(words())

    try:
        wait_until(lambda: say('{"door_open": true, "mains": true}'))
        assert words() == {"QTA-001 door": "open", "QTA-001 mains": "on"}
        broker.publish(SITE, SITE, "not json")
        # A site's user may not speak for another: the broker drops it.
        broker.publish(SITE, "QTA-002", '{"mains": false}')
        broker.publish("QTA-002", "QTA-002", '{"temperature_c": 61}')
        wait_until(lambda: "QTA-002 temperature" in words())
        assert listener.refused == 1
        assert "QTA-002 mains" not in words()

        # A broker that goes away and comes back is found again.
        broker.stop()
        broker.start()
        centre.clock.advance(60)

        def is_off() -> bool:
            broker.publish(SITE, SITE, '{"mains": false}')
            return words()["QTA-001 mains"] == "off"

        wait_until(is_off)
    finally:
        stop.set()
        thread.join(15)
    assert not thread.is_alive()
