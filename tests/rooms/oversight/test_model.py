"""The policy as properties: what must never be allowed, whatever else is true."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.oversight.model import (
    ACTS_OF,
    PICTURE_ACTS,
    Act,
    Actor,
    Limits,
    Purpose,
    PurposeId,
    PurposeKind,
    Resource,
    Role,
    SessionId,
    UserId,
    decide,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LIMITS = Limits(live_age=timedelta(hours=24))
WATCHERS = {Role.OPERATOR, Role.DISPATCHER, Role.INVESTIGATOR, Role.SUPERVISOR}

instants = st.datetimes(datetime(2026, 2, 26), datetime(2026, 3, 3), timezones=st.just(UTC)) | st.just(NOW)  # noqa: DTZ001
user_ids = st.sampled_from([UserId("usr_a"), UserId("usr_b")])
actors = st.builds(
    Actor, user_id=user_ids, name=st.just("a"), role=st.sampled_from(Role), session_id=st.just(SessionId("ses_a"))
)
resources = st.builds(
    Resource,
    kind=st.sampled_from(["camera", "city", "log", "users", "shift"]),
    id=st.just("cam_1"),
    from_at=st.none() | instants,
    to_at=st.none() | instants,
)
purposes = st.lists(
    st.builds(
        Purpose,
        id=st.just(PurposeId("pur_1")),
        kind=st.sampled_from(["shift", "incident", "case"]),
        ref=st.just("x"),
        user_id=st.none() | user_ids,
        opened_at=instants,
        ends_at=st.none() | instants,
        closed_at=st.none() | instants,
    ),
    max_size=4,
)


def _actor(role: Role = Role.OPERATOR) -> Actor:
    return Actor(user_id=UserId("usr_a"), name="a", role=role, session_id=SessionId("ses_a"))


def _purpose(kind: PurposeKind = "shift", *, user: str | None = "usr_a", **times: datetime | None) -> Purpose:
    return Purpose(
        id=PurposeId("pur_1"),
        kind=kind,
        ref="x",
        user_id=None if user is None else UserId(user),
        opened_at=times.get("opened_at") or NOW,
        ends_at=times.get("ends_at", NOW + timedelta(hours=12)),
        closed_at=times.get("closed_at"),
    )


def _is_allowed(
    act: Act, *, role: Role = Role.OPERATOR, resource: Resource, purpose: Purpose, now: datetime = NOW
) -> bool:
    return decide(_actor(role), act, resource=resource, purposes=[purpose], now=now, limits=LIMITS).allowed


@given(actor=actors, act=st.sampled_from(sorted(PICTURE_ACTS)), resource=resources, held=purposes, now=instants)
def test_no_picture_without_an_open_shift_of_that_very_actor(
    actor: Actor, act: Act, resource: Resource, held: list[Purpose], now: datetime
) -> None:
    decision = decide(actor, act, resource=resource, purposes=held, now=now, limits=LIMITS)
    if not decision.allowed:
        assert decision.reason
        assert decision.code
        return
    found = decision.purpose
    assert found is not None
    assert found in held
    assert found.kind == "shift"
    assert found.user_id == actor.user_id
    assert found.opened_at <= now
    assert found.ends_at is None or now < found.ends_at
    assert found.closed_at is None or now < found.closed_at
    assert actor.role in WATCHERS
    assert resource.kind == "camera"
    if act is not Act.VIEW_LIVE:
        assert resource.from_at is not None
        assert now - resource.from_at <= LIMITS.live_age


@given(
    role=st.sampled_from([Role.ADMINISTRATOR, Role.TECHNICIAN, Role.AUDITOR]),
    act=st.sampled_from(sorted(PICTURE_ACTS)),
    resource=resources,
    held=purposes,
    now=instants,
)
def test_who_runs_or_checks_the_system_never_sees_pictures(
    role: Role, act: Act, resource: Resource, held: list[Purpose], now: datetime
) -> None:
    assert not decide(_actor(role), act, resource=resource, purposes=held, now=now, limits=LIMITS).allowed
    assert not ACTS_OF[role] & PICTURE_ACTS


@given(actor=actors, resource=resources, held=purposes, now=instants, word=st.text())
def test_an_unknown_act_is_denied(
    actor: Actor, resource: Resource, held: list[Purpose], now: datetime, word: str
) -> None:
    for unknown in (word, "search_person", "VIEW_LIVE"):
        if unknown not in set(Act):
            act = cast(Act, unknown)
            assert not decide(actor, act, resource=resource, purposes=held, now=now, limits=LIMITS).allowed


def test_an_unknown_role_is_denied() -> None:
    actor = _actor(cast(Role, "root"))
    for act in Act:
        assert not decide(actor, act, resource=Resource.city(), purposes=[_purpose()], now=NOW, limits=LIMITS).allowed


@pytest.mark.parametrize("end", ["ends_at", "closed_at"])
def test_a_shift_ends_at_its_end_and_not_a_microsecond_later(end: str) -> None:
    shift = _purpose(**{end: NOW + timedelta(hours=1)})
    camera = Resource.camera("cam_1")
    assert _is_allowed(Act.VIEW_LIVE, resource=camera, purpose=shift, now=NOW + timedelta(hours=1) - MICROSECOND)
    assert not _is_allowed(Act.VIEW_LIVE, resource=camera, purpose=shift, now=NOW + timedelta(hours=1))
    assert not _is_allowed(Act.VIEW_LIVE, resource=camera, purpose=shift, now=NOW - MICROSECOND)


def test_recordings_up_to_their_age_and_not_beyond() -> None:
    edge = NOW - LIMITS.live_age
    shift = _purpose()
    for first, expected in ((edge, True), (edge - MICROSECOND, False)):
        for act in (Act.VIEW_RECORDINGS, Act.EXPORT_CLIP):
            resource = Resource.camera("cam_1", from_at=first, to_at=NOW)
            assert _is_allowed(act, role=Role.INVESTIGATOR, resource=resource, purpose=shift) is expected


@pytest.mark.parametrize(
    ("act", "resource"),
    [
        (Act.VIEW_RECORDINGS, Resource.camera("cam_1")),
        (Act.VIEW_RECORDINGS, Resource.camera("cam_1", from_at=NOW)),
        (Act.VIEW_RECORDINGS, Resource.camera("cam_1", to_at=NOW)),
        (Act.VIEW_RECORDINGS, Resource.camera("cam_1", from_at=NOW, to_at=NOW - MICROSECOND)),
        (Act.VIEW_LIVE, Resource.camera("cam_1", from_at=NOW, to_at=NOW)),
        (Act.VIEW_LIVE, Resource.city()),
    ],
)
def test_a_look_must_say_what_it_looks_at(act: Act, resource: Resource) -> None:
    assert not _is_allowed(act, resource=resource, purpose=_purpose())


@pytest.mark.parametrize(
    "purpose", [_purpose(user="usr_b"), _purpose(user=None), _purpose("incident"), _purpose("case")]
)
def test_nobody_looks_on_the_purpose_of_another(purpose: Purpose) -> None:
    assert not _is_allowed(Act.VIEW_LIVE, resource=Resource.camera("cam_1"), purpose=purpose)


def test_the_roles_are_as_agreed() -> None:
    """The whole table once more, by hand: a change of policy must be made in two places."""
    watch = {"view_live", "view_recordings", "list_cameras", "start_shift"}
    assert {role.value: {act.value for act in acts} for role, acts in ACTS_OF.items()} == {
        "operator": watch,
        "dispatcher": watch,
        "investigator": watch | {"export_clip"},
        "supervisor": watch | {"export_clip", "view_health"},
        "auditor": {"read_log", "list_cameras"},
        "technician": {"list_cameras", "view_health"},
        "administrator": {"manage_users", "manage_sites", "list_cameras", "view_health"},
    }
