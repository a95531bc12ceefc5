"""The rules of the queue by properties: no sequence of facts, steps and clock ticks brings an alert out of order."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.events.incidents import CloseReason, Person
from safecity.incidents.model import (
    SUPERVISOR,
    Alert,
    AlertId,
    Firing,
    Handler,
    Handling,
    HandStep,
    IncidentId,
    Limits,
    handle,
    join,
    queue_key,
    raise_alert,
    takes,
    tick,
)
from safecity.incidents.offers import choose
from safecity.oversight.model import OnDuty, Role, UserId
from safecity.platform.errors import Conflict, Invalid
from safecity.platform.geometry import LonLat

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMITS = Limits(
    merge=timedelta(seconds=300),
    offer=(timedelta(seconds=15), timedelta(seconds=60), timedelta(seconds=600)),
    escalate=(timedelta(seconds=30), timedelta(seconds=180), timedelta(seconds=1200)),
    act=(timedelta(seconds=120), timedelta(seconds=600), timedelta(seconds=3600)),
)
AYESHA, BILAL = Person(user="usr_a", name="Ayesha"), Person(user="usr_b", name="Bilal")
CHIEF = Handler(person=Person(user="usr_c", name="Chief"), is_supervisor=True)
A, B = Handler(person=AYESHA, is_supervisor=False), Handler(person=BILAL, is_supervisor=False)


def firing(*, at: datetime = NOON, priority: int = 2, **other: object) -> Firing:
    made = Firing(
        fact="fact_1",
        camera="cam_1",
        position=LonLat(67.0, 30.2),
        rule="no-stopping",
        kind="stopped_vehicle",
        title="Vehicle stopped",
        title_ur="گاڑی رکی ہے",
        subject="lane/car",
        object_class="car",
        priority=priority,
        started_at=at,
        clip_from=at - timedelta(seconds=5),
        clip_to=at + timedelta(seconds=10),
        picture_at=at,
        box=None,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def alert(*, priority: int = 2, offer: Person | None = AYESHA) -> Alert:
    return raise_alert(firing(priority=priority), id=AlertId("alr_1"), offer=offer, now=NOON, limits=LIMITS)


def do(step: HandStep, on: Alert, *, by: Handler = A, now: datetime = NOON, reason: CloseReason | None = None) -> Alert:
    incident = IncidentId("inc_1") if step == "confirm" else None
    return handle(on, Handling(step=step, reason=reason, incident=incident), by=by, now=now, limits=LIMITS)


def is_in_order(one: Alert) -> bool:
    """What must hold of every alert at every instant."""
    if one.is_open:
        has_somebody = one.owner is not None or one.offered_to is not None or one.level >= 1
        is_held = (one.state == "acknowledged") == (one.owner is not None)
        keeps_time = one.due_at is not None or one.level == SUPERVISOR or one.priority == 4
        return has_somebody and is_held and keeps_time and one.decided_at is None
    is_decided = one.decided_at is not None and one.owner is not None and one.due_at is None
    return (
        is_decided
        and (one.close_reason is not None) == (one.state == "closed")
        and ((one.incident is not None) == (one.state == "confirmed"))
    )


MOVES = st.one_of(
    st.tuples(st.just("handle"), st.sampled_from(get_args(HandStep)), st.sampled_from([A, B, CHIEF])),
    st.tuples(st.just("fact"), st.integers(-1000, 1000), st.integers(1, 4)),
    st.tuples(st.just("time"), st.integers(-4000, 4000), st.none()),
)


@settings(max_examples=400)
@given(
    priority=st.integers(1, 4),
    offer=st.sampled_from([AYESHA, BILAL, None]),
    moves=st.lists(MOVES, max_size=30),
)
def test_no_sequence_brings_an_alert_out_of_order(priority: int, offer: Person | None, moves: list[tuple]) -> None:
    now, one = NOON, alert(priority=priority, offer=offer)
    assert is_in_order(one)
    assert one.version == 1
    opened = 0
    for kind, first, second in moves:
        before = one
        if kind == "time":
            now += timedelta(seconds=first)
            ticked = tick(one, now=now, limits=LIMITS)
            one = ticked[0] if ticked else one
            assert one.due_at is None or one.due_at <= now + max(LIMITS.act[2], LIMITS.escalate[2])
        elif kind == "fact":
            new = firing(at=NOON + timedelta(seconds=first), priority=second)
            one = (
                join(one, new, now=now, limits=LIMITS) if takes(one, new, is_incident_open=True, limits=LIMITS) else one
            )
            assert one.clip_from <= one.clip_to
            assert one.first_at <= one.last_at
        else:
            try:
                one = do(first, one, by=second, now=now, reason="test" if first == "close" else None)
            except Conflict:
                continue
        opened += one.incident is not None and before.incident is None
        assert is_in_order(one)
        assert one.version - before.version == (one != before)
        assert one.version - before.version in (0, 1)
        if before.state == "closed":
            assert one == before
        if before.state == "confirmed":
            assert (one.state, one.owner, one.incident) == (before.state, before.owner, before.incident)
        assert one.priority <= before.priority
        assert one.count - before.count == (kind == "fact" and one != before)
    assert opened <= 1


@given(priority=st.integers(1, 4), offer=st.sampled_from([AYESHA, None]), every_s=st.integers(1, 900))
def test_an_alert_that_nobody_touches_reaches_the_supervisor_unless_it_may_wait(
    priority: int, offer: Person | None, every_s: int
) -> None:
    one, now = alert(priority=priority, offer=offer), NOON
    reached = None
    for _ in range(5000 // every_s + 3):
        now += timedelta(seconds=every_s)
        ticked = tick(one, now=now, limits=LIMITS)
        one = ticked[0] if ticked else one
        if one.level == SUPERVISOR and reached is None:
            reached = now - NOON
    if priority == 4:
        assert reached is None
        assert one.version == 1
    else:
        assert reached is not None
        assert LIMITS.escalate_of(priority) <= reached <= LIMITS.escalate_of(priority) + timedelta(seconds=2 * every_s)


@pytest.mark.parametrize("priority", [1, 2, 3, 4])
def test_an_acknowledgement_lapses_and_says_so(priority: int) -> None:
    held = do("acknowledge", alert(priority=priority))
    assert held.due_at == NOON + LIMITS.act_of(priority)
    assert tick(held, now=held.due_at - timedelta(seconds=1), limits=LIMITS) is None
    ticked = tick(held, now=held.due_at, limits=LIMITS)
    assert ticked is not None
    after, word = ticked
    assert (word, after.state, after.owner, after.level) == ("lapsed", "unacknowledged", None, 1)
    assert (after.due_at is None) == (priority == 4)


def test_a_lapse_at_the_supervisor_stays_with_the_supervisor() -> None:
    held = do("acknowledge", do("escalate", alert()), by=CHIEF)
    ticked = tick(held, now=NOON + LIMITS.act_of(2), limits=LIMITS)
    assert ticked is not None
    assert (ticked[0].level, ticked[0].due_at) == (SUPERVISOR, None)


def test_a_clock_that_was_ahead_does_not_keep_an_alert_waiting() -> None:
    one = alert(priority=1)
    ticked = tick(one, now=NOON - timedelta(hours=3), limits=LIMITS)
    assert ticked is not None
    after, word = ticked
    assert (word, after.level, after.state) == ("rescheduled", 0, "unacknowledged")
    assert after.due_at == NOON - timedelta(hours=3) + LIMITS.offer_of(1)


def test_who_holds_an_alert_decides_it_or_the_supervisor_does() -> None:
    held = do("acknowledge", alert())
    for step in ("release", "confirm", "close"):
        with pytest.raises(Conflict, match="Ayesha has acknowledged this alert; only they or a supervisor"):
            do(step, held, by=B, reason="test" if step == "close" else None)
        assert do(step, held, by=CHIEF, reason="test" if step == "close" else None).version == 3
    with pytest.raises(Conflict, match="Ayesha has acknowledged this alert; it is theirs"):
        do("acknowledge", held, by=B)
    with pytest.raises(Conflict, match="You have acknowledged"):
        do("acknowledge", held)


def test_anyone_may_take_what_was_offered_to_another() -> None:
    assert do("acknowledge", alert(offer=AYESHA), by=B).owner == BILAL


def test_confirming_or_closing_what_nobody_holds_takes_it_in_the_same_step() -> None:
    confirmed = do("confirm", alert(), by=B)
    assert (confirmed.version, confirmed.state, confirmed.owner) == (2, "confirmed", BILAL)
    closed = do("close", alert(), by=B, reason="nothing_seen")
    assert (closed.version, closed.state, closed.owner, closed.close_reason) == (2, "closed", BILAL, "nothing_seen")


def test_escalating_by_hand_calls_the_supervisor_and_lets_go() -> None:
    after = do("escalate", do("acknowledge", alert()))
    assert (after.state, after.level, after.owner, after.due_at) == ("unacknowledged", SUPERVISOR, None, None)
    with pytest.raises(Conflict, match="supervisor has been called"):
        do("escalate", after, by=B)


@pytest.mark.parametrize("step", get_args(HandStep))
def test_a_decided_alert_names_who_decided(step: HandStep) -> None:
    reason = "test" if step == "close" else None
    with pytest.raises(Conflict, match="Bilal has closed this alert already, as a duplicate"):
        do(step, do("close", alert(), by=B, reason="duplicate"), reason=reason)
    with pytest.raises(Conflict, match="Bilal has confirmed this alert already"):
        do(step, do("confirm", alert(), by=B), reason=reason)


def test_closing_needs_a_reason_and_nothing_else_has_one() -> None:
    with pytest.raises(Invalid, match="Say why"):
        do("close", alert())
    with pytest.raises(Invalid, match="only closing has a reason"):
        do("acknowledge", alert(), reason="test")
    with pytest.raises(Invalid):
        handle(alert(), Handling(step="confirm"), by=A, now=NOON, limits=LIMITS)


def test_a_release_is_for_what_is_held() -> None:
    with pytest.raises(Conflict, match="Nobody has acknowledged"):
        do("release", alert())
    after = do("release", do("acknowledge", alert()))
    assert (after.state, after.owner, after.level) == ("unacknowledged", None, 1)


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ({}, True),
        ({"at": NOON + timedelta(seconds=300)}, True),
        ({"at": NOON + timedelta(seconds=301)}, False),
        ({"at": NOON - timedelta(seconds=301)}, False),
        ({"camera": "cam_2"}, False),
        ({"rule": "wrong-way"}, False),
        ({"subject": "lane/bus"}, False),
    ],
)
def test_facts_of_one_matter_are_one_alert(other: dict[str, object], is_same: bool) -> None:
    assert takes(alert(), firing(**other), is_incident_open=False, limits=LIMITS) is is_same


def test_a_confirmed_alert_takes_facts_as_long_as_its_incident_is_open() -> None:
    confirmed, later = do("confirm", alert()), firing(at=NOON + timedelta(hours=2))
    assert takes(confirmed, later, is_incident_open=True, limits=LIMITS)
    assert not takes(confirmed, later, is_incident_open=False, limits=LIMITS)
    closed = do("close", alert(), reason="test")
    assert not takes(closed, firing(), is_incident_open=True, limits=LIMITS)
    with pytest.raises(Conflict):
        join(closed, firing(), now=NOON, limits=LIMITS)


def test_a_fact_of_higher_priority_makes_an_alert_more_urgent() -> None:
    urgent = join(alert(priority=4), firing(priority=1), now=NOON, limits=LIMITS)
    assert (urgent.priority, urgent.due_at) == (1, NOON + LIMITS.offer_of(1))
    assert join(urgent, firing(priority=3), now=NOON, limits=LIMITS).due_at == urgent.due_at


def test_the_queue_is_by_priority_then_level_then_time() -> None:
    low, high = alert(priority=3), alert(priority=1)
    called, waiting = do("escalate", alert()), alert()
    later = replace(waiting, id=AlertId("alr_2"), due_at=NOON + timedelta(hours=1))
    assert sorted([low, later, waiting, called, high], key=queue_key) == [high, called, waiting, later, low]


def on_duty(user: str, role: Role = Role.OPERATOR) -> OnDuty:
    return OnDuty(user_id=UserId(user), display_name=user, role=role, since=NOON)


def test_the_operator_with_least_to_do_is_offered_the_alert() -> None:
    desk = [on_duty("d", Role.DISPATCHER), on_duty("s", Role.SUPERVISOR), on_duty("a"), on_duty("b")]
    assert choose(desk, {"a": 2, "b": 1}, last={}) == Person(user="b", name="b")
    assert choose(desk, {"a": 1, "b": 1}, last={"a": 1, "b": 2}) == Person(user="a", name="a")
    assert choose(desk[:2], {"d": 9}, last={}) == Person(user="d", name="d")
    assert choose(desk[1:2], {}, last={}) is None
    assert choose([], {}, last={}) is None


def test_every_field_of_an_alert_survives_a_step_that_is_not_about_it() -> None:
    before, after = alert(), do("acknowledge", alert())
    changed = {item.name for item in fields(Alert) if getattr(before, item.name) != getattr(after, item.name)}
    assert changed == {"version", "state", "owner", "due_at"}
