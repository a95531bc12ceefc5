"""Cases: opened whole or not at all, held against deletion, written to, exported from, closed."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from safecity.cases.model import CaseId
from safecity.cases.service import Dossier, NewCase
from safecity.cases.store import Search
from safecity.dispatch.model import AssignmentState
from safecity.events.cases import CaseChanged
from safecity.incidents.incident import Incident
from safecity.oversight.model import Act, Actor, Resource, Role
from safecity.platform.errors import Conflict, Denied, Invalid, NotFound
from safecity.platform.ids import new_id
from safecity.video.export_store import Export, insert_export
from safecity.video.holds import list_holds
from tests.response import Centre, spec


def new_case(incident: Incident, *, fir: str = "123/26", station: str = "City", note: str = "") -> NewCase:
    return NewCase(incident=incident.id, version=incident.version, fir_number=fir, police_station=station, note=note)


@pytest.fixture
def opened(centre: Centre) -> tuple[Actor, Incident, Dossier]:
    incident = centre.confirmed(centre.cameras()[0])
    actor = centre.actor()
    return actor, incident, centre.cases.open_case(actor, new_case(incident, note="two hurt"))


def purposes(centre: Centre, kind: str, ref: str) -> bool:
    with centre.database.read() as connection:
        found = centre.oversight.find_purpose(connection, kind=kind, ref=ref)  # type: ignore[arg-type]
    return found is not None and found.closed_at is None


def test_opening_closes_the_incident_and_holds_its_clip(
    centre: Centre, opened: tuple[Actor, Incident, Dossier]
) -> None:
    _, incident, dossier = opened
    case, [held] = dossier.case, dossier.clips
    assert case.number == "C-2026-000001"
    assert (case.incident_number, case.title) == (incident.number, incident.title)
    after = centre.get(incident.id)
    assert (after.stage, after.outcome, after.case) == ("closed", "case", case.id)
    assert held.clip.from_at <= incident.clip_from - timedelta(seconds=30)
    assert held.clip.to_at >= incident.clip_to + timedelta(seconds=30)
    with centre.database.read() as connection:
        holds = list_holds(connection, case.id)
    assert [(one.stream, one.from_at, one.to_at) for one in holds] == [
        (stream, held.clip.from_at, held.clip.to_at) for stream in ("main", "sub")
    ]
    assert purposes(centre, "case", case.id)
    assert not purposes(centre, "incident", incident.id)
    assert [(line.step, line.note) for line in dossier.steps] == [("opened", "two hurt"), ("held", "")]
    assert dossier.incident.case == case.id


def test_its_purpose_covers_old_pictures_and_its_clips_until_it_closes(
    centre: Centre, opened: tuple[Actor, Incident, Dossier]
) -> None:
    actor, _, dossier = opened
    clip = dossier.clips[0].clip
    centre.clock.advance(3 * 24 * 3600)
    actor = centre.actor()
    look = Resource.camera(clip.camera, from_at=clip.from_at, to_at=clip.to_at)
    centre.oversight.permit(actor, Act.VIEW_RECORDINGS, look)
    centre.oversight.permit(actor, Act.EXPORT_CLIP, look)
    closed = centre.cases.close_case(actor, dossier.case.id, version=dossier.case.version, outcome="convicted")
    assert (closed.case.state, closed.case.outcome) == ("closed", "convicted")
    for act in (Act.VIEW_RECORDINGS, Act.EXPORT_CLIP):
        with pytest.raises(Denied):
            centre.oversight.permit(actor, act, look)
    with centre.database.read() as connection:
        assert all(one.released_at is None for one in list_holds(connection, dossier.case.id)), "clips stay held"


def test_a_case_that_cannot_be_opened_leaves_nothing(centre: Centre) -> None:
    incident = centre.confirmed(centre.cameras()[0])
    centre.dispatch.ensure_units([spec("NEAR-1", incident.position.lon, incident.position.lat)])
    actor = centre.actor()
    sent = centre.dispatch.send(actor, incident.id, unit="unit_near-1")  # type: ignore[arg-type]
    incident, facts, leaves = centre.get(incident.id), len(centre.facts()), len(centre.leaves())
    with pytest.raises(Conflict, match="unit is still on"):
        centre.cases.open_case(actor, new_case(incident))
    assert centre.cases.list_cases(actor, Search()) == []
    assert (len(centre.facts()), len(centre.leaves())) == (facts, leaves)
    assert purposes(centre, "incident", incident.id)
    centre.dispatch.step(actor, sent, to=AssignmentState.CANCELLED)
    stranger = centre.actor(Role.DISPATCHER)
    with pytest.raises(Conflict, match="Some supervisor"):
        centre.cases.open_case(stranger, new_case(incident))
    assert centre.cases.open_case(stranger, new_case(centre.get(incident.id))).case.number == "C-2026-000001"


@pytest.mark.parametrize(("fir", "station"), [(" ", "City"), ("123/26", "- -"), ("1" * 61, "City"), ("1\x002", "City")])
def test_references_that_cannot_be_are_refused(centre: Centre, fir: str, station: str) -> None:
    incident = centre.incident()
    with pytest.raises(Invalid):
        centre.cases.open_case(centre.actor(), new_case(incident, fir=fir, station=station))
    assert centre.get(incident.id).is_open


def test_a_second_open_case_of_the_same_fir_is_refused_by_name(
    centre: Centre, opened: tuple[Actor, Incident, Dossier]
) -> None:
    actor, _, first = opened
    other = centre.incident()
    with pytest.raises(Conflict, match=first.case.number):
        centre.cases.open_case(actor, new_case(other, fir=" 123 / 26", station="CITY"))
    second = centre.cases.open_case(actor, new_case(other, fir="124/26"))
    assert second.case.number == "C-2026-000002"
    with pytest.raises(Conflict, match=first.case.number):
        centre.cases.set_references(
            actor, second.case.id, version=second.case.version, fir_number="123/26", police_station="City"
        )
    centre.cases.close_case(actor, first.case.id, version=first.case.version, outcome="untraced")
    third = centre.incident()
    assert centre.cases.open_case(actor, new_case(third)).case.number == "C-2026-000003", "a closed one does not stand"


def test_one_incident_closes_into_one_case(centre: Centre, opened: tuple[Actor, Incident, Dossier]) -> None:
    actor, incident, _ = opened
    with pytest.raises(Conflict, match="closed"):
        centre.cases.open_case(actor, new_case(centre.get(incident.id), fir="9/26"))


def test_corrected_references_keep_the_old_ones_and_a_stale_reader_is_told_who(
    centre: Centre, opened: tuple[Actor, Incident, Dossier]
) -> None:
    actor, _, dossier = opened
    case = dossier.case
    after = centre.cases.set_references(
        actor, case.id, version=case.version, fir_number="125/26", police_station="Saddar"
    )
    detail = after.steps[-1].detail
    assert (detail["old_fir_number"], detail["fir_number"]) == ("123/26", "125/26")
    with pytest.raises(Conflict, match=r"Some supervisor \(references\)"):
        centre.cases.set_references(actor, case.id, version=case.version, fir_number="1", police_station="x")
    with pytest.raises(Conflict, match="Some supervisor"):
        centre.cases.close_case(actor, case.id, version=case.version, outcome="untraced")


def test_a_closed_case_takes_notes_only(centre: Centre, opened: tuple[Actor, Incident, Dossier]) -> None:
    actor, _, dossier = opened
    case = centre.cases.close_case(actor, dossier.case.id, version=1, outcome="convicted").case
    with pytest.raises(Conflict, match="is closed"):
        centre.cases.close_case(actor, case.id, version=case.version, outcome="again")
    noted = centre.cases.add_note(actor, case.id, text="appeal dismissed")
    assert noted.steps[-1].note == "appeal dismissed"
    with pytest.raises(NotFound):
        centre.cases.add_note(actor, CaseId("case_none"), text="x")


def export_of(centre: Centre, dossier: Dossier, actor: Actor, *, late_s: float = 0.0, camera: str = "") -> str:
    clip, now = dossier.clips[0].clip, centre.clock.now()
    export = Export(
        id=new_id("exp"),
        camera=camera or clip.camera,
        stream="main",
        from_at=clip.from_at,
        to_at=clip.to_at + timedelta(seconds=late_s),
        first_at=clip.from_at,
        end_at=clip.to_at,
        reason="court",
        made_by=actor.user_id,
        made_at=now,
        expires_at=now + timedelta(days=7),
        deleted_at=None,
        size_bytes=1,
        sha256="ab" * 32,
        sheet_sha256="cd" * 32,
    )
    with centre.database.begin() as connection:
        insert_export(connection, export)
    return export.id


def test_an_export_of_a_clip_is_remembered_while_it_is_kept(
    centre: Centre, opened: tuple[Actor, Incident, Dossier]
) -> None:
    actor, _, dossier = opened
    export = export_of(centre, dossier, actor)
    after = centre.cases.add_export(actor, dossier.case.id, export_id=export)
    assert after.clips[0].export == export
    assert after.steps[-1].detail["sha256"] == "ab" * 32
    again = centre.cases.add_export(actor, dossier.case.id, export_id=export)
    assert again.case.version == after.case.version, "said twice is said once"
    centre.clock.advance(8 * 24 * 3600)
    assert centre.cases.get_case(centre.actor(), dossier.case.id).clips[0].export is None


@pytest.mark.parametrize("kind", ["outside", "other_camera", "unknown", "somebody_elses"])
def test_an_export_that_is_not_of_the_case_is_refused(
    centre: Centre, opened: tuple[Actor, Incident, Dossier], kind: str
) -> None:
    actor, _, dossier = opened
    investigator = centre.actor(Role.INVESTIGATOR)
    make: dict[str, Callable[[], str]] = {
        "outside": lambda: export_of(centre, dossier, actor, late_s=1.0),
        "other_camera": lambda: export_of(centre, dossier, actor, camera="cam_other"),
        "unknown": lambda: "exp_none",
        "somebody_elses": lambda: export_of(centre, dossier, investigator),
    }
    with pytest.raises((Conflict, NotFound, Denied)):
        centre.cases.add_export(actor, dossier.case.id, export_id=make[kind]())
    assert centre.cases.get_case(actor, dossier.case.id).case.version == dossier.case.version


def test_the_list_is_searched_as_written_and_paged(centre: Centre) -> None:
    actor = centre.actor()
    for fir, station in (("1/26", "City"), ("100%", "Sad_dar"), ("3/26", "شہر")):
        centre.cases.open_case(actor, new_case(centre.incident(), fir=fir, station=station))

    def found(**asked: object) -> list[str]:
        return [one.references.fir_number for one in centre.cases.list_cases(actor, Search(**asked))]  # type: ignore[arg-type]

    assert found() == ["3/26", "100%", "1/26"]
    assert found(text="%") == ["100%"]
    assert found(text="_") == ["100%"]
    assert found(text="شہر") == ["3/26"]
    assert found(text="c-2026-000001") == ["1/26"]
    assert found(text="\\") == []
    assert found(state="closed") == []
    first = centre.cases.list_cases(actor, Search(limit=2))
    assert [one.references.fir_number for one in first] == ["3/26", "100%"]
    assert found(before=first[-1].id) == ["1/26"]


def test_reading_a_file_is_one_leaf_in_five_minutes(centre: Centre, opened: tuple[Actor, Incident, Dossier]) -> None:
    _, _, dossier = opened
    reader = centre.actor(Role.INVESTIGATOR)

    def leaves() -> int:
        return sum(leaf.type == "list_cases" for leaf in centre.leaves())

    counts = []
    for wait_s in (0, 100, 250):
        centre.clock.advance(wait_s)
        centre.cases.get_case(reader, dossier.case.id)
        counts.append(leaves())
    assert counts == [1, 1, 2]
    for role in (Role.OPERATOR, Role.DISPATCHER, Role.AUDITOR, Role.ADMINISTRATOR):
        with pytest.raises(Denied):
            centre.cases.get_case(centre.actor(role), dossier.case.id)


def test_each_change_states_the_case_and_nothing_of_what_is_in_it(
    centre: Centre, opened: tuple[Actor, Incident, Dossier]
) -> None:
    actor, _, dossier = opened
    centre.cases.add_note(actor, dossier.case.id, text="a secret word")
    stated = [fact for fact in centre.facts() if isinstance(fact, CaseChanged)]
    assert [(fact.version, fact.state) for fact in stated] == [(1, "open"), (2, "open")]
    assert "secret" not in "".join(fact.model_dump_json() for fact in stated)
