"""Answers as cameras that are odd, broken or hostile give them; none may hang, crash, swell or lead us elsewhere."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.errors import Conflict, Denied, Invalid, NotFound, Problem, Unavailable
from safecity.platform.xml_tree import MAX_BYTES, parse_xml
from safecity.video.onvif.aim import Box, Limits, Optics, Position, aim, fov_deg
from safecity.video.onvif.camera import read_utc
from safecity.video.onvif.discover import addresses_of, read_matches
from safecity.video.onvif.door import Door, read_address
from safecity.video.onvif.envelopes import SignIn, read_answer, username_token, write_element
from safecity.video.onvif.events import DeviceEventKind, read_event
from safecity.video.onvif.media import at_our_host, read_profiles
from safecity.video.onvif.ptz import read_head
from safecity.video.onvif.recordings import read_recording
from safecity.video.onvif.replay import read_replay_header

S12 = 'xmlns:e="http://www.w3.org/2003/05/soap-envelope"'


def envelope(inner: str) -> bytes:
    return f"<e:Envelope {S12}><e:Body>{inner}</e:Body></e:Envelope>".encode()


def fault(code: str, reason: str, *, side: str = "Sender") -> bytes:
    sub = f"<e:Subcode><e:Value>ter:{code}</e:Value></e:Subcode>"
    told = f"<e:Code><e:Value>e:{side}</e:Value>{sub}</e:Code><e:Reason><e:Text>{reason}</e:Text></e:Reason>"
    return envelope(f"<e:Fault>{told}</e:Fault>")


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (fault("NotAuthorized", "Sender not authorized"), Denied, "onvif.unauthorised"),
        (fault("InvalidArgVal", "Sender not Authorized"), Denied, "onvif.unauthorised"),
        (fault("NotAuthorized", "The user is locked for 5 minutes"), Denied, "onvif.locked"),
        (fault("ActionNotSupported", "nope", side="Receiver"), NotFound, "onvif.unsupported"),
        (fault("InvalidArgVal", "GovLength"), Conflict, "onvif.refused"),
        (fault("Action", "disk", side="Receiver"), Unavailable, "onvif.failed"),
        (
            b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
            b"<faultcode>wsse:FailedAuthentication</faultcode><faultstring>x</faultstring></s:Fault></s:Body></s:Envelope>",
            Denied,
            "onvif.unauthorised",
        ),
        (b"", Invalid, "onvif.unreadable"),
        (b"<html><body>404</body></html>", Invalid, "onvif.unreadable"),
        (b"\x00\xff\xfe garbage", Invalid, "onvif.unreadable"),
        (envelope(""), Invalid, "onvif.unreadable"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + envelope("<r>&a;</r>"), Invalid, "onvif.unreadable"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + envelope("<r/>"), Invalid, "onvif.unreadable"),
        (envelope("<a>" * 80 + "</a>" * 80), Invalid, "onvif.unreadable"),
        (envelope("<a/>" * 30_000), Invalid, "onvif.unreadable"),
        (b"<" + b"a" * (MAX_BYTES + 1) + b">", Invalid, "onvif.unreadable"),
    ],
)
def test_what_is_no_result_becomes_one_of_our_problems(body: bytes, kind: type[Problem], code: str) -> None:
    with pytest.raises(kind) as caught:
        read_answer(body)
    assert caught.value.code == code


def test_an_entity_is_never_expanded() -> None:
    bomb = '<!DOCTYPE b [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>'.encode("utf-16") + "<r>&b;</r>".encode("utf-16")[2:]
    for mends in (False, True):
        with pytest.raises(Invalid):
            parse_xml(bomb, mends=mends)


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf\r\n" + envelope("<r>1</r>"),
        b"--b\r\nContent-Type: application/xop+xml\r\n\r\n" + envelope("<r>1</r>") + b"\r\n--b--\r\n",
        envelope("<x:r xmlns:x='urn:x'>1</x:r>") + b"\x00\x00",
        envelope("<z:r>1</z:r>"),  # a prefix that nobody declared
        envelope("<r>1</r>").replace(b"<r>", b"<r n='a & b'>"),
    ],
)
def test_answers_that_are_nearly_right_are_read(body: bytes) -> None:
    assert (read_answer(body).name, read_answer(body).text) == ("r", "1")


def test_a_reason_is_cleaned_before_anyone_sees_it() -> None:
    with pytest.raises(Conflict) as caught:
        read_answer(fault("InvalidArgVal", "a\u202eb\nc" + "d" * 5000))
    assert "\u202e" not in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 220


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for body in (data, envelope(data.decode("latin-1"))):
        try:
            read_answer(body)
        except Problem:
            continue
    assert read_matches(data, peer="10.0.0.1", asked="urn:x") == []
    read_replay_header(memoryview(data))


@pytest.mark.parametrize(
    ("told", "url"),
    [
        ("http://192.168.1.64/onvif/media", "http://10.9.0.4:8080/onvif/media"),
        ("http://10.9.0.4:8888/onvif/events?sub=1", "http://10.9.0.4:8888/onvif/events?sub=1"),
        ("https://evil.example/onvif/ptz", "http://10.9.0.4:8080/onvif/ptz"),
        ("http://user:pw@10.9.0.4:8080/x", "http://10.9.0.4:8080/x"),
        ("file:///etc/passwd", "http://10.9.0.4:8080/onvif/device_service"),
        ("http://[", "http://10.9.0.4:8080/onvif/device_service"),
        ("", "http://10.9.0.4:8080/onvif/device_service"),
    ],
)
def test_we_stay_with_the_host_that_we_reached(told: str, url: str) -> None:
    assert Door("10.9.0.4:8080", None).keep_host(told) == url


def test_stream_addresses_keep_port_and_path_and_lose_the_sign_in() -> None:
    address = "http://10.9.0.4:8080/onvif/device_service"
    assert at_our_host("rtsp://admin:x@192.168.1.64:5540/a?b=1&c=2#f", address) == "rtsp://10.9.0.4:5540/a?b=1&c=2"
    for wrong in ("http://10.9.0.4/a", "rtsp://", "", "rtsp://h:99999/"):
        with pytest.raises(Invalid):
            at_our_host(wrong, address)


@pytest.mark.parametrize("told", ["", "ftp://h", "http://u:p@h/", "h:0", "http://[::", "h:99999"])
def test_addresses_that_are_none(told: str) -> None:
    with pytest.raises(Invalid):
        read_address(told)


def test_a_token_holds_a_digest_and_no_password() -> None:
    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    token = username_token(
        SignIn(user="user", password="userpassword"), created=datetime(2010, 9, 16, 7, 50, 45, tzinfo=UTC), nonce=nonce
    )
    digest = base64.b64encode(
        hashlib.sha1(nonce + b"2010-09-16T07:50:45.000Z" + b"userpassword", usedforsecurity=False).digest()
    ).decode()
    assert digest in token
    assert "userpassword" not in token


def test_profiles_of_strange_cameras() -> None:
    body = (
        "<r><Profiles token='a&amp;b &lt;1&gt;'><Name>x</Name><VideoEncoderConfiguration token='e'>"
        "<Encoding>H.264</Encoding><Resolution><Width>1920</Width><Height>nan</Height></Resolution>"
        "</VideoEncoderConfiguration></Profiles><Profiles token='only audio'/><Profiles/></r>"
    )
    (found,) = read_profiles(parse_xml(body.encode()), is_media2=False)
    assert (found.token, found.codec, found.width_px, found.height_px) == ("a&b <1>", "h264", 1920, 0)


@pytest.mark.parametrize("inner", ["", "<UTCDateTime/>", "<UTCDateTime><Date><Year>0</Year></Date></UTCDateTime>"])
def test_a_time_that_is_none(inner: str) -> None:
    assert read_utc(parse_xml(f"<t>{inner}</t>".encode())) is None


def test_heads_that_tell_nonsense_have_the_generic_limits() -> None:
    assert read_head(None, None, default=Limits()).limits == Limits()
    node = "<n><SupportedPTZSpaces><AbsolutePanTiltPositionSpace><XRange><Min>inf</Min><Max>x</Max></XRange>"
    node += "</AbsolutePanTiltPositionSpace></SupportedPTZSpaces></n>"
    assert read_head(parse_xml(node.encode()), None, default=Limits()).limits == Limits()


def test_events_of_strange_cameras() -> None:
    def message(topic: str, data: str) -> str:
        return (
            f"<N><Topic>{topic}</Topic><Message><Message UtcTime='2026-01-01T00:00:10Z' PropertyOperation='Changed'>"
            f"<Data>{data}</Data></Message></Message></N>"
        )

    good = message("tns1:RuleEngine/tnsv:TamperDetector/Tamper", "<SimpleItem Name='S' Value='1'/>")
    event = read_event(parse_xml(good.encode()), offset=timedelta(seconds=10))
    assert event is not None
    assert (event.kind, event.is_active, event.at.second) == (DeviceEventKind.TAMPER, True, 0)
    for useless in (
        message("tns1:Monitoring/Load", "<SimpleItem Value='1'/>"),
        message("Device/Trigger/DigitalInput", ""),
    ):
        assert read_event(parse_xml(useless.encode()), offset=timedelta()) is None


def test_recordings_without_video_or_span_are_left_out() -> None:
    told = "<R><RecordingToken>t</RecordingToken><Track><TrackType>{}</TrackType><DataFrom>{}</DataFrom></Track></R>"
    assert read_recording(parse_xml(told.format("Audio", "").encode()), offset=timedelta()) is None
    assert read_recording(parse_xml(told.format("Video", "yesterday").encode()), offset=timedelta()) is None


@given(
    x=st.floats(0, 0.9),
    y=st.floats(0, 0.9),
    size=st.floats(0.03, 0.1),
    pan=st.floats(-0.9, 0.9),
    zoom=st.floats(0, 0.9),
)
def test_aiming_stays_within_limits_turns_the_right_way_and_zooms_in(
    x: float, y: float, size: float, pan: float, zoom: float
) -> None:
    here = Position(pan=pan, tilt=0.0, zoom=zoom)
    target = aim(Box(x=x, y=y, width=size, height=size), here=here, limits=Limits(), optics=Optics())
    assert Limits().clamp(target) == target
    assert (target.pan - pan) * (x + size / 2 - 0.5) >= -1e-9
    assert target.tilt * (0.5 - y - size / 2) >= -1e-9
    assert target.zoom >= zoom
    wide = fov_deg(target.zoom, limits=Limits(), optics=Optics())
    assert wide <= fov_deg(zoom, limits=Limits(), optics=Optics())


@pytest.mark.parametrize("subnet", ["10.0.0.0/8", "x", "10.1.2.0/33"])
def test_subnets_that_are_not_scanned(subnet: str) -> None:
    with pytest.raises(Invalid):
        addresses_of([subnet])


def test_an_element_goes_back_as_it_came() -> None:
    told = parse_xml(b"<a:c xmlns:a='urn:a' token='t &amp; u'><a:d>1 &lt; 2</a:d></a:c>")
    assert parse_xml(write_element(told).encode()) == told
