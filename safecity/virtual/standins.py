"""Streams that take a camera's place while a picture fault holds: made on first use, once for all cameras of a clip."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Final, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.platform.errors import DataLoss
from safecity.virtual.elementary import TICKS_PER_S, Elementary, load_elementary
from safecity.virtual.encoding import KEY_INTERVAL_S, Encoding, TimedFrame, encode, frames_of_arrays
from safecity.virtual.faults import FaultKind
from safecity.virtual.rtsp.packets import PacketStream, packetise

MAX_IN_MEMORY: Final = 48
RESOLUTION_LENGTH_S: Final = 20.0
CODEC_LENGTH_S: Final = 8.0
"""H.265 is slow to encode; this much is shown again and again."""

Plane = NDArray[np.uint8]


class StandIns:
    """Hands out stand-ins by clip, profile and fault."""

    def __init__(self, cache: Path, executor: Executor) -> None:
        self._cache = cache
        self._executor = executor
        self._made: OrderedDict[str, asyncio.Future[PacketStream]] = OrderedDict()

    async def get_stand_in(self, kind: FaultKind, own: Elementary, *, clip: str, key: int = 0) -> PacketStream:
        """The stand-in for one stream of one clip (`clip` names both); `key` is the picture that freezes.

        Raises DataLoss or Internal where it cannot be made.
        """
        name = stand_in_name(kind, own, clip=clip, key=key)
        future = self._made.get(name)
        if future is None or (future.done() and future.exception()):
            work = partial(make_stand_in, kind, own, key=key, target=self._cache / name)
            future = self._made[name] = asyncio.get_running_loop().run_in_executor(self._executor, work)
        self._made.move_to_end(name)
        while len(self._made) > MAX_IN_MEMORY:
            self._made.popitem(last=False)
        return await asyncio.shield(future)


def stand_in_name(kind: FaultKind, own: Elementary, *, clip: str, key: int) -> str:
    """File name of a stand-in in the cache."""
    picture = key if kind is FaultKind.FROZEN else 0
    text = f"{clip} {kind} {own.codec} {own.width_px} {own.height_px} {own.frame_rate:.4f} {picture} 1"
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}-{kind}.mp4"


def make_stand_in(kind: FaultKind, own: Elementary, *, key: int, target: Path) -> PacketStream:
    """Encode the stand-in unless the cache has it, and make its packets. Runs in a worker thread."""
    if not target.exists():
        frames, encoding, length_s = _recipe(kind, own, key=key)
        target.parent.mkdir(parents=True, exist_ok=True)
        encode(frames, [(target, encoding)], end_s=length_s)
    return packetise(load_elementary(target))


def _recipe(kind: FaultKind, own: Elementary, *, key: int) -> tuple[Iterator[TimedFrame], Encoding, float]:
    rate = Fraction(own.frame_rate).limit_denominator(1001)
    same = Encoding(width_px=own.width_px, height_px=own.height_px, rate=rate)
    if kind is FaultKind.RESOLUTION:
        width, height = (max(16, round(size * 3 / 4) // 2 * 2) for size in (own.width_px, own.height_px))
        smaller = Encoding(width_px=width, height_px=height, rate=rate)
        return decoded(own, RESOLUTION_LENGTH_S), smaller, min(RESOLUTION_LENGTH_S, _length_s(own))
    if kind is FaultKind.CODEC:
        other = Encoding(width_px=own.width_px, height_px=own.height_px, rate=rate, codec="hevc", quality=28)
        return decoded(own, CODEC_LENGTH_S), other, min(CODEC_LENGTH_S, _length_s(own))
    count = max(1, round(KEY_INTERVAL_S * rate))
    draw = _PICTURES[kind]
    return frames_of_arrays(draw(_Still(own=own, key=key, count=count)), rate), same, float(count / rate)


def _length_s(own: Elementary) -> float:
    return own.duration_ticks / TICKS_PER_S


def decoded(own: Elementary, length_s: float, *, first: int = 0) -> Iterator[TimedFrame]:
    """The stream's pictures from a key picture on, for so many seconds. Raises DataLoss where none comes."""
    context = av.CodecContext.create(own.codec, "r")
    head = b"".join(b"\0\0\0\1" + nal for nal in own.parameter_sets)
    start = own.pictures[first].ticks
    count = 0
    for picture in own.pictures[first:]:
        if picture.ticks - start >= length_s * TICKS_PER_S:
            break
        body = b"".join(b"\0\0\0\1" + nal for nal in picture.nals)
        packet = av.Packet((head + body) if picture.is_key else body)
        packet.pts = packet.dts = picture.ticks - start
        packet.time_base = Fraction(1, TICKS_PER_S)
        for frame in context.decode(packet):
            count += 1
            yield (frame.pts or 0) / TICKS_PER_S, frame
    for frame in context.decode(None):
        count += 1
        yield (frame.pts or 0) / TICKS_PER_S, frame
    if not count:
        raise DataLoss("No picture of the clip can be decoded; delete the cache folder.", code="virtual.undecodable")


def _key_picture(own: Elementary, key: int) -> Plane:
    for _, frame in decoded(own, 1e-9, first=key):
        return cast("Plane", frame.reformat(format="yuv420p").to_ndarray())
    raise DataLoss("The key picture cannot be decoded; delete the cache folder.", code="virtual.undecodable")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Still:
    """What a drawn stand-in is made of: the stream, the picture to hold and how many pictures to make."""

    own: Elementary
    key: int
    count: int


def _black(still: _Still) -> Iterator[Plane]:
    picture = np.full((still.own.height_px * 3 // 2, still.own.width_px), 128, np.uint8)
    picture[: still.own.height_px] = 16
    for _ in range(still.count):
        yield picture


def _frozen(still: _Still) -> Iterator[Plane]:
    picture = _key_picture(still.own, still.key)
    for _ in range(still.count):
        yield picture


def _covered(still: _Still) -> Iterator[Plane]:
    """Something lies on the lens: a dark smear of the scene, and the noise of a sensor that turned up its gain."""
    luma = _key_picture(still.own, 0)[: still.own.height_px]
    tiny = cv2.GaussianBlur(cv2.resize(luma, (16, 9), interpolation=cv2.INTER_AREA), (0, 0), 2.0)
    smear = 18.0 + 0.12 * cv2.resize(tiny, (still.own.width_px, still.own.height_px), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(1)
    picture = np.full((still.own.height_px * 3 // 2, still.own.width_px), 128, np.uint8)
    for _ in range(still.count):
        grain = noise.normal(0.0, 1.2, smear.shape)
        picture[: still.own.height_px] = np.clip(smear + grain, 16, 235).astype(np.uint8)
        yield picture.copy()


_PICTURES: Final[dict[FaultKind, Callable[[_Still], Iterator[Plane]]]] = {
    FaultKind.BLACK: _black,
    FaultKind.FROZEN: _frozen,
    FaultKind.COVERED: _covered,
}
