"""Purposes with their scopes on SQLite and PostgreSQL: what looks rest on, what ends them, who is on duty."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from safecity.oversight import log, purpose_store
from safecity.oversight.model import Act, Actor, Permit, Purpose, PurposeKind, PurposeScope, Resource, Role
from safecity.oversight.passwords import Cost, Passwords
from safecity.oversight.purpose_store import MAX_SCOPES
from safecity.oversight.service import Oversight
from safecity.platform.clock import VirtualClock
from safecity.platform.database import Database
from safecity.platform.errors import Denied, Invalid
from safecity.platform.settings import OversightSettings

PASSWORD = "four random words here"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=20)
HOUR = timedelta(hours=1)
SCOPE = PurposeScope(camera="cam_1", from_at=LONG_AGO, to_at=LONG_AGO + HOUR)
OLD = Resource.camera("cam_1", from_at=LONG_AGO, to_at=LONG_AGO + HOUR)


class Desk:
    """The service on an empty database of either kind, at noon."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = VirtualClock(NOON)
        passwords = Passwords(Cost(passes=1, memory_kib=64, lanes=1))
        self.oversight = Oversight(database, OversightSettings(), self.clock, passwords=passwords)

    def actor(self, role: Role = Role.INVESTIGATOR) -> Actor:
        name = f"a.{role}"
        self.oversight.create_user(name, PASSWORD, role=role, display_name=f"A {role}")
        actor = self.oversight.sign_in(name, PASSWORD, console="desk").session.actor
        self.oversight.start_shift(actor)
        return actor

    def open(self, kind: PurposeKind, ref: str, *scope: PurposeScope, **more: datetime) -> Purpose:
        with self.database.begin() as connection:
            return self.oversight.open_purpose(
                connection, kind=kind, ref=ref, scope=scope or [SCOPE], ends_at=more.get("ends_at")
            )

    def close(self, purpose: Purpose) -> None:
        with self.database.begin() as connection:
            self.oversight.close_purpose(connection, purpose.id)

    def look(self, actor: Actor, act: Act = Act.VIEW_RECORDINGS) -> Permit:
        return self.oversight.permit(actor, act, OLD)

    def last_leaf(self) -> dict[str, object]:
        with self.database.read() as connection:
            (leaf,) = log.list_leaves(connection, before=log.size_of(connection), limit=1)
        return json.loads(leaf.body or "")


@pytest.fixture
def desk(database: Database) -> Desk:
    """An empty desk."""
    return Desk(database)


def test_an_old_look_rests_on_the_case_and_its_leaf_says_so(desk: Desk) -> None:
    actor = desk.actor()
    desk.open("incident", "2026-000001")
    desk.clock.advance(1)
    case = desk.open("case", "2026-000007", PurposeScope(camera="cam_2", from_at=LONG_AGO), SCOPE)
    for act in (Act.VIEW_RECORDINGS, Act.EXPORT_CLIP):
        permit = desk.look(actor, act)
        assert permit.purpose_id == case.id
        assert permit.purpose is not None
        assert permit.purpose.ref == "2026-000007"
        leaf = desk.last_leaf()
        assert leaf["purpose"] == {"id": case.id, "kind": "case", "ref": "2026-000007"}
        assert leaf["shift"] == permit.shift_id
    recent = Resource.camera("cam_1", from_at=NOON - HOUR, to_at=NOON)
    permit = desk.oversight.permit(actor, Act.VIEW_RECORDINGS, recent)
    assert permit.purpose_id == permit.shift_id, "what the shift covers rests on the shift"
    assert "shift" not in desk.last_leaf()


def test_closing_the_incident_ends_what_rests_on_it_and_so_does_the_shift(desk: Desk) -> None:
    actor = desk.actor()
    incident = desk.open("incident", "2026-000001")
    first = desk.look(actor)
    assert desk.oversight.still_stands(actor, first)
    desk.close(incident)
    assert not desk.oversight.still_stands(actor, first)
    with pytest.raises(Denied, match="open the case or incident"):
        desk.look(actor)
    case = desk.open("case", "2026-000002")
    second = desk.look(actor)
    assert second.purpose_id == case.id
    assert not desk.oversight.still_stands(actor, first), "another purpose does not bring the old look back"
    desk.oversight.end_shift(actor)
    assert not desk.oversight.still_stands(actor, second)
    desk.oversight.start_shift(actor)
    assert not desk.oversight.still_stands(actor, second), "a new shift is a new look"
    assert desk.look(actor).purpose_id == case.id


def test_a_purpose_that_ends_by_itself_ends_its_looks(desk: Desk) -> None:
    actor = desk.actor()
    desk.open("case", "2026-000001", ends_at=NOON + HOUR)
    permit = desk.look(actor)
    assert permit.ends_at == NOON + HOUR
    desk.clock.advance(3600)
    assert not desk.oversight.still_stands(actor, permit)
    with pytest.raises(Denied):
        desk.look(actor)


def test_nothing_rests_on_a_purpose_without_scope_or_about_others(desk: Desk) -> None:
    actor = desk.actor()
    with desk.database.begin() as connection:
        desk.oversight.open_purpose(connection, kind="case", ref="bare")
    desk.open("case", "elsewhere", PurposeScope(camera="cam_2", from_at=LONG_AGO))
    desk.open("case", "short", PurposeScope(camera="cam_1", from_at=LONG_AGO, to_at=LONG_AGO + HOUR / 2))
    for act in (Act.VIEW_RECORDINGS, Act.EXPORT_CLIP):
        with pytest.raises(Denied):
            desk.look(actor, act)


def test_a_purpose_of_one_person_is_not_anothers(desk: Desk) -> None:
    own, other = desk.actor(), desk.actor(Role.SUPERVISOR)
    with desk.database.begin() as connection:
        desk.oversight.open_purpose(connection, kind="case", ref="own", user_id=own.user_id, scope=[SCOPE])
    assert desk.look(own).purpose is not None
    with pytest.raises(Denied):
        desk.look(other)


def test_only_the_roles_that_may_take_a_clip_out_are_helped_by_a_case(desk: Desk) -> None:
    desk.open("case", "2026-000001")
    for role in (Role.OPERATOR, Role.DISPATCHER):
        actor = desk.actor(role)
        assert desk.look(actor).purpose is not None
        with pytest.raises(Denied, match="does not include"):
            desk.look(actor, Act.EXPORT_CLIP)


def test_a_purpose_is_found_with_its_scope_open_or_closed(desk: Desk) -> None:
    scope = (SCOPE, PurposeScope(camera="cam_2", from_at=LONG_AGO))
    opened = desk.open("incident", "2026-000001", *scope)
    with desk.database.read() as connection:
        assert desk.oversight.find_purpose(connection, kind="incident", ref="2026-000001") == opened
        assert desk.oversight.find_purpose(connection, kind="case", ref="2026-000001") is None
    desk.close(opened)
    with desk.database.read() as connection:
        found = desk.oversight.find_purpose(connection, kind="incident", ref="2026-000001")
    assert found is not None
    assert (found.closed_at, found.scopes) == (NOON, scope)


def test_the_leaf_of_a_purpose_holds_all_that_it_covers(desk: Desk) -> None:
    desk.open("incident", "2026-000001", SCOPE, PurposeScope(camera="cam_2", from_at=LONG_AGO))
    assert desk.last_leaf()["scope"] == [
        {"camera": "cam_1", "from": "2026-02-09T12:00:00.000Z", "to": "2026-02-09T13:00:00.000Z"},
        {"camera": "cam_2", "from": "2026-02-09T12:00:00.000Z", "to": None},
    ]


@pytest.mark.parametrize(
    "scope",
    [
        [PurposeScope(camera="cam_1", from_at=NOON, to_at=NOON)],
        [PurposeScope(camera="", from_at=NOON)],
        [PurposeScope(camera="x" * 65, from_at=NOON)],
        [SCOPE] * (MAX_SCOPES + 1),
    ],
)
def test_a_scope_that_is_none_is_refused(desk: Desk, scope: list[PurposeScope]) -> None:
    with pytest.raises(Invalid), desk.database.begin() as connection:
        desk.oversight.open_purpose(connection, kind="case", ref="x", scope=scope)


def test_the_widest_scope_fits_into_its_leaf(desk: Desk) -> None:
    scopes = [PurposeScope(camera=f"cam_{'x' * 56}{n:04}", from_at=LONG_AGO, to_at=NOON) for n in range(MAX_SCOPES)]
    desk.open("incident", "2026-000001", *scopes)
    assert len(desk.last_leaf()["scope"]) == MAX_SCOPES  # type: ignore[arg-type]


def test_years_of_closed_incidents_are_not_read(desk: Desk) -> None:
    actor = desk.actor()
    for number in range(3):
        desk.close(desk.open("incident", f"past {number}"))
    desk.open("incident", "now")
    with desk.database.read() as connection:
        found = purpose_store.list_reasons(connection, OLD, user_id=actor.user_id, now=NOON)
        assert [one.ref for one in found] == ["now"]
        if desk.database.is_sqlite:
            shown = connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN SELECT * FROM purpose_scopes WHERE camera = 'cam_1' AND closed_at IS NULL"
            ).all()
            assert "ix_purpose_scopes_camera" in str(shown)


def test_who_is_on_duty(desk: Desk) -> None:
    operator = desk.actor(Role.OPERATOR)
    desk.clock.advance(60)
    supervisor, gone, disabled = (desk.actor(role) for role in (Role.SUPERVISOR, Role.DISPATCHER, Role.INVESTIGATOR))
    desk.oversight.end_shift(gone)
    desk.oversight.disable_user(disabled.name)
    with desk.database.read() as connection:
        found = desk.oversight.list_on_duty(connection)
    assert [(one.user_id, one.role, one.display_name, one.since) for one in found] == [
        (operator.user_id, Role.OPERATOR, "A operator", NOON),
        (supervisor.user_id, Role.SUPERVISOR, "A supervisor", NOON + timedelta(seconds=60)),
    ]
    desk.clock.advance(OversightSettings().shift_hours * 3600 - 60)
    with desk.database.read() as connection:
        assert [one.user_id for one in desk.oversight.list_on_duty(connection)] == [supervisor.user_id]
