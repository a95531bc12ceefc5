"""From parameter sets to a stream's header, and to a new one when they change; shared by all readers."""

from collections.abc import Iterable, Sequence
from typing import Literal

from safecity.platform.errors import Invalid
from safecity.video import h264, hevc
from safecity.video.access_unit import StreamHeader
from safecity.video.fmp4 import codec_string

MAX_SETS = 286  # 31 sequence and 255 picture parameter sets: all that can be stored
_KINDS = {"h264": (7, 8), "hevc": (32, 33, 34)}  # SPS, PPS; VPS, SPS, PPS
_SPS = {"h264": 7, "hevc": 33}


class HeaderMaker:
    """Makes the headers of one connection's stream; each change of parameters starts a new session."""

    def __init__(self, codec: Literal["h264", "hevc"], *, session: int) -> None:
        self.codec: Literal["h264", "hevc"] = codec
        self.header: StreamHeader | None = None
        self._session = session

    def kind(self, nal: bytes) -> int:
        """The `nal_unit_type` of a NAL unit that is not empty."""
        return nal[0] & 0x1F if self.codec == "h264" else nal[0] >> 1 & 0x3F

    def pick(self, nals: Iterable[bytes]) -> list[bytes]:
        """The parameter sets among NAL units."""
        return [nal for nal in nals if nal and self.kind(nal) in _KINDS[self.codec]]

    def is_complete(self, sets: Iterable[bytes]) -> bool:
        """Whether a decoder could start with these parameter sets: one of each kind is there."""
        return set(_KINDS[self.codec]) <= {self.kind(one) for one in sets}

    def make(self, sets: Sequence[bytes]) -> StreamHeader:
        """The stream's header from complete parameter sets; raises Invalid when they cannot be read."""
        self.header = self._build(sets, self._session)
        return self.header

    def _build(self, sets: Sequence[bytes], session: int) -> StreamHeader:
        sps = next(one for one in sets if self.kind(one) == _SPS[self.codec])
        size = h264.parse_sps(sps) if self.codec == "h264" else hevc.parse_sps(sps)
        return StreamHeader(
            codec=self.codec,
            codec_string=codec_string(self.codec, sets),
            width_px=size.width_px,
            height_px=size.height_px,
            parameter_sets=tuple(dict.fromkeys(sets)),  # some cameras send them twice
            session=session,
        )

    def find_change(self, nals: Iterable[bytes]) -> StreamHeader | None:
        """A header with a new session when NAL units of a key frame hold other parameter sets than the known ones.

        None where nothing changed. Raises Invalid for sets that cannot be read; what was known stays.
        """
        assert self.header is not None
        sets = list(dict.fromkeys(self.pick(nals)))
        if len(sets) > MAX_SETS:
            raise Invalid(f"a picture has over {MAX_SETS} parameter sets", code="video.parameter_set_invalid")
        if all(one in self.header.parameter_sets for one in sets):
            return None
        if not self.is_complete(sets):
            ids = {self.kind(one) for one in sets}
            sets += [one for one in self.header.parameter_sets if self.kind(one) not in ids]
        self.header = self._build(sets, self._session + 1)
        self._session += 1
        return self.header
