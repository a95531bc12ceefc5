"""Whole dialogues as cameras hold them, each in a file of `dialogues/`, made by ourselves from what cameras are known
to do: bases that are missing or repeat a query, channels renumbered, several kinds of sign-in, bare line feeds.

A line is: `>` a request of ours (method and address), `+` a header it must have, `<` what the camera says, `|` the body
of that, `$` a packet, `&` an answer of ours, `@` the time, `=` or `!` how it ends.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from safecity.platform.errors import Problem
from safecity.video.rtsp.session import RtspSession
from tests.rooms.video.rtsp_camera import Heard, check, feed, packet, read_requests, rtp

FOLDER = Path(__file__).parent / "dialogues"
FILES = sorted(FOLDER.glob("*.txt"))


@dataclass
class Stage:
    """One dialogue that is played."""

    text: list[str]
    session: RtspSession | None = None
    heard: Heard = field(default_factory=Heard)
    line_end: bytes = b"\r\n"
    at_s: float = 0.0
    cseq: str = ""
    sent: int = 0
    cut: int = 0  # bytes a piece when what the camera says is handed over; 0: all at once

    def say(self, head: list[str], body: list[str]) -> None:
        raw_body = b"".join(line.encode() + self.line_end for line in body)
        lines = [line.replace("{cseq}", self.cseq).replace("{length}", str(len(raw_body))).encode() for line in head]
        self.hand_over(self.line_end.join(lines) + self.line_end + raw_body)

    def hand_over(self, data: bytes) -> None:
        assert self.session is not None
        feed(self.session, data, cuts=range(self.cut, len(data), self.cut) if self.cut else (), at_s=self.at_s)

    def expect(self, method: str, url: str, headers: list[str]) -> None:
        assert self.session is not None
        requests = read_requests(self.session.take_output())
        assert [(one.method, one.url) for one in requests] == [(method, url)]
        (asked,) = requests
        self.cseq = asked.headers["cseq"]
        for line in headers:
            name, _, begin = line.partition(": ")
            assert asked.headers.get(name, "").startswith(begin), name

    def play(self) -> str:
        """Until the file's last line, which is returned."""
        for kind, words, extra in grouped(self.text):
            match kind:
                case "url":
                    self.session = self.heard.listen(RtspSession(words, at_s=0.0))
                case "ends":
                    self.line_end = b"\n"
                case ">":
                    method, _, url = words.partition(" ")
                    self.expect(method, url, extra)
                case "<":
                    self.say(words.split("\n"), extra)
                case "$":
                    self.sent += 1
                    kind_of_payload = self.session.media.payload_type if self.session and self.session.media else 96
                    self.hand_over(packet(int(words.split()[0]), rtp(self.sent, kind=kind_of_payload)))
                case "&":
                    assert self.session is not None
                    assert self.session.take_output().startswith(words.encode())
                case "@":
                    assert self.session is not None
                    self.at_s = float(words)
                    self.session.tick(at_s=self.at_s)
                case _:
                    return f"{kind} {words}"
        raise AssertionError("the file does not say how it ends")


def grouped(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """(kind, words, what belongs to it): headers of a request, or a message of the camera's and its body."""
    at = 0
    while at < len(lines):
        kind, _, words = lines[at].partition(" ")
        at += 1
        begins = at
        follows = {">": "+", "<": "<"}.get(kind)
        while follows and at < len(lines) and lines[at][:1] == follows:
            if follows == "<" and lines[at - 1] == "<":
                break
            at += 1
        block = [line[2:] for line in lines[begins:at]]
        if kind != "<":
            yield kind, words, block
            continue
        body_begins = at
        while at < len(lines) and lines[at][:1] == "|":
            at += 1
        yield kind, "\n".join([words, *block]), [line[2:] for line in lines[body_begins:at]]


@pytest.mark.parametrize("cut", [0, 1, 7])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dialogue_is_held_as_the_camera_wants_it(file: Path, cut: int) -> None:
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    stage = Stage(lines, cut=cut)
    if lines[-1].startswith("!"):
        code, _, words = lines[-1][2:].partition(" ")
        with pytest.raises(Problem) as caught:
            stage.play()
        assert (caught.value.code, words in caught.value.message) == (code, True), caught.value.message
        check(caught.value)
        return
    end = re.fullmatch(r"= plays (h264|hevc)", stage.play())
    assert end is not None
    assert stage.session is not None
    assert stage.session.is_playing
    assert stage.session.media is not None
    assert stage.session.media.codec == end[1]
    assert len(stage.heard.rtp) == stage.sent, "every packet of the video came out, whichever channel it took"


def test_there_are_dialogues() -> None:
    assert len(FILES) >= 11
