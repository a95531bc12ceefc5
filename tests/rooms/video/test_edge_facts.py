"""The outbox: nothing lost and nothing twice, whatever is killed, repeated, swapped or wrong on the way."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from safecity.events import read_facts, state_fact
from safecity.events.incidents import AlertChanged
from safecity.events.sites import CityImported
from safecity.events.store import events
from safecity.platform.clock import to_us
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, DataLoss, Denied, Unavailable
from safecity.video.edge import outbox
from safecity.video.edge.model import Edge
from safecity.video.edge.register import Policy
from safecity.video.edge.signing import Request, load_key, public_hex, sign_request
from safecity.video.edge.tables import edge_letters, edge_receipts
from safecity.video.edge.wire import (
    ExchangeAnswer,
    FactsAnswer,
    FactsRequest,
    FactView,
)
from tests.rooms.video.edge_house import MINE, OTHERS, CentreHouse, exchange, make_edge_database, state_many
from tests.rooms.video.paper import START

FACTS = 120


@pytest.fixture
def house(database: Database, tmp_path: Path) -> CentreHouse:
    return CentreHouse(database, tmp_path / "centre")


@pytest.fixture
def edge_database(tmp_path: Path) -> Iterator[Database]:
    made = make_edge_database(tmp_path)
    yield made
    made.close()


def send(house: CentreHouse, edge: Edge, database: Database, *, chance: random.Random | None = None) -> bool:
    """One batch from outbox to centre; `chance` crashes one of the sides before or after its commit."""
    with database.read() as connection:
        link = outbox.find_link(connection)
        assert link is not None
        batch = outbox.read_batch(connection, after=link.acknowledged)
    if not batch:
        return False
    if chance is not None:
        batch = batch[: chance.randint(1, 40)]
    fate = chance.choice(["", "", "lost", "unacknowledged", "again"]) if chance else ""
    said = FactsRequest(epoch=link.epoch, facts=batch)
    if fate == "lost":  # the link or the centre died before its commit
        return True
    answer = house.intake.take_facts(edge, said)
    if fate == "again":
        answer = house.intake.take_facts(edge, said)
        assert answer.stated == 0
    if fate == "unacknowledged":  # either side died between the centre's commit and the edge's
        return True
    with database.begin() as connection:
        outbox.acknowledge(connection, answer.acknowledged)
    return True


def arrived(house: CentreHouse) -> list[str]:
    """What the edges said, in the order in which it was committed here."""
    with house.database.read() as connection:
        facts = list(read_facts(connection, after=0))
    assert not any(isinstance(one, DataLoss) for one in facts)
    return [getattr(one.fact, "detail", "") for one in facts if not isinstance(one, DataLoss)]


def test_every_fact_comes_once_and_in_order_through_crashes(house: CentreHouse, edge_database: Database) -> None:
    edge, chance = house.enrol(), random.Random(4)
    for number in range(0, FACTS, 10):
        state_many(edge_database, range(number, number + 10))
        send(house, edge, edge_database, chance=chance)
    while send(house, edge, edge_database, chance=chance):
        continue
    assert arrived(house) == [f"n{number}" for number in range(FACTS)]
    with edge_database.read() as connection:
        link = outbox.find_link(connection)
        assert link is not None
        assert outbox.count_waiting(connection, after=link.acknowledged) == 0


def test_a_swapped_disk_is_another_epoch_and_skips_nothing(house: CentreHouse, tmp_path: Path) -> None:
    edge = house.enrol()
    first, second = make_edge_database(tmp_path), make_edge_database(tmp_path)
    state_many(first, range(50))
    while send(house, edge, first):
        continue
    state_many(second, range(50, 100))  # its numbers begin with 1 again
    while send(house, edge, second):
        continue
    assert arrived(house) == [f"n{number}" for number in range(100)]
    with house.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(edge_receipts)).scalar_one() == 2


def test_an_edge_restored_from_an_older_copy_loses_nothing(house: CentreHouse, edge_database: Database) -> None:
    """The same epoch hands out numbers a second time: ids decide, not numbers."""
    edge = house.enrol()
    state_many(edge_database, range(20))
    while send(house, edge, edge_database):
        continue
    with edge_database.begin() as connection:  # back to the state after ten facts
        connection.execute(events.delete().where(events.c.cursor > 10))
        connection.execute(sa.text("UPDATE sqlite_sequence SET seq = 10 WHERE name = 'events'"))
        connection.execute(sa.text("UPDATE edge_link SET acknowledged = 10"))
    state_many(edge_database, range(100, 110))
    while send(house, edge, edge_database):
        continue
    assert arrived(house) == [*(f"n{number}" for number in range(20)), *(f"n{number}" for number in range(100, 110))]


def view(number: int, **other: object) -> FactView:
    fields: dict[str, object] = {
        "sequence": number, "id": f"fact_{number}", "source": "recorder-1", "type": "video.recording_interrupted",
        "time_us": to_us(START), "subject": MINE,
        "data": {"camera": MINE, "stream": "main", "since": START.isoformat(), "cause": "link", "detail": f"n{number}"},
    }  # fmt: skip
    return FactView.model_validate(fields | other)


def test_what_is_not_an_edges_to_say_is_set_aside_and_told(house: CentreHouse) -> None:
    edge = house.enrol()
    alert = {"id": "a"}
    foreign = {"camera": OTHERS, "stream": "main", "since": START.isoformat(), "cause": "link", "detail": "x"}
    batch = [
        view(1),
        view(2, type=AlertChanged.type, data=alert),
        view(3, data=foreign),
        view(4, data={"camera": MINE}),
        view(5, type="weather.rained"),
        view(6, type=CityImported.type, data={"added": 1, "changed": 0, "retired": 0, "cameras": 1}),
        view(7),
    ]
    answer = house.intake.take_facts(edge, FactsRequest(epoch="epoch-00", facts=batch))
    assert (answer.acknowledged, answer.stated, answer.set_aside) == (7, 2, 5)
    assert arrived(house) == ["n1", "n7"]
    with house.database.read() as connection:
        letters = {row.sequence: row.reason for row in connection.execute(sa.select(edge_letters))}
    assert sorted(letters) == [2, 3, 4, 5, 6]
    assert "another site" in letters[3]
    again = house.intake.take_facts(edge, FactsRequest(epoch="epoch-00", facts=batch))
    assert (again.stated, again.set_aside) == (0, 0)


def test_no_edge_takes_the_place_of_the_centres_own_fact(house: CentreHouse) -> None:
    """A fact's id is made from its cause, so an edge could know it before; it must not be able to say it first."""
    edge = house.enrol()
    house.intake.take_facts(edge, FactsRequest(epoch="epoch-00", facts=[view(1, id="fact_OF_THE_CENTRE")]))
    imported = CityImported(added=1, changed=0, retired=0, cameras=1)
    with house.database.begin() as connection:
        assert state_fact(connection, imported, id="fact_OF_THE_CENTRE", source="sites", time=START, subject="city")


def test_a_fact_too_large_for_any_request_goes_without_its_body(edge_database: Database) -> None:
    state_many(edge_database, [1])
    with edge_database.begin() as connection:
        connection.execute(events.update().values(data={"detail": "x" * 200_000}))
    state_many(edge_database, [2])
    with edge_database.read() as connection:
        batch = outbox.read_batch(connection, after=0)
    assert [one.sequence for one in batch] == [1, 2]
    assert isinstance(batch[0].data, dict)
    assert "too_large_bytes" in batch[0].data


def test_over_http_signed_both_ways_and_with_a_wrong_clock(house: CentreHouse) -> None:
    edge = house.enrol()
    with house.serve() as url:
        centre = house.caller(url, edge)
        house.clock.advance(1)
        answer = centre.call("POST", "/intake/exchange", body=exchange(), answer=ExchangeAnswer)
        assert answer.registry is not None
        assert [camera["id"] for camera in answer.registry.cameras] == [MINE]
        assert {(one.camera, one.stream) for one in answer.push} == {(MINE, "sub")}
        sent = centre.call(
            "POST", "/intake/facts", body=FactsRequest(epoch="epoch-00", facts=[view(1)]), answer=FactsAnswer
        )
        assert sent.acknowledged == 1
        house.clock.step_wall(-3 * 3600)  # all that the edge knows of time is three hours wrong now
        late = house.caller(url, edge)
        house.clock.step_wall(3 * 3600)
        assert late.call("POST", "/intake/exchange", body=exchange(1), answer=ExchangeAnswer).now_us > 0
        house.register.revoke(edge.id)
        with pytest.raises(Denied):
            centre.call("POST", "/intake/exchange", body=exchange(), answer=ExchangeAnswer)
        for one in (centre, late):
            one.close()


def test_strangers_are_refused(house: CentreHouse) -> None:
    edge = house.enrol()
    other = house.enrol(site="B")
    with house.serve() as url:
        as_other = house.caller(url, other, site="A")  # the key of A, the name of B
        with pytest.raises(Denied):
            as_other.call("POST", "/intake/exchange", body=exchange(), answer=ExchangeAnswer)
        mine = house.caller(url, edge)
        # Somebody answers who is not the centre: the edge must not believe that its facts are safe.
        object.__setattr__(mine._identity, "centre_key", "11" * 32)  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(Unavailable):
            mine.call("POST", "/intake/facts", body=FactsRequest(epoch="epoch-00", facts=[view(1)]), answer=FactsAnswer)
        as_other.close()
        mine.close()


def test_a_request_counts_once(house: CentreHouse, tmp_path: Path) -> None:
    edge = house.enrol()
    key = load_key(house.data_dir / "edge-A")
    request = Request(method="POST", target="/intake/facts", body=b"{}")
    header = sign_request(key, request, edge=edge.id, time_us=to_us(house.clock.now()), nonce="ab" * 16)
    assert house.register.authenticate(header, request)[0].id == edge.id
    with pytest.raises(Denied):
        house.register.authenticate(header, request)


def test_a_token_is_used_once_and_in_time(house: CentreHouse, tmp_path: Path) -> None:
    _, token = house.register.add("A", Policy())
    mine, another = (public_hex(load_key(tmp_path / name)) for name in ("k1", "k2"))
    first = house.register.enrol(token.secret, mine)
    assert house.register.enrol(token.secret, mine).id == first.id  # the answer was lost: asked again
    with pytest.raises(Denied):
        house.register.enrol(token.secret, another)
    with pytest.raises(Denied):
        house.register.enrol("something else", another)
    with pytest.raises(Conflict):
        house.register.add("A", Policy())
    house.register.revoke(first.id)
    _, late = house.register.add("A", Policy())
    house.clock.advance(25 * 3600)
    with pytest.raises(Denied):
        house.register.enrol(late.secret, another)
