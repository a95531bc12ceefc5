"""Messages as cameras write them, cut anywhere, and addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.errors import Invalid, Unavailable
from safecity.video.rtsp.address import parse_address, resolve, resolve_location
from safecity.video.rtsp.messages import (
    MAX_BODY_BYTES,
    MAX_FIRST_LINE_BYTES,
    MAX_HEAD_BYTES,
    Request,
    Response,
    Taken,
    encode_request,
    is_message_start,
    take_message,
)

ANSWER = (
    b'RTSP/1.0 401 Unauthorized\r\nCSeq: 7\r\nWWW-Authenticate: Digest realm="a"\r\nwww-AUTHENTICATE : Basic\r\n\r\n'
)


def taken(data: bytes, at: int = 0) -> Taken:
    found = take_message(memoryview(data), at)
    assert isinstance(found, Taken)
    return found


def test_a_response_is_read_with_every_value_of_a_header() -> None:
    found = taken(b"xx" + ANSWER + b"$rest", 2)
    assert isinstance(found.message, Response)
    assert (found.message.status, found.end) == (401, 2 + len(ANSWER))
    assert found.message.find("cseq") == "7"
    assert found.message.find("session") is None
    assert found.message.headers["www-authenticate"] == ('Digest realm="a"', "Basic")


def test_a_request_and_its_body() -> None:
    found = taken(b"SET_PARAMETER rtsp://h/\xff RTSP/1.0\ncseq:9\ncontent-LENGTH : 4 \n\nbodyRTSP")
    assert isinstance(found.message, Request)
    assert (found.message.method, found.message.body) == ("SET_PARAMETER", b"body")
    assert found.message.find("cseq") == "9"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"X: a\r\n b\r\n\tc\r\n", "a b c"),
        (b"X:a\r\nnothing\r\n", "a"),
        (b"X:  a \r\n", "a"),
        (b"X: a\rb\0c\r\n", "a b c"),
        (b"X: \xc3\xa9\xff\r\n", "é\udcff"),
        (b": y\r\nX: a\r\n", "a"),
    ],
)
def test_odd_headers(text: bytes, value: str) -> None:
    message = taken(b"RTSP/1.0 200 OK\r\n" + text + b"\r\n").message
    assert message.find("x") == value
    again = encode_request("PLAY", "rtsp://h/", headers=[("X", value)])
    assert again.startswith(b"PLAY rtsp://h/ RTSP/1.0\r\nX: ")
    assert again.count(b"\r") == again.count(b"\n") == 3


@given(st.integers(0, len(ANSWER) + 5), st.booleans())
def test_a_part_of_a_message_asks_for_more_and_never_for_too_much(size: int, has_body: bool) -> None:
    whole = ANSWER.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\nhello") if has_body else ANSWER
    part = whole[:size]
    if part:
        assert is_message_start(part) in (True, None)
    found = take_message(memoryview(part), 0)
    if isinstance(found, int):
        assert size < found <= len(whole)
    else:
        assert found == taken(whole)


@pytest.mark.parametrize(
    ("data", "is_start"),
    [
        (b"R", None),
        (b"rts", None),
        (b"RTSP/1", True),
        (b"http/", True),
        (b"OPTIONS", None),
        (b"OPTIONS ", True),
        (b"OP ", False),
        (b"options *", False),
        (b"\xff", False),
        (b"v=0", False),
        (b"A" * 20, None),
        (b"A" * 21, False),
    ],
)
def test_where_a_message_can_begin(data: bytes, is_start: bool | None) -> None:
    assert is_message_start(data) is is_start
    assert is_message_start(memoryview(data)) is is_start


@pytest.mark.parametrize(
    "data",
    [
        b"RTSP/1.0 2000 OK\r\n\r\n",
        b"RTSP/1.0 OK\r\n\r\n",
        b"OPTIONS *\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n\r\n",
        b"R" * MAX_FIRST_LINE_BYTES,
    ],
)
def test_what_is_no_message(data: bytes) -> None:
    assert take_message(memoryview(data), 0) is None


def test_limits() -> None:
    with pytest.raises(Unavailable, match="head"):
        take_message(memoryview(b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * MAX_HEAD_BYTES), 0)
    with pytest.raises(Unavailable, match="too long"):
        take_message(memoryview(b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1)), 0)
    head = b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % MAX_BODY_BYTES
    assert take_message(memoryview(head), 0) == len(head) + MAX_BODY_BYTES
    for length in (b"-1", b"x", b"", b"99999999999999999999"):
        assert taken(b"RTSP/1.0 200 OK\r\nContent-Length: " + length + b"\r\n\r\n").message.body == b""


# Addresses


def test_an_address_is_taken_apart_and_hides_its_password() -> None:
    address = parse_address("rtsp://us%40er:p%3Ass%2F%C3%B6@Cam.example:8554/a b/?x=1&y=é#part")
    assert (address.host, address.port, address.is_tls) == ("cam.example", 8554, False)
    assert (address.user, address.password) == ("us@er", "p:ss/ö")
    assert address.url == "rtsp://cam.example:8554/a%20b/?x=1&y=%C3%A9"
    assert "p:ss" not in repr(address)
    assert parse_address("rtsps://[fe80::1]/").port == 322
    assert parse_address("rtsp://[fe80::1]").url == "rtsp://[fe80::1]"
    assert parse_address("rtsp://10.0.0.7").user is None
    assert parse_address("rtsp://@10.0.0.7").user == ""


@pytest.mark.parametrize(
    "url",
    ["", "10.0.0.7", "http://u:sesame@h/", "rtsp://u:sesame@/x", "rtsp://u:sesame@h:99999/", "rtsp://u:sesame@[::/"],
)
def test_what_is_no_address_is_not_repeated(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_address(url)
    assert "sesame" not in caught.value.message
    assert caught.value.__cause__ is None


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_a_problem(text: str) -> None:
    for url in (text, f"rtsp://{text}", f"rtsp://u:p@h/{text}"):
        try:
            address = parse_address(url)
        except Invalid:
            continue
        assert address.url.isascii()
        assert address.url.isprintable()
        assert " " not in address.url


@pytest.mark.parametrize(
    ("base", "reference", "absolute"),
    [
        ("rtsp://h/a/", "*", "rtsp://h/a/"),
        ("rtsp://h/a", "", "rtsp://h/a"),
        ("rtsp://h/a", "trackID=1", "rtsp://h/a/trackID=1"),
        ("rtsp://h/a/", "trackID=1", "rtsp://h/a/trackID=1"),
        ("rtsp://h/a?c=1&s=0", "trackID=1", "rtsp://h/a?c=1&s=0/trackID=1"),
        ("rtsp://h/a", "/trackID=1", "rtsp://h/a/trackID=1"),
        ("rtsp://h/a/b/", "/a/b/trackID=1", "rtsp://h/a/b/trackID=1"),
        ("rtsp://h", "track1", "rtsp://h/track1"),
        ("rtsp://h/a", "rtsp://u:p@10.0.0.1:9/x", "rtsp://10.0.0.1:9/x"),
        ("rtsp://h/a", "track 1\r\nX: y", "rtsp://h/a/track%201%0D%0AX:%20y"),
    ],
)
def test_relative_addresses_are_what_cameras_mean(base: str, reference: str, absolute: str) -> None:
    assert resolve(reference, base_url=base) == absolute


def test_a_location_starts_at_the_host() -> None:
    assert resolve_location("/x", base_url="rtsp://h:1/a/b") == "rtsp://h:1/x"
    assert resolve_location("x", base_url="rtsp://h:1/a") == "rtsp://h:1/a/x"
    assert resolve_location("http://u:p@h/", base_url="rtsp://h:1/a") == "http://u:p@h/"
