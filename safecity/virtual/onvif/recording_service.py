"""Recordings on the camera's card (Profile G): search, recording and replay services."""

import secrets
from typing import Final

from safecity.platform.xml_tree import Element
from safecity.virtual.card import CARD
from safecity.virtual.onvif.device import Device
from safecity.virtual.onvif.soap import SoapFault, instant, text

RECORDING: Final = "card_1"
TRACK: Final = "video_1"
MAX_SEARCHES: Final = 16


def get_recording_summary(device: Device, body: Element) -> str:
    """From when to when the card holds anything."""
    del body
    first, last = _span(device)
    return (
        f"<tse:GetRecordingSummaryResponse><tse:Summary><tt:DataFrom>{first}</tt:DataFrom>"
        f"<tt:DataUntil>{last}</tt:DataUntil><tt:NumberRecordings>1</tt:NumberRecordings></tse:Summary>"
        "</tse:GetRecordingSummaryResponse>"
    )


def get_recording_information(device: Device, body: Element) -> str:
    """The one recording by its token."""
    _check_recording(body)
    told = _information(device, tag="tse:RecordingInformation")
    return f"<tse:GetRecordingInformationResponse>{told}</tse:GetRecordingInformationResponse>"


def find_recordings(device: Device, body: Element) -> str:
    """Begin a search; it is over at once, since there is one recording."""
    del body
    if len(device.searches) >= MAX_SEARCHES:
        device.searches.clear()
    token = f"search_{secrets.token_hex(4)}"
    device.searches.add(token)
    return f"<tse:FindRecordingsResponse><tse:SearchToken>{token}</tse:SearchToken></tse:FindRecordingsResponse>"


def get_search_results(device: Device, body: Element) -> str:
    """What a search found; its session ends with the last result."""
    token = body.text_at("SearchToken")
    if token not in device.searches:
        raise SoapFault("ter:InvalidArgVal", "There is no such search.", detail="ter:InvalidToken")
    device.searches.discard(token)
    told = _information(device, tag="tt:RecordingInformation")
    return (
        "<tse:GetRecordingSearchResultsResponse><tse:ResultList><tt:SearchState>Completed</tt:SearchState>"
        f"{told}</tse:ResultList></tse:GetRecordingSearchResultsResponse>"
    )


def end_search(device: Device, body: Element) -> str:
    """Forget a search."""
    device.searches.discard(body.text_at("SearchToken"))
    return f"<tse:EndSearchResponse><tse:Endpoint>{instant(device.camera_now())}</tse:Endpoint></tse:EndSearchResponse>"


def get_recordings(device: Device, body: Element) -> str:
    """The recording service's list."""
    del body
    return (
        f"<trc:GetRecordingsResponse><trc:RecordingItem><tt:RecordingToken>{RECORDING}</tt:RecordingToken>"
        f"<tt:Configuration>{_source(device)}<tt:Content>Card</tt:Content>"
        "<tt:MaximumRetentionTime>PT24H</tt:MaximumRetentionTime></tt:Configuration><tt:Tracks><tt:Track>"
        f"<tt:TrackToken>{TRACK}</tt:TrackToken><tt:Configuration><tt:TrackType>Video</tt:TrackType>"
        "<tt:Description>Main stream</tt:Description></tt:Configuration></tt:Track></tt:Tracks></trc:RecordingItem>"
        "</trc:GetRecordingsResponse>"
    )


def get_replay_uri(device: Device, body: Element) -> str:
    """Where the card plays."""
    _check_recording(body)
    uri = f"{device.rtsp_base}/{CARD}"
    return f"<trp:GetReplayUriResponse><trp:Uri>{text(uri)}</trp:Uri></trp:GetReplayUriResponse>"


def _check_recording(body: Element) -> None:
    if body.text_at("RecordingToken") != RECORDING:
        raise SoapFault("ter:InvalidArgVal", "There is no such recording.", detail="ter:NoRecording")


def _information(device: Device, *, tag: str) -> str:
    first, last = _span(device)
    return (
        f"<{tag}><tt:RecordingToken>{RECORDING}</tt:RecordingToken>{_source(device)}"
        f"<tt:EarliestRecording>{first}</tt:EarliestRecording><tt:LatestRecording>{last}</tt:LatestRecording>"
        f"<tt:Content>Card</tt:Content><tt:Track><tt:TrackToken>{TRACK}</tt:TrackToken>"
        "<tt:TrackType>Video</tt:TrackType><tt:Description>Main stream</tt:Description>"
        f"<tt:DataFrom>{first}</tt:DataFrom><tt:DataTo>{last}</tt:DataTo></tt:Track>"
        f"<tt:RecordingStatus>Recording</tt:RecordingStatus></{tag}>"
    )


def _source(device: Device) -> str:
    return (
        f"<tt:Source><tt:SourceId>{device.urn}</tt:SourceId><tt:Name>{text(device.name[:20])}</tt:Name>"
        "<tt:Location>card</tt:Location><tt:Description>card</tt:Description>"
        f"<tt:Address>{device.urn}</tt:Address></tt:Source>"
    )


def _span(device: Device) -> tuple[str, str]:
    span = device.card.span()
    if span is None:
        raise SoapFault("ter:Action", "The camera is starting.", is_ours=True, status=503)
    return instant(span[0]), instant(span[1])
