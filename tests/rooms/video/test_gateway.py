"""The one door: who may not sees nothing and it is written down; who may sees live and recorded pictures."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import websockets

from safecity.oversight.model import Role
from safecity.platform.clock import to_iso
from safecity.platform.errors import Unavailable
from safecity.platform.settings import VideoSettings
from safecity.video import gateway as gateway_module
from safecity.video.clip_verify import verify_clip
from safecity.video.gateway import Gateway
from safecity.video.model import Stream
from safecity.video.scan import read_samples, scan
from tests.rooms.video.house import House
from tests.rooms.video.recorded import CAMERA, NOON
from tests.rooms.video.served import PAGE, Running, register_camera
from tests.rooms.video.test_live import Upstream, unit

KEY = (CAMERA, Stream.SUB)


@pytest.fixture
def house_alone(tmp_path: Path, clips_dir: Path) -> House:
    return House(tmp_path, clips_dir / "suburban_road_a.mp4")


@pytest.fixture
def upstream(running: Running) -> Iterator[Upstream]:
    made = Upstream(running.run_dir)
    yield made
    made.stop()


async def messages(viewer: AsyncIterator[str | bytes], count: int) -> list[str | bytes]:
    """The next messages, without the clock's."""
    found: list[str | bytes] = []
    async with asyncio.timeout(8):
        while len(found) < count:
            message = await anext(viewer)
            if isinstance(message, bytes) or json.loads(message)["type"] != "clock":
                found.append(message)
    return found


def test_live_begins_with_the_state_init_and_a_key_frame(running: Running, upstream: Upstream) -> None:
    house = running.house
    upstream.begin(house.recorder.clip.header)
    upstream.send(*range(13))

    async def watch() -> None:
        async with running.live("ines") as viewer:
            words = await messages(aiter(viewer), 6)
            texts = [json.loads(m) for m in words if isinstance(m, str)]
            binary = [m for m in words if isinstance(m, bytes)]
            assert {text["type"] for text in texts} == {"state", "init"}
            assert [t["state"] for t in texts if t["type"] == "state"] == ["live"]
            assert [t["codec"] for t in texts if t["type"] == "init"] == [house.recorder.clip.header.codec_string]
            assert binary[0][4:8] == b"ftyp"
            first = scan(binary[0] + binary[1])
            assert first.fragments[0].is_key_first
            assert first.fragments[0].decode_ticks == unit(10).media_ticks, "the current group of pictures"

    asyncio.run(watch())
    for _ in range(50):
        if running.gateway.live_looks == 0:
            break
        time.sleep(0.05)
    types = house.log_types()
    assert types.count("view_live") == 1
    assert types.count("look_ended") == 1
    auditor = house.sign_in("aude", Role.AUDITOR, on_duty=False)
    ended = next(leaf for leaf in house.oversight.read_log(auditor).leaves if leaf.type == "look_ended")
    told = json.loads(ended.body)
    assert (told["pictures"], told["camera"], told["reason"]) == (3, CAMERA, "closed")


def closed(running: Running, name: str | None, **how: str) -> tuple[int, str]:
    async def ask() -> tuple[int, str]:
        async with running.live(name, **how) as viewer:
            with contextlib.suppress(websockets.ConnectionClosed):
                async with asyncio.timeout(5):
                    async for _ in viewer:
                        pass
            return viewer.close_code or 0, viewer.close_reason or ""

    return asyncio.run(ask())


def test_live_refusals_tell_why_and_are_written_down(running: Running) -> None:
    house = running.house
    house.sign_in("adam", Role.ADMINISTRATOR, on_duty=False)
    house.sign_in("olga", Role.OPERATOR, on_duty=False)
    assert closed(running, None)[0] == 4401
    assert closed(running, "adam")[0] == 4403
    code, reason = closed(running, "olga")
    assert (code, reason) == (4403, "You are not on duty; start your shift, then look.")
    assert closed(running, "ines", camera="cam_none")[0] == 4404
    code, reason = closed(running, "ines", query="stream=sub&rendition=masked")
    assert code == 4403
    assert "masked" in reason
    assert house.log_types().count("refused") == 2
    with pytest.raises(websockets.InvalidStatus) as told:
        closed(running, "ines", origin="http://evil.example")
    assert told.value.response.status_code == 403


def test_a_full_gateway_says_so(running: Running) -> None:
    async def crowd() -> int:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(running.live("ines"))
            for _ in range(40):
                if running.gateway.live_looks == 3:
                    break
                await asyncio.sleep(0.05)
            late = await stack.enter_async_context(running.live("ines"))
            await late.wait_closed()
            return late.close_code or 0

    assert asyncio.run(crowd()) == 4429


@pytest.mark.parametrize("end", ["shift", "session"])
def test_running_looks_end_with_the_shift_or_the_session(running: Running, upstream: Upstream, end: str) -> None:
    house = running.house
    upstream.begin(house.recorder.clip.header)
    upstream.send(0, 1)

    async def watch() -> int:
        async with running.live("ines") as viewer:
            await messages(aiter(viewer), 4)
            if end == "shift":
                await asyncio.to_thread(house.oversight.end_shift, house.actor)
            else:
                await asyncio.to_thread(house.oversight.sign_out, house.tokens["ines"])
            async with asyncio.timeout(5):
                await viewer.wait_closed()
            return viewer.close_code or 0

    assert asyncio.run(watch()) == 4403
    assert closed(running, "ines")[0] == (4403 if end == "shift" else 4401)


def body(from_s: float, to_s: float, **more: str) -> dict[str, str]:
    at = {"from": to_iso(NOON + timedelta(seconds=from_s)), "to": to_iso(NOON + timedelta(seconds=to_s))}
    return {"camera": CAMERA, **at, **more}


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:10:00+14:00", "FIR 12/26"),
        ("9999-12-31T23:50:00-12:00", "9999-12-31T23:59:59-12:00", "FIR 12/26"),
        (to_iso(NOON), to_iso(NOON + timedelta(seconds=5)), "FIR\0 12/26"),
    ],
)
def test_what_no_calendar_and_no_database_holds_is_refused(running: Running, start: str, end: str, reason: str) -> None:
    ask = {"camera": CAMERA, "from": start, "to": end}
    with running.http("ines") as page:
        assert page.post("/media/exports", json={**ask, "reason": reason}).status_code == 422
        if "\0" not in reason:
            assert page.post("/media/playback", json=ask).status_code == 422


def test_playback_over_http(running: Running) -> None:
    house = running.house
    house.recorder.write(keys=3)
    house.recorder.pause(20)
    later = house.recorder.write(keys=2, session="s2")
    house.clock.advance(60)
    with running.http("ines") as page:
        opened = page.post("/media/playback", json=body(3, 55))
        assert opened.status_code == 200, opened.text
        look = opened.json()
        assert look["from"] < to_iso(NOON + timedelta(seconds=3)), "from the key frame before"
        assert len(look["spans"]) == 2
        assert look["missing"][0]["cause"] == "recorder"
        assert opened.headers["access-control-allow-origin"] == PAGE
        ask = {"at": look["from"], "seconds": 60}
        window = page.get(f"/media/playback/{look['look']}", params=ask)
        assert window.status_code == 200, window.text
        assert window.headers["content-type"] == "video/mp4"
        assert window.headers["x-next"] == to_iso(later.started_at)
        found = scan(window.content)
        assert found.fragments[0].decode_ticks == 0, "media time counts from the look"
        assert window.headers["x-codec"] == found.track.codec_string
        nothing = page.get(f"/media/playback/{look['look']}", params={"at": to_iso(NOON + timedelta(seconds=12))})
        assert nothing.status_code == 404
        assert nothing.json()["next"] == later.started_at.isoformat()
        outside = page.get(f"/media/playback/{look['look']}", params={"at": to_iso(NOON)})
        assert outside.status_code == 422
        assert "next" not in page.get("/media/playback/lok_none", params=ask).json()
    house.sign_in("olga", Role.OPERATOR)
    with running.http("olga") as page:
        assert page.get(f"/media/playback/{look['look']}", params=ask).status_code == 404, "a look is one session's"
    house.oversight.end_shift(house.actor)
    with running.http("ines") as page:
        assert page.get(f"/media/playback/{look['look']}", params=ask).status_code == 404
        assert page.post("/media/playback", json=body(3, 55)).status_code == 403
    types = house.log_types()
    assert types.count("view_recordings") == 1, "one leaf for all windows"
    assert types.count("look_ended") == 1
    assert types.count("refused") == 1


def test_denied_looks_are_problem_documents_with_a_leaf(running: Running) -> None:
    house = running.house
    house.recorder.write(keys=2)
    house.clock.advance(60)
    house.sign_in("adam", Role.ADMINISTRATOR, on_duty=False)
    for path, more in (("/media/playback", {}), ("/media/exports", {"reason": "because"})):
        with running.http(None) as page:
            assert page.post(path, json=body(0, 5, **more)).status_code == 401
        with running.http("adam") as page:
            answer = page.post(path, json=body(0, 5, **more))
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["kind"] == "denied"
    with running.http("ines") as page:
        masked = page.post("/media/playback", json=body(0, 5, rendition="masked"))
        assert (masked.status_code, masked.json()["code"]) == (422, "gateway.no_masks")
        page.headers["Origin"] = "http://evil.example"
        foreign = page.post("/media/playback", json=body(0, 5))
        assert foreign.status_code == 403
        assert "access-control-allow-origin" not in foreign.headers
    assert house.log_types().count("refused") == 2


def test_an_export_over_http_verifies(running: Running, tmp_path: Path) -> None:
    house = running.house
    house.recorder.write(keys=2)
    house.recorder.write(keys=2)
    house.clock.advance(60)
    house.open_case("2026-000012")
    with running.http("ines") as page:
        made = page.post("/media/exports", json=body(1, 7, reason="FIR 1/26")).json()
        clip, sheet = page.get(made["clip"]), page.get(made["sheet"])
        assert made["bytes"] == len(clip.content)
        part = page.get(made["clip"], headers={"Range": "bytes=0-7"})
        assert (part.status_code, part.content[4:]) == (206, b"ftyp")
        assert page.get("/media/exports/exp_none/clip.mp4").status_code == 404
    (tmp_path / "c.mp4").write_bytes(clip.content)
    (tmp_path / "s.json").write_bytes(sheet.content)
    found = verify_clip(tmp_path / "c.mp4", tmp_path / "s.json")
    assert found.sheet.clip.sha256 == made["sha256"]
    assert found.sheet.purpose is not None
    assert (found.sheet.purpose.kind, found.sheet.purpose.ref) == ("case", "2026-000012")
    packets = [s.data for item in scan(clip.content).fragments for _, s in read_samples(clip.content, item)]
    assert len(packets) > 100
    assert packets == [sample.data for sample in house.recorder.samples][: len(packets)]


def test_preflight_is_for_the_page_alone(running: Running) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for origin, status in ((PAGE, 204), ("http://localhost:8000", 204), ("http://evil.example", 403)):
        answer = httpx2.options(f"{running.base}/media/playback", headers={"Origin": origin, **asks})
        assert answer.status_code == status
        assert answer.headers.get("access-control-allow-origin") == (origin if status == 204 else None)


def test_idle_playbacks_end(running: Running) -> None:
    house = running.house
    house.recorder.write(keys=2)
    house.clock.advance(60)
    opened = running.gateway.open_playback(
        house.actor, (CAMERA, Stream.MAIN), from_at=NOON, to_at=NOON + timedelta(seconds=4), rendition="clear"
    )
    house.clock.advance(gateway_module.IDLE_LOOK_S + 1)
    deadline = time.monotonic() + 3
    while opened.look.end_reason is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert opened.look.end_reason == "idle"


def test_without_an_answer_there_is_no_permission(house_alone: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away for long ends the looks; their closing leaves follow when it is back."""
    house = house_alone
    register_camera(house)
    gateway = Gateway(
        house.database, oversight=house.oversight, clock=house.clock, data_dir=house.data_dir, settings=VideoSettings()
    )
    look = gateway.open_live(house.actor, CAMERA, stream=Stream.SUB, rendition="clear")
    assert gateway.check() == []

    def away(*_: object, **__: object) -> None:
        raise Unavailable("the database does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(house.oversight, "still_stands", away)
        broken.setattr(house.oversight, "note", away)
        house.clock.advance(gateway_module.UNCHECKED_S - 1)
        assert gateway.check() == []
        assert look.end_reason is None
        house.clock.advance(2)
        assert gateway.check() == [look]
        assert look.end_reason == "ended"
    assert house.log_types().count("look_ended") == 0
    gateway.check()
    assert house.log_types().count("look_ended") == 1
