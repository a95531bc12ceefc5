"""What a camera's own card holds (Profile G): found by the search service, played by the replay service."""

from datetime import datetime, timedelta
from typing import Final

from safecity.platform.errors import NotFound, Problem
from safecity.platform.xml_tree import Element
from safecity.video.onvif import names
from safecity.video.onvif.camera import OnvifCamera
from safecity.video.onvif.envelopes import UNSUPPORTED, text
from safecity.video.onvif.media import at_our_host
from safecity.video.onvif.model import CardRecording

MAX_ROUNDS: Final = 20
MAX_RECORDINGS: Final = 256
_SETUP = (
    "<q:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport>"
    "</q:StreamSetup>"
)


async def list_recordings(camera: OnvifCamera, *, from_at: datetime, to_at: datetime) -> tuple[CardRecording, ...]:
    """Recordings that hold video of any part of an interval, the oldest first; times are ours.

    Raises NotFound for a camera without a card or without Profile G.
    """
    if not camera.offers(names.SEARCH) or not camera.offers(names.REPLAY):
        raise NotFound("the camera has no recordings that can be asked for", code=UNSUPPORTED)
    inner = "<q:Scope/><q:MaxMatches>256</q:MaxMatches><q:KeepAliveTime>PT30S</q:KeepAliveTime>"
    token = (await camera.ask(names.SEARCH, "FindRecordings", inner=inner)).text_at("SearchToken")
    found: list[CardRecording] = []
    try:
        for _ in range(MAX_ROUNDS):
            asks = f"<q:SearchToken>{text(token)}</q:SearchToken><q:WaitTime>PT5S</q:WaitTime>"
            answer = await camera.ask(names.SEARCH, "GetRecordingSearchResults", inner=asks, within_s=12)
            told = answer.find("ResultList")
            if told is None:
                break
            read = (read_recording(one, offset=camera.door.offset) for one in told.each("RecordingInformation"))
            found += [one for one in read if one is not None]
            if told.text_at("SearchState") == "Completed" or len(found) >= MAX_RECORDINGS:
                break
    finally:
        await _end_search(camera, token)
    kept = [one for one in found if one.from_at < to_at and one.to_at > from_at]
    return tuple(sorted(kept, key=lambda one: one.from_at)[:MAX_RECORDINGS])


async def replay_uri(camera: OnvifCamera, recording: CardRecording) -> str:
    """Where a recording plays over RTSP, at the host that we reached."""
    token = f"<q:RecordingToken>{text(recording.token)}</q:RecordingToken>"
    told = (await camera.ask(names.REPLAY, "GetReplayUri", inner=_SETUP + token)).text_at("Uri")
    return at_our_host(told, camera.door.address)


def read_recording(told: Element, *, offset: timedelta) -> CardRecording | None:
    """A recording with video; None for others. The span of its video tracks counts, else that of the recording."""
    tracks = [one for one in told.each("Track") if one.text_at("TrackType") == "Video"]
    spans = [(_instant(one.text_at("DataFrom")), _instant(one.text_at("DataTo"))) for one in tracks]
    spans.append((_instant(told.text_at("EarliestRecording")), _instant(told.text_at("LatestRecording"))))
    token = told.text_at("RecordingToken")
    if not token or not tracks:
        return None
    for first, last in spans:
        if first is not None and last is not None and first < last:
            seconds = offset.total_seconds()
            return CardRecording(token=token, from_at=first - offset, to_at=last - offset, clock_offset_s=seconds)
    return None


async def _end_search(camera: OnvifCamera, token: str) -> None:
    try:
        await camera.ask(names.SEARCH, "EndSearch", inner=f"<q:SearchToken>{text(token)}</q:SearchToken>")
    except Problem:
        return  # it ends by itself


def _instant(told: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
