"""The gate with its service: grants, refusals, shifts, and what becomes a leaf."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from safecity.oversight.model import PICTURE_ACTS, Act, Actor, Resource, Role
from safecity.oversight.service import LOG_READ_REPEAT_S, SIGN_IN_NEEDED
from safecity.platform.errors import Conflict, Denied, Internal, Invalid, NotFound, Unavailable
from tests.rooms.oversight.conftest import Desk

CAMERA = Resource.camera("cam_1")


def _body(desk: Desk, at: int = -1) -> dict[str, object]:
    return json.loads(desk.leaves()[at].body or "")


def _refusal(desk: Desk, actor: Actor, act: Act, resource: Resource) -> Denied:
    with pytest.raises(Denied) as refused:
        desk.oversight.permit(actor, act, resource)
    assert desk.types()[-1] == "refused"
    return refused.value


def test_a_look_on_duty_is_granted_and_written_down(desk: Desk) -> None:
    actor = desk.actor(on_duty=True)
    first = desk.clock.now() - timedelta(hours=1)
    resource = Resource.camera("cam_1", from_at=first, to_at=desk.clock.now())
    permit = desk.oversight.permit(actor, Act.VIEW_RECORDINGS, resource, detail={"rendition": "clear"})
    leaf = desk.leaves()[-1]
    assert (leaf.index, leaf.type, leaf.at) == (permit.leaf_index, "view_recordings", permit.at)
    assert _body(desk) == {
        "actor": {"user": actor.user_id, "name": "a.operator", "role": "operator", "session": actor.session_id},
        "act": "view_recordings",
        "resource": {
            "kind": "camera",
            "id": "cam_1",
            "from": "2026-03-01T11:00:00.000Z",
            "to": "2026-03-01T12:00:00.000Z",
        },
        "purpose": {"id": permit.purpose_id, "kind": "shift", "ref": actor.user_id},
        "detail": {"rendition": "clear"},
    }
    assert "cam_1" not in leaf.entry
    assert "operator" not in leaf.entry


@pytest.mark.parametrize("act", sorted(PICTURE_ACTS))
@pytest.mark.parametrize("role", list(Role))
def test_no_role_sees_anything_off_duty(desk: Desk, role: Role, act: Act) -> None:
    refused = _refusal(desk, desk.actor(role), act, CAMERA)
    assert _body(desk)["reason"] == refused.code
    assert refused.message


def test_a_look_ends_with_what_it_rests_on(desk: Desk) -> None:
    signed = desk.sign_in()
    actor = signed.session.actor
    desk.oversight.start_shift(actor)
    permit = desk.oversight.permit(actor, Act.VIEW_LIVE, CAMERA)
    assert desk.oversight.still_stands(actor, permit)
    desk.oversight.end_shift(actor)
    assert not desk.oversight.still_stands(actor, permit)
    desk.oversight.start_shift(actor)
    assert not desk.oversight.still_stands(actor, permit)  # a new shift is a new purpose
    permit = desk.oversight.permit(actor, Act.VIEW_LIVE, CAMERA)
    assert desk.oversight.still_stands(actor, permit)
    desk.oversight.sign_out(signed.token)
    assert not desk.oversight.still_stands(actor, permit)
    assert _refusal(desk, actor, Act.VIEW_LIVE, CAMERA).code == SIGN_IN_NEEDED


@pytest.mark.parametrize("end", ["disable", "password", "role", "expiry"])
def test_an_actor_is_what_they_are_now_and_not_what_they_were(desk: Desk, end: str) -> None:
    actor = desk.actor(on_duty=True)
    permit = desk.oversight.permit(actor, Act.VIEW_LIVE, CAMERA)
    if end == "disable":
        desk.oversight.disable_user(actor.name)
    elif end == "password":
        desk.oversight.set_password(actor.name, "another four words")
    elif end == "role":
        with desk.database.begin() as connection:
            connection.exec_driver_sql("UPDATE users SET role = 'technician'")
    else:
        desk.clock.advance(desk.settings.session_hours * 3600)
    assert not desk.oversight.still_stands(actor, permit)
    assert _refusal(desk, actor, Act.VIEW_LIVE, CAMERA).code == SIGN_IN_NEEDED


def test_a_forged_actor_gets_nothing(desk: Desk) -> None:
    operator, auditor = desk.actor(on_duty=True), desk.actor(Role.AUDITOR)
    for forged in (
        Actor(user_id=operator.user_id, name="x", role=Role.OPERATOR, session_id=auditor.session_id),
        Actor(user_id=auditor.user_id, name="x", role=Role.OPERATOR, session_id=auditor.session_id),
    ):
        assert _refusal(desk, forged, Act.VIEW_LIVE, CAMERA).code == SIGN_IN_NEEDED


def test_a_shift_ends_by_itself_and_another_begins(desk: Desk) -> None:
    shift = desk.oversight.start_shift(desk.actor())
    assert shift.ends_at == desk.clock.now() + timedelta(hours=desk.settings.shift_hours)
    desk.clock.advance(desk.settings.shift_hours * 3600)
    signed = desk.sign_in()
    assert signed.session.shift is None
    assert _refusal(desk, signed.session.actor, Act.VIEW_LIVE, CAMERA).code == "oversight.no_shift"
    second = desk.oversight.start_shift(signed.session.actor)
    assert second.id != shift.id
    assert desk.oversight.start_shift(signed.session.actor) == second
    found = desk.oversight.find_session(signed.token)
    assert found is not None
    assert found.shift == second
    assert desk.oversight.permit(signed.session.actor, Act.VIEW_LIVE, CAMERA).purpose_id == second.id


def test_only_who_watches_starts_a_shift(desk: Desk) -> None:
    for role in (Role.AUDITOR, Role.TECHNICIAN, Role.ADMINISTRATOR):
        actor = desk.actor(role)
        with pytest.raises(Denied):
            desk.oversight.start_shift(actor)
        assert desk.types()[-1] == "refused"
        desk.oversight.end_shift(actor)
        assert desk.types()[-1] == "refused"


def test_a_listing_is_a_leaf_only_when_refused(desk: Desk) -> None:
    operator, supervisor = desk.actor(), desk.actor(Role.SUPERVISOR)
    before = len(desk.leaves())
    desk.oversight.require(operator, Act.LIST_CAMERAS, Resource.city())
    desk.oversight.require(supervisor, Act.VIEW_HEALTH, Resource.city())
    assert desk.oversight.allowed(supervisor, Act.VIEW_HEALTH)
    assert not desk.oversight.allowed(operator, Act.VIEW_HEALTH)
    assert not desk.oversight.allowed(supervisor, Act.START_SHIFT)
    assert len(desk.leaves()) == before
    with pytest.raises(Denied):
        desk.oversight.require(operator, Act.VIEW_HEALTH, Resource.city())
    desk.oversight.require(supervisor, Act.START_SHIFT, Resource.shift())
    assert desk.types()[before:] == ["refused", "start_shift"]


def test_reading_the_log_is_a_leaf_a_page_and_not_endlessly_by_polling(desk: Desk) -> None:
    auditor = desk.actor(Role.AUDITOR)
    page = desk.oversight.read_log(auditor)
    assert page.leaves[0].type == "read_log"  # the reader sees that their reading was written down
    assert page.size == len(desk.leaves())
    for _ in range(10):
        desk.clock.advance(LOG_READ_REPEAT_S / 11)
        assert desk.oversight.read_log(auditor).size == page.size
    desk.oversight.read_log(auditor, before=2)
    desk.oversight.read_log(auditor, type="sign_in")
    desk.oversight.read_log(desk.sign_in(Role.AUDITOR).session.actor)
    assert desk.types().count("read_log") == 4
    desk.clock.advance(LOG_READ_REPEAT_S)
    desk.oversight.read_log(auditor)
    assert desk.types().count("read_log") == 5


def test_only_the_auditor_reads_the_log_also_while_polling(desk: Desk) -> None:
    signed = desk.sign_in(Role.AUDITOR)
    desk.oversight.read_log(signed.session.actor)
    desk.oversight.sign_out(signed.token)
    others = [desk.actor(role) for role in Role if role is not Role.AUDITOR]
    for actor in (signed.session.actor, *others):
        for read in (
            desk.oversight.read_log,
            desk.oversight.log_state,
            lambda who: desk.oversight.prove(who, 0),
            lambda who: desk.oversight.prove_growth(who, 1),
        ):
            before = desk.types().count("refused")
            with pytest.raises(Denied):
                read(actor)
            assert desk.types().count("refused") == before + 1


def test_the_auditor_chooses_among_the_types_that_there_are(desk: Desk) -> None:
    auditor, operator = desk.actor(Role.AUDITOR), desk.actor(on_duty=True)
    desk.oversight.permit(operator, Act.VIEW_LIVE, CAMERA)
    before = len(desk.leaves())
    assert desk.oversight.list_log_types(auditor) == ["sign_in", "start_shift", "user_created", "view_live"]
    assert len(desk.leaves()) == before
    with pytest.raises(Denied):
        desk.oversight.list_log_types(operator)
    assert desk.oversight.list_log_types(auditor)[0] == "refused"


def test_a_page_is_what_was_asked_for(desk: Desk) -> None:
    auditor = desk.actor(Role.AUDITOR)
    for number in range(30):
        with desk.database.begin() as connection:
            desk.oversight.note(connection, type="look_ended", body={"number": number})
    page = desk.oversight.read_log(auditor, before=20, limit=5)
    assert [leaf.index for leaf in page.leaves] == [19, 18, 17, 16, 15]
    assert {leaf.type for leaf in desk.oversight.read_log(auditor, type="look_ended").leaves} == {"look_ended"}
    assert desk.oversight.read_log(auditor, before=10**30, limit=10**9).leaves
    assert desk.oversight.read_log(auditor, before=0).leaves == ()
    for wrong in ({"limit": 0}, {"before": -1}, {"type": "a'b\x00"}):
        with pytest.raises(Invalid):
            desk.oversight.read_log(auditor, **wrong)  # type: ignore[arg-type]
    for index in (-1, 10**30):
        with pytest.raises(NotFound):
            desk.oversight.prove(auditor, index)


def test_the_rooms_above_open_and_close_purposes_with_their_own_change(desk: Desk) -> None:
    with desk.database.begin() as connection:
        purpose = desk.oversight.open_purpose(connection, kind="incident", ref="inc_1")
    with pytest.raises(RuntimeError), desk.database.begin() as connection:
        desk.oversight.open_purpose(connection, kind="case", ref="case_1")
        raise RuntimeError
    with desk.database.begin() as connection:
        desk.oversight.close_purpose(connection, purpose.id)
    with pytest.raises(Conflict), desk.database.begin() as connection:
        desk.oversight.close_purpose(connection, purpose.id)
    with pytest.raises(Invalid), desk.database.begin() as connection:
        desk.oversight.open_purpose(connection, kind="shift", ref="usr_1")
    assert desk.types() == ["purpose_opened", "purpose_closed"]


def test_permit_needs_a_transaction_that_can_write(desk: Desk) -> None:
    actor = desk.actor(on_duty=True)
    with desk.database.read() as connection, pytest.raises(Internal):
        desk.oversight.permit(actor, Act.VIEW_LIVE, CAMERA, connection=connection)


@pytest.mark.parametrize(
    "body", [{"x": float("nan")}, {"x": b"bytes"}, {"x": 2**60}, {"x": "y" * 20_000}, {"x": "\ud800"}]
)
def test_a_body_that_is_no_plain_json_is_not_taken(desk: Desk, body: dict[str, object]) -> None:
    actor = desk.actor(on_duty=True)
    before = len(desk.leaves())
    with pytest.raises(Invalid):
        desk.oversight.permit(actor, Act.VIEW_LIVE, CAMERA, detail=body)
    assert len(desk.leaves()) == before


def test_a_made_up_camera_does_not_keep_its_refusal_out_of_the_log(desk: Desk) -> None:
    actor = desk.actor()
    for made_up in ("x" * 100_000, "\ud800", "'; DROP TABLE log_leaves; --", "\x00"):
        _refusal(desk, actor, Act.VIEW_LIVE, Resource.camera(made_up))


def test_nothing_is_granted_when_the_disk_is_full(desk: Desk) -> None:
    actor = desk.actor(on_duty=True)
    before = len(desk.leaves())
    with desk.database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    @sa.event.listens_for(desk.database.engine, "begin")
    def fill(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    granted = 0
    with pytest.raises(Unavailable, match="log cannot be written"):
        while granted < 100:  # a few leaves fit into pages that are begun
            desk.oversight.permit(actor, Act.VIEW_LIVE, CAMERA, detail={"filler": "x" * 10_000})
            granted += 1
    assert len(desk.leaves()) == before + granted


@pytest.mark.parametrize("why", ["disk I/O error", "database or disk is full"])
def test_nothing_is_granted_when_the_commit_fails(desk: Desk, why: str) -> None:
    actor = desk.actor(on_duty=True)
    before = len(desk.leaves())

    @sa.event.listens_for(desk.database.engine, "commit")
    def fail(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("safecity_write"):
            raise sa.exc.OperationalError("COMMIT", None, OSError(why))

    for act in (Act.VIEW_LIVE, Act.READ_LOG):
        with pytest.raises(Unavailable):
            desk.oversight.permit(actor, act, CAMERA)
    assert len(desk.leaves()) == before
