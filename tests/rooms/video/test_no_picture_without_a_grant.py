"""Someone tries every door to a picture that they may not see; none opens, and each try is in the log."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import websockets

from safecity.oversight.model import Purpose, PurposeScope, Role
from safecity.platform.clock import to_iso
from safecity.platform.errors import Unavailable
from safecity.video.model import Stream
from tests.rooms.video.house import PHRASE, House
from tests.rooms.video.recorded import CAMERA, NOON
from tests.rooms.video.served import Running, serve
from tests.rooms.video.test_live import Upstream

# What a browser can ask of the gateway. A route that is new must be tried here too.
DOORS = {
    "/media/live/{camera}",
    "/media/playback",
    "/media/playback/{look}",
    "/media/exports",
    "/media/exports/{export_id}/clip.mp4",
    "/media/exports/{export_id}/sheet.json",
    "/media/stills/{camera}",
    "/media/playback/{look}/still",
    "/media/hls",
    "/media/hls/{look}/live.m3u8",
    "/media/hls/{look}/{part}",
}
PICTURES = {"video/mp4", "image/jpeg"}


@pytest.fixture
def aged(tmp_path: Path, clips_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Recordings that are a minute old, where shift duty covers only half a minute."""
    house = House(tmp_path, clips_dir / "suburban_road_a.mp4", live_hours=30 / 3600)
    monkeypatch.setattr("safecity.api.media.CHECK_EVERY_S", 0.1)
    with serve(house) as made:
        house.recorder.write(keys=4)
        house.clock.advance(60)
        yield made


def iso(seconds: float) -> str:
    return to_iso(NOON + timedelta(seconds=seconds))


def ask(from_s: float = 1, to_s: float = 5, **more: str) -> dict[str, str]:
    return {"camera": CAMERA, "from": iso(from_s), "to": iso(to_s), **more}


def incident(house: House, *, from_at: datetime = NOON, to_at: datetime | None = None) -> Purpose:
    scope = PurposeScope(camera=CAMERA, from_at=from_at, to_at=to_at)
    with house.database.begin() as connection:
        return house.oversight.open_purpose(connection, kind="incident", ref="2026-000003", scope=[scope])


def last_refusal(house: House) -> str:
    auditor = house.sign_in(f"aud{len(house.tokens)}", Role.AUDITOR, on_duty=False)
    leaf = house.oversight.read_log(auditor, type="refused").leaves[0]
    return str(json.loads(leaf.body or "")["reason"])


def test_every_door_is_known_here(aged: Running) -> None:
    paths: set[str] = set()
    waiting = list(aged.app.routes)
    while waiting:
        route = waiting.pop()
        path = getattr(route, "path", None)
        if path is None:  # an included router
            waiting += getattr(getattr(route, "original_router", route), "routes", [])
        else:
            paths.add(path)
    assert {path for path in paths if not path.startswith(("/docs", "/openapi"))} == DOORS


def knock(running: Running, name: str | None, *, look: str, export: str) -> list[tuple[str, int, str]]:
    """Every door over HTTP: what was asked, the status and the kind of the answer."""
    with running.http(name) as page:
        answers = [
            page.post("/media/playback", json=ask()),
            page.get(f"/media/playback/{look}", params={"at": iso(2)}),
            page.post("/media/exports", json=ask(reason="FIR 1/26")),
            page.get(f"/media/exports/{export}/clip.mp4"),
            page.get(f"/media/exports/{export}/clip.mp4", headers={"Range": "bytes=0-99"}),
            page.get(f"/media/exports/{export}/sheet.json"),
            page.get(f"/media/stills/{CAMERA}", params={"at": iso(2)}),
            page.get(f"/media/playback/{look}/still", params={"at": iso(2)}),
        ]
    return [(str(one.url), one.status_code, one.headers["content-type"]) for one in answers]


def live_close(running: Running, name: str | None) -> int:
    async def look() -> int:
        async with running.live(name) as viewer:
            with contextlib.suppress(websockets.ConnectionClosed, TimeoutError):
                async with asyncio.timeout(3):
                    async for message in viewer:
                        assert isinstance(message, str), "a picture came through"
            return viewer.close_code or 0

    return asyncio.run(look())


def test_while_a_case_is_open_everything_opens_and_then_nothing_does(aged: Running) -> None:
    house = aged.house
    case = house.open_case("2026-000012", from_at=NOON - timedelta(minutes=1))
    with aged.http("ines") as page:
        look = page.post("/media/playback", json=ask()).json()["look"]
        export = page.post("/media/exports", json=ask(reason="FIR 1/26")).json()["export"]
    opened = knock(aged, "ines", look=look, export=export)
    assert [status for _, status, _ in opened] == [200, 200, 200, 200, 206, 200, 200, 200]
    auditor = house.sign_in("aude", Role.AUDITOR, on_duty=False)
    leaves = house.oversight.read_log(auditor, limit=200).leaves
    looks = [json.loads(leaf.body or "") for leaf in leaves if leaf.type in ("view_recordings", "export_clip")]
    assert {body["purpose"]["ref"] for body in looks} == {"2026-000012"}
    assert all(body["shift"] for body in looks)

    house.close(case)
    shut = knock(aged, "ines", look=look, export=export)
    assert [status for _, status, _ in shut] == [403, 404, 403, 403, 403, 403, 403, 404]
    assert not {kind for _, _, kind in shut} & PICTURES
    assert last_refusal(house) == "oversight.too_old"
    with aged.http("ines") as page:
        told = page.post("/media/playback", json=ask()).json()["detail"]
    assert "open the case or incident that this camera belongs to" in told


def test_a_running_playback_ends_with_its_incident_without_being_asked(aged: Running) -> None:
    house = aged.house
    purpose = incident(house)
    opened = aged.gateway.open_playback(
        house.actor, (CAMERA, Stream.MAIN), from_at=NOON, to_at=NOON + timedelta(seconds=5), rendition="clear"
    )
    assert opened.look.permit.purpose_id == purpose.id
    aged.gateway.check()
    assert opened.look.end_reason is None
    house.close(purpose)
    aged.gateway.check()
    assert opened.look.end_reason == "ended"


def test_a_look_that_rests_on_the_shift_does_not_keep_one_that_rests_on_an_incident(aged: Running) -> None:
    """Looks of one session are checked together only where they rest on the same."""
    house = aged.house
    purpose = incident(house)
    live = aged.gateway.open_live(house.actor, CAMERA, stream=Stream.SUB, rendition="clear")
    old = aged.gateway.open_playback(
        house.actor, (CAMERA, Stream.MAIN), from_at=NOON, to_at=NOON + timedelta(seconds=5), rendition="clear"
    ).look
    house.close(purpose)
    assert list(aged.gateway.check()) in ([old], [])
    assert (live.end_reason, old.end_reason) == (None, "ended")
    incident(house)
    again = aged.gateway.open_playback(
        house.actor, (CAMERA, Stream.MAIN), from_at=NOON, to_at=NOON + timedelta(seconds=5), rendition="clear"
    ).look
    house.oversight.end_shift(house.actor)
    aged.gateway.check()
    assert (live.end_reason, again.end_reason) == ("ended", "ended")


@pytest.mark.parametrize(
    ("from_s", "to_s", "status"), [(1, 4, 200), (0, 4, 200), (-1, 4, 403), (1, 4.5, 403), (4.5, 5, 403)]
)
def test_playback_only_inside_of_what_the_purpose_covers(
    aged: Running, from_s: float, to_s: float, status: int
) -> None:
    incident(aged.house, from_at=NOON - timedelta(seconds=0.5), to_at=NOON + timedelta(seconds=4))
    with aged.http("ines") as page:
        assert page.post("/media/playback", json=ask(from_s, to_s)).status_code == status


def test_an_incident_opens_no_live_picture_to_someone_off_duty(aged: Running) -> None:
    incident(aged.house)
    aged.house.sign_in("olga", Role.OPERATOR, on_duty=False)
    assert live_close(aged, "olga") == 4403
    shut = knock(aged, "olga", look="lok_x", export="exp_x")
    assert not {kind for _, _, kind in shut} & PICTURES
    assert live_close(aged, None) == 4401


def test_a_case_gives_no_clip_to_a_role_that_takes_none_out(aged: Running) -> None:
    aged.house.open_case()
    with aged.http("ines") as page:
        export = page.post("/media/exports", json=ask(reason="FIR 1/26")).json()["export"]
    for role in set(Role) - {Role.INVESTIGATOR, Role.SUPERVISOR}:
        is_watcher = role in {Role.OPERATOR, Role.DISPATCHER}
        aged.house.sign_in(f"a.{role}", role, on_duty=is_watcher)
        answers = [status for _, status, _ in knock(aged, f"a.{role}", look="lok_x", export=export)]
        seen = 200 if is_watcher else 403
        assert answers == [seen, 404, 403, 403, 403, 403, seen, 404]


@pytest.mark.parametrize("end", ["sign_out", "disable", "password", "role", "shift"])
def test_whatever_ends_a_person_ends_their_pictures(aged: Running, end: str) -> None:
    house = aged.house
    house.open_case()
    with aged.http("ines") as page:
        look = page.post("/media/playback", json=ask()).json()["look"]
        export = page.post("/media/exports", json=ask(reason="FIR 1/26")).json()["export"]
    assert knock(aged, "ines", look=look, export=export)[6][1] == 200, "a still, which is remembered"
    if end == "sign_out":
        house.oversight.sign_out(house.tokens["ines"])
    elif end == "disable":
        house.oversight.disable_user("ines")
    elif end == "password":
        house.oversight.set_password("ines", f"another {PHRASE}")
    elif end == "role":
        with house.database.begin() as connection:
            connection.exec_driver_sql("UPDATE users SET role = 'technician' WHERE name = 'ines'")
    else:
        house.oversight.end_shift(house.actor)
    shut = knock(aged, "ines", look=look, export=export)
    assert not {kind for _, _, kind in shut} & PICTURES
    assert {status for _, status, _ in shut} <= {401, 403, 404}
    assert live_close(aged, "ines") in {4401, 4403}


def test_another_session_of_the_same_person_asks_for_itself(aged: Running) -> None:
    house = aged.house
    house.open_case()
    with aged.http("ines") as page:
        look = page.post("/media/playback", json=ask()).json()["look"]
        assert page.get(f"/media/stills/{CAMERA}", params={"at": iso(2)}).status_code == 200
    house.tokens["ines"] = house.oversight.sign_in("ines", PHRASE, console="elsewhere").token
    before = house.log_types().count("view_recordings")
    with aged.http("ines") as page:
        assert page.get(f"/media/playback/{look}", params={"at": iso(2)}).status_code == 404
        assert page.get(f"/media/stills/{CAMERA}", params={"at": iso(2)}).status_code == 200
    assert house.log_types().count("view_recordings") == before + 1


def test_scrub_pictures_stay_inside_of_their_look(aged: Running) -> None:
    """A key frame of before the look is no picture of it, and a look of the past says nothing of the rest."""
    aged.house.open_case()
    with aged.http("ines") as page:
        opened = page.post("/media/playback", json=ask(1, 4)).json()
        begins = datetime.fromisoformat(opened["from"]) + timedelta(milliseconds=10)

        def still(at: datetime) -> tuple[int, str]:
            answer = page.get(f"/media/playback/{opened['look']}/still", params={"at": to_iso(at)})
            return answer.status_code, answer.headers["content-type"]

        assert still(begins) == (200, "image/jpeg")
        assert still(begins + timedelta(seconds=1)) == (200, "image/jpeg")
        assert still(begins - timedelta(seconds=0.1))[0] == 422
        assert still(NOON + timedelta(seconds=4.5))[0] == 422
    before = aged.house.log_types().count("view_recordings")
    assert before == 1, "one look, one leaf, however many pictures"


def knock_hls(running: Running, name: str | None, look: str) -> list[int]:
    """The doors of HLS, with the look of somebody."""
    with running.http(name) as page:
        answers = [
            page.post("/media/hls", json={"camera": CAMERA}),
            page.get(f"/media/hls/{look}/live.m3u8"),
            page.get(f"/media/hls/{look}/init-1.mp4"),
            page.get(f"/media/hls/{look}/0.m4s"),
        ]
    assert not {one.headers["content-type"] for one in answers if one.status_code >= 400} & PICTURES
    return [one.status_code for one in answers]


@pytest.fixture
def upstream(aged: Running) -> Iterator[Upstream]:
    made = Upstream(aged.run_dir)
    yield made
    made.stop()


def test_hls_opens_to_its_own_session_alone_and_ends_with_the_shift(
    aged: Running, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = aged.house
    with monkeypatch.context() as patched, aged.http("ines") as page:
        patched.setattr("safecity.api.media_hls.FIRST_WITHIN_S", 0.2)
        look = page.post("/media/hls", json={"camera": CAMERA}).json()["look"]
        assert page.get(f"/media/hls/{look}/live.m3u8").status_code == 503, "no picture yet"
    upstream.begin(house.recorder.clip.header)
    upstream.send(*range(50))
    assert knock_hls(aged, "ines", look) == [200, 200, 200, 200]
    house.sign_in("olga", Role.OPERATOR, on_duty=False)
    assert knock_hls(aged, "olga", look) == [403, 404, 404, 404]
    assert knock_hls(aged, None, look) == [401, 401, 401, 401]
    house.tokens["ines"] = house.oversight.sign_in("ines", PHRASE, console="elsewhere").token
    assert knock_hls(aged, "ines", look)[1:] == [404, 404, 404], "another session of the same person"
    house.oversight.end_shift(house.actor)
    aged.gateway.check()  # as twice a second: until then the looks of before take the three places that there are
    assert knock_hls(aged, "ines", look) == [403, 404, 404, 404]


def test_an_hls_look_that_nobody_fetches_is_over(aged: Running) -> None:
    with aged.http("ines") as page:
        look = page.post("/media/hls", json={"camera": CAMERA}).json()["look"]
    aged.house.clock.advance(30)
    ended = aged.gateway.check()
    assert [(one.id, one.end_reason) for one in ended if one.id == look] == [(look, "idle")]


CROOKED = (
    "/media/hls/lok_x/..%2Finit-1.mp4",
    "/media/hls/..%2F..%2Fmedia/live.m3u8",
    "/media/hls/lok_x/0.m4s%00",
    "/media/stills/..%2F..%2Fsafecity.db?at=2026-03-01T12:00:02Z",
    "/media/stills/%2e%2e?at=2026-03-01T12:00:02Z",
    "/media/stills/cam_t-1%00?at=2026-03-01T12:00:02Z",
    "/media/stills/CAM_T-1?at=2026-03-01T12:00:02Z",
    "/media/stills/*?at=2026-03-01T12:00:02Z",
    "/media/stills/cam_t-1/?at=2026-03-01T12:00:02Z",
    "//media/stills/cam_t-1?at=2026-03-01T12:00:02Z",
    "/media/exports/..%2F..%2Fmedia/clip.mp4",
    "/media/exports/../media/clip.mp4",
    "/media/exports/%2e%2e/clip.mp4",
    "/media/stills/cam_t-1?at=2026-03-01T12:00:02Z&at=2027-01-01T00:00:00Z",
    "/media/stills/cam_t-1?at=2026-03-01T12:00:02",
    "/media/stills/cam_t-1",
)


def test_crooked_addresses_lead_nowhere(aged: Running) -> None:
    with aged.http("ines") as page:
        for path in CROOKED:
            answer = page.get(path)
            assert answer.headers.get("content-type") not in PICTURES, path
            assert 300 <= answer.status_code < 500, path


def test_a_picture_that_cannot_be_written_down_is_not_shown(aged: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    house = aged.house
    house.open_case()

    def full(*_: object, **__: object) -> None:
        raise Unavailable("the log cannot be written", code="oversight.log_unwritable")

    monkeypatch.setattr(house.oversight, "permit", full)
    shut = knock(aged, "ines", look="lok_x", export="exp_x")
    assert {status for _, status, _ in shut} == {503, 404}
    assert not {kind for _, _, kind in shut} & PICTURES
    assert live_close(aged, "ines") == 4503
