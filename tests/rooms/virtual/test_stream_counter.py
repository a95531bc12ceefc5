"""The burned-in number survives encoding and scaling, and nothing else is read as one."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.virtual.clips import ClipOptions, prepare_clip
from safecity.virtual.counter import BLOCKS, COUNTER_LIMIT, burn_counter, counter_bits, read_counter
from safecity.virtual.standins import decoded

from .conftest import ClipRecipe


@given(st.integers(0, COUNTER_LIMIT - 1), st.sampled_from([(640, 360), (1280, 720), (322, 180), (768, 432)]))
@settings(max_examples=60, deadline=None)
def test_what_is_burned_is_read_at_any_size(number: int, size: tuple[int, int]) -> None:
    width, height = size
    picture = np.random.default_rng(number).integers(0, 255, (height * 3 // 2, width), dtype=np.uint8)
    burn_counter(picture, number, width_px=width, height_px=height)
    assert read_counter(picture[:height]) == number
    half = cv2.resize(picture[:height], (width * 2 // 3, height * 2 // 3), interpolation=cv2.INTER_AREA)
    assert read_counter(half) == number


@given(st.integers(0, COUNTER_LIMIT - 1))
def test_the_code_begins_white_black_and_fills_the_row(number: int) -> None:
    bits = counter_bits(number)
    assert bits[:2] == (1, 0)
    assert len(bits) == BLOCKS


def test_a_picture_without_a_number_is_none() -> None:
    assert read_counter(np.zeros((360, 640), np.uint8)) is None
    assert read_counter(np.full((360, 640, 3), 200, np.uint8)) is None
    noise = np.random.default_rng(3).integers(0, 255, (360, 640), dtype=np.uint8)
    assert read_counter(noise) is None


def test_a_wrong_bit_is_noticed() -> None:
    picture = np.zeros((540, 640), np.uint8)
    burn_counter(picture, 1234, width_px=640, height_px=360)
    right = picture.copy()
    for block in range(2, BLOCKS):
        picture[:] = right
        left, end = round(block * 640 / BLOCKS), round((block + 1) * 640 / BLOCKS)
        picture[:27, left:end] = 251 - picture[:27, left:end]
        assert read_counter(picture[:360]) != 1234


def test_numbers_survive_encoding_and_do_not_repeat_within_a_minute(
    make_clip: Callable[[ClipRecipe], Path], clip_cache: Path
) -> None:
    clip = make_clip(ClipRecipe(seconds=7))
    prepared = prepare_clip(clip, cache=clip_cache, options=ClipOptions(burns_counter=True))
    assert prepared.main.duration_ticks >= 60 * 90_000
    for stream in (prepared.main, prepared.sub):
        numbers = [read_counter(frame.to_ndarray(format="bgr24")) for _, frame in decoded(stream, 1e9)]
        assert numbers == list(range(len(stream.pictures)))
