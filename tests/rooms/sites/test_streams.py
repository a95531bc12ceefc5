"""Addresses are split from their secrets, and no secret is left where it could be shown."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.sites.model import Credentials
from safecity.sites.streams import MASK, host_of, join_stream_url, split_stream_url

SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=30)


@given(SECRETS, SECRETS, st.sampled_from(["10.1.2.3", "10.1.2.3:8554", "cam-7.lan", "[fd00::7]:554"]))
def test_user_and_password_come_out_and_go_back_in(user: str, password: str, host: str) -> None:
    text = f"rtsp://{quote(user, safe='')}:{quote(password, safe='')}@{host}/ch1/main?x=1"
    address = split_stream_url(text)
    assert (address.user, address.password) == (user, password)
    assert address.url == f"rtsp://{host}/ch1/main?x=1"
    assert host_of(address.url) == host
    credentials = Credentials(user=user, password=password)
    assert join_stream_url(address.url, credentials, secret_url=None) == text
    assert "password" not in repr(address)
    assert "password" not in repr(credentials)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://10.0.0.1:554/user=admin_password=hunter2_channel=1.sdp", "rtsp://10.0.0.1:554/user=" + MASK),
        ("rtsp://10.0.0.1/live?channel=1&passwd=hunter2", "rtsp://10.0.0.1/live?channel=1&passwd=" + MASK),
        ("rtsp://10.0.0.1/s?token=hunter2", "rtsp://10.0.0.1/s?token=" + MASK),
    ],
)
def test_a_secret_inside_the_address_is_cut_off(text: str, shown: str) -> None:
    address = split_stream_url(text)
    assert address.url == shown
    assert address.secret_url == text
    assert "hunter2" not in repr(address)
    assert join_stream_url(address.url, Credentials(), secret_url=address.secret_url) == text


@pytest.mark.parametrize(
    "text",
    [
        "http://u:hunter2@10.0.0.1/x",
        "10.0.0.1",
        "rtsp://",
        "rtsp:///hunter2",
        "rtsp://u:hunter2@10.0.0.300/x",
        "rtsp://u:hunter2@10.0.0.1:99999/x",
        "rtsp://u:hunter2@10.0.0.1:0/x",
        "rtsp://u:hunter2@[fd00::zz]/x",
        "rtsp://u:hunt er2@10.0.0.1/x",
        "rtsp://u:hunter2\n@10.0.0.1/x",
        "rtsp://u:12/hunter2@10.0.0.1/x",
        "rtsp://u:hunter2#@10.0.0.1/x",
        "rtsp://u:hunter2@host/" + "x" * 3000,
    ],
)
def test_what_is_no_address_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refusal:
        split_stream_url(text)
    assert "hunter" not in str(refusal.value)
    assert "hunt er" not in str(refusal.value)
