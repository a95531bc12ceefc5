"""YOLOX: anchor-free, raw outputs of three strides, scores already through the sigmoid.

The picture goes in blue first, 0 to 255, fitted into the top left corner and padded with 114.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from safecity.analytics.boxes import Box, Detection
from safecity.analytics.detectors.candidates import COCO_COLUMNS, MIN_SCORE, keep_best
from safecity.analytics.detectors.session import F32, U8, ModelSession
from safecity.analytics.models import CLASSES

_STRIDES = (8, 16, 32)
_PAD = 114
_LONG_SIDE_PX = 640  # of a model whose size follows the picture
_PART_SHARES = (0.5, 0.75)  # of the whole picture's sides, that a part may have: few sizes, for each must be planned
_MARGIN_PX = 32  # of the input, around a part: a box that the movement shows but half
_MAX_SIZES = 16  # that buffers are kept for
_VALUES = 85  # box, objectness, 80 classes
_FIRST_CLASS = 5


class YoloxDetector:
    """Any model of the YOLOX family with COCO classes."""

    classes = CLASSES

    def __init__(self, session: ModelSession, *, name: str) -> None:
        """Raises Invalid where the model is not of this family."""
        self.name = name
        self._session = session
        self._blobs: dict[tuple[int, int], F32] = {}
        self._grids: dict[tuple[int, int], tuple[F32, F32]] = {}
        height, width = session.input_px or (384, 640)
        if height % 32 or width % 32:
            raise session.unexpected("an input whose sides are multiples of 32")
        cells = sum((height // stride) * (width // stride) for stride in _STRIDES)
        session.try_out(self._blob(height, width), shapes=[(1, cells, _VALUES)])

    def detect(self, bgr: U8) -> Sequence[Detection]:
        """See `Detector`."""
        return self._look(bgr, self._session.input_px or fitting_size(*bgr.shape[:2]))

    def detect_part(self, bgr: U8, part: Box) -> Sequence[Detection]:
        """See `PartDetector`; a model of one size looks at the whole picture all the same."""
        height_px, width_px = bgr.shape[:2]
        whole = fitting_size(height_px, width_px)
        scale = min(whole[0] / height_px, whole[1] / width_px)
        size = _part_size(whole, high_px=part.h_px * scale, wide_px=part.w_px * scale)
        if self._session.input_px is not None or size == whole:
            return self.detect(bgr)
        high, wide = min(height_px, int(size[0] / scale)), min(width_px, int(size[1] / scale))
        x, y = part.centre
        left = min(max(round(x - wide / 2), 0), width_px - wide)
        top = min(max(round(y - high / 2), 0), height_px - high)
        found = self._look(bgr[top : top + high, left : left + wide], size)
        return [replace(one, box=one.box.moved(left, top)) for one in found]

    def _look(self, bgr: U8, size: tuple[int, int]) -> Sequence[Detection]:
        height_px, width_px = bgr.shape[:2]
        blob = self._blob(*size)
        scale = min(size[0] / height_px, size[1] / width_px)
        fitted_px = (min(size[1], round(width_px * scale)), min(size[0], round(height_px * scale)))
        picture = bgr if fitted_px == (width_px, height_px) else cv2.resize(bgr, fitted_px)
        blob[0, :, fitted_px[1] :] = _PAD
        blob[0, :, :, fitted_px[0] :] = _PAD
        np.copyto(blob[0, :, : fitted_px[1], : fitted_px[0]], picture.transpose(2, 0, 1), casting="unsafe")
        rows = self._session.run(blob)[0][0]
        grid, strides = self._grid(*size)
        strong = np.flatnonzero(rows[:, 4] >= MIN_SCORE)
        rows, grid, strides = rows[strong], grid[strong], strides[strong]
        centre = (rows[:, :2] + grid) * strides / scale
        half = np.exp(np.minimum(rows[:, 2:4], 20.0)) * strides / (2 * scale)
        scores = rows[:, 4:5] * rows[:, _FIRST_CLASS + COCO_COLUMNS]
        boxes = np.concatenate((centre - half, centre + half), axis=1)
        return keep_best(boxes, scores, width_px=width_px, height_px=height_px)

    def _blob(self, height_px: int, width_px: int) -> F32:
        """The input, kept between pictures: a fresh megabyte a picture costs more in page faults than its filling."""
        key = (height_px, width_px)
        if len(self._blobs) >= _MAX_SIZES:
            self._blobs.clear()
        if key not in self._blobs:
            self._blobs[key] = np.full((1, 3, height_px, width_px), _PAD, np.float32)
        return self._blobs[key]

    def _grid(self, height_px: int, width_px: int) -> tuple[F32, F32]:
        """Cell corners (N x 2) and strides (N x 1) in the order of the output's rows."""
        key = (height_px, width_px)
        if len(self._grids) >= _MAX_SIZES:
            self._grids.clear()
        if key not in self._grids:
            corners: list[F32] = []
            strides: list[F32] = []
            for stride in _STRIDES:
                down, across = height_px // stride, width_px // stride
                y, x = np.mgrid[0:down, 0:across]
                corners.append(np.stack((x, y), axis=2).reshape(-1, 2).astype(np.float32))
                strides.append(np.full((down * across, 1), stride, np.float32))
            self._grids[key] = (np.concatenate(corners), np.concatenate(strides))
        return self._grids[key]


def _part_size(whole: tuple[int, int], *, high_px: float, wide_px: float) -> tuple[int, int]:
    """The input that holds a part with its margin, or the whole."""
    height, width = (
        next(
            (size for share in _PART_SHARES if (size := -(-round(side * share) // 32) * 32) >= need + 2 * _MARGIN_PX),
            side,
        )
        for side, need in zip(whole, (high_px, wide_px), strict=True)
    )
    return height, width


def fitting_size(height_px: int, width_px: int) -> tuple[int, int]:
    """Height and width, multiples of 32, that hold the picture with its longer side at 640: 384x640 for 16:9."""
    scale = _LONG_SIDE_PX / max(height_px, width_px)
    height, width = (max(32, -(-round(side * scale) // 32) * 32) for side in (height_px, width_px))
    return height, width
