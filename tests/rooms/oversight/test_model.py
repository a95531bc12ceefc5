"""The policy as properties: what must never be allowed, whatever else is true."""

from dataclasses import replace
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
    Decision,
    Limits,
    Purpose,
    PurposeId,
    PurposeKind,
    PurposeScope,
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
cameras = st.sampled_from(["cam_1", "cam_2"])
resources = st.builds(
    Resource,
    kind=st.sampled_from(["camera", "camera", "camera", "city", "log", "users", "shift"]),
    id=cameras,
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
        scopes=st.lists(
            st.builds(PurposeScope, camera=cameras, from_at=instants, to_at=st.none() | instants), max_size=3
        ).map(tuple),
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


def _stands(purpose: Purpose, now: datetime) -> bool:
    """The meaning of a standing purpose, said once more."""
    ends = [end for end in (purpose.ends_at, purpose.closed_at) if end is not None]
    return purpose.opened_at <= now and all(now < end for end in ends)


@given(actor=actors, act=st.sampled_from(sorted(PICTURE_ACTS)), resource=resources, held=purposes, now=instants)
def test_no_picture_without_an_open_shift_of_that_very_actor(
    actor: Actor, act: Act, resource: Resource, held: list[Purpose], now: datetime
) -> None:
    decision = decide(actor, act, resource=resource, purposes=held, now=now, limits=LIMITS)
    if not decision.allowed:
        assert decision.reason
        assert decision.code
        assert decision.purpose is decision.shift is None
        return
    shift = decision.shift
    assert shift is not None
    assert shift in held
    assert shift.kind == "shift"
    assert shift.user_id == actor.user_id
    assert _stands(shift, now)
    assert actor.role in WATCHERS
    assert resource.kind == "camera"


@given(actor=actors, act=st.sampled_from(sorted(PICTURE_ACTS)), resource=resources, held=purposes, now=instants)
def test_no_older_recording_and_no_clip_without_a_standing_purpose_that_covers_all_of_it(
    actor: Actor, act: Act, resource: Resource, held: list[Purpose], now: datetime
) -> None:
    decision = decide(actor, act, resource=resource, purposes=held, now=now, limits=LIMITS)
    if not decision.allowed:
        return
    reason, first, last = decision.purpose, resource.from_at, resource.to_at
    assert reason is not None
    if act is Act.VIEW_LIVE:
        assert reason is decision.shift
        return
    assert first is not None
    assert last is not None
    if act is Act.VIEW_RECORDINGS and now - first <= LIMITS.live_age:
        assert reason is decision.shift
        return
    assert reason in held
    assert reason.kind in {"case", "incident"}
    assert reason.user_id in {None, actor.user_id}
    assert _stands(reason, now)
    assert any(
        scope.camera == resource.id and scope.from_at <= first <= last and (scope.to_at is None or last <= scope.to_at)
        for scope in reason.scopes
    )
    if act is Act.EXPORT_CLIP:
        assert actor.role in {Role.INVESTIGATOR, Role.SUPERVISOR}


@given(actor=actors, resource=resources, held=purposes, now=instants)
def test_the_answer_does_not_hang_on_the_order_in_which_purposes_are_read(
    actor: Actor, resource: Resource, held: list[Purpose], now: datetime
) -> None:
    named = [replace(one, id=PurposeId(f"pur_{number}")) for number, one in enumerate(held)]
    for act in PICTURE_ACTS:
        first = decide(actor, act, resource=resource, purposes=named, now=now, limits=LIMITS)
        again = decide(actor, act, resource=resource, purposes=named[::-1], now=now, limits=LIMITS)
        assert (first.allowed, first.code) == (again.allowed, again.code)
        if first.purpose is not first.shift:
            assert first.purpose == again.purpose


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
        resource = Resource.camera("cam_1", from_at=first, to_at=NOW)
        assert _is_allowed(Act.VIEW_RECORDINGS, role=Role.OPERATOR, resource=resource, purpose=shift) is expected
        assert not _is_allowed(Act.EXPORT_CLIP, role=Role.INVESTIGATOR, resource=resource, purpose=shift)


OLD = NOW - timedelta(days=30)
HOUR = timedelta(hours=1)


def _reason(kind: PurposeKind = "incident", *, name: str = "pur_2", **times: datetime | None) -> Purpose:
    scope = PurposeScope(camera="cam_1", from_at=OLD, to_at=OLD + HOUR)
    made = _purpose(kind, user=None, ends_at=None, closed_at=times.get("closed_at"))
    return replace(made, id=PurposeId(name), opened_at=times.get("opened_at") or OLD, scopes=(scope,))


def _old_look(first: datetime, last: datetime, *, held: list[Purpose], camera: str = "cam_1") -> Decision:
    resource = Resource.camera(camera, from_at=first, to_at=last)
    looks = [
        decide(_actor(Role.INVESTIGATOR), act, resource=resource, purposes=held, now=NOW, limits=LIMITS)
        for act in (Act.VIEW_RECORDINGS, Act.EXPORT_CLIP)
    ]
    assert looks[0].allowed is looks[1].allowed
    return looks[0]


@pytest.mark.parametrize("kind", ["incident", "case"])
def test_a_case_or_an_incident_covers_its_cameras_and_its_time_and_not_a_microsecond_more(kind: PurposeKind) -> None:
    held = [_purpose(), _reason(kind)]
    assert _old_look(OLD, OLD + HOUR, held=held).purpose == held[1]
    assert _old_look(OLD, OLD, held=held).allowed
    assert not _old_look(OLD - MICROSECOND, OLD + HOUR, held=held).allowed
    assert not _old_look(OLD, OLD + HOUR + MICROSECOND, held=held).allowed
    assert not _old_look(OLD, OLD + HOUR, held=held, camera="cam_2").allowed
    assert not _old_look(OLD, OLD + HOUR, held=held[1:]).allowed  # off duty
    assert not _old_look(OLD, OLD + HOUR, held=[_purpose(), _reason(kind, closed_at=NOW)]).allowed
    assert _old_look(OLD, OLD + HOUR, held=[_purpose(), _reason(kind, closed_at=NOW + MICROSECOND)]).allowed


def test_an_open_end_covers_what_is_still_being_recorded() -> None:
    scope = PurposeScope(camera="cam_1", from_at=OLD)
    held = [_purpose(), replace(_reason(), scopes=(scope,))]
    assert _old_look(OLD, NOW, held=held).purpose == held[1]
    assert not _old_look(OLD - MICROSECOND, NOW, held=held).allowed


def test_two_scopes_that_only_touch_do_not_add_up() -> None:
    scopes = (
        PurposeScope(camera="cam_1", from_at=OLD, to_at=OLD + HOUR),
        PurposeScope(camera="cam_1", from_at=OLD + HOUR, to_at=OLD + 2 * HOUR),
    )
    held = [_purpose(), replace(_reason(), scopes=scopes)]
    assert not _old_look(OLD, OLD + 2 * HOUR, held=held).allowed


def test_a_look_rests_on_the_case_before_the_incident_and_on_the_older_one() -> None:
    incident = _reason("incident", name="pur_1", opened_at=OLD)
    late, early = (_reason("case", name=f"pur_{day}", opened_at=OLD + timedelta(days=day)) for day in (3, 2))
    assert _old_look(OLD, OLD + HOUR, held=[incident, late, _purpose(), early]).purpose == early
    assert _old_look(OLD, OLD + HOUR, held=[_purpose(), incident]).purpose == incident


def test_a_refusal_says_what_to_do() -> None:
    resource = Resource.camera("cam_1", from_at=OLD, to_at=OLD + HOUR)
    for act, code in ((Act.VIEW_RECORDINGS, "oversight.too_old"), (Act.EXPORT_CLIP, "oversight.no_case")):
        refused = decide(
            _actor(Role.INVESTIGATOR), act, resource=resource, purposes=[_purpose()], now=NOW, limits=LIMITS
        )
        assert refused.code == code
        assert "pen the case or incident that this camera belongs to" in " ".join(refused.reason.split())


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
    respond = {"list_alerts", "handle_alerts", "list_incidents", "handle_incidents", "list_units", "cause_faults"}
    respond |= {"steer_camera"}
    investigate = {"export_clip", "list_incidents", "list_cases", "open_case", "handle_cases"}
    assert {role.value: {act.value for act in acts} for role, acts in ACTS_OF.items()} == {
        "operator": watch | respond,
        "dispatcher": watch | respond | {"dispatch_units", "open_case"},
        "investigator": watch | investigate,
        "supervisor": watch | respond | investigate | {"dispatch_units", "view_health", "manage_rules"},
        "auditor": {"read_log", "list_cameras"},
        "technician": {"list_cameras", "view_health", "cause_faults"},
        "administrator": {
            *("manage_users", "manage_sites", "manage_rules", "list_cameras", "view_health", "cause_faults")
        },
    }
