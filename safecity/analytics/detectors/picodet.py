"""PP-PicoDet: four strides, class scores through the sigmoid, distances to the sides as distributions of eight bins.

The picture is stretched to the input's size, blue first, less mean, divided by deviation.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from safecity.analytics.boxes import Detection
from safecity.analytics.detectors.candidates import COCO_COLUMNS, MIN_SCORE, keep_best
from safecity.analytics.detectors.session import F32, U8, ModelSession
from safecity.analytics.models import CLASSES

_STRIDES = (8, 16, 32, 64)
_BINS = 8
_SIDES = 4
_COCO_CLASSES = 80
_MEAN = np.array([103.53, 116.28, 123.675], np.float32)
_DEVIATION = np.array([57.375, 57.12, 58.395], np.float32)


class PicodetDetector:
    """Any model of the PicoDet family with COCO classes and a fixed input size."""

    classes = CLASSES

    def __init__(self, session: ModelSession, *, name: str) -> None:
        """Raises Invalid where the model is not of this family."""
        self.name = name
        self._session = session
        if session.input_px is None or session.outputs != 2 * len(_STRIDES):
            raise session.unexpected("an input of fixed size, and classes and distances for four strides")
        self._height, self._width = session.input_px
        self._blob: F32 = np.zeros((1, 3, self._height, self._width), np.float32)
        self._stretched: U8 = np.empty((self._height, self._width, 3), np.uint8)
        self._normal: F32 = np.empty((self._height, self._width, 3), np.float32)
        self._centres = [self._cells(stride) for stride in _STRIDES]
        counts = [len(centres) for centres in self._centres]
        shapes = [(1, count, _COCO_CLASSES) for count in counts]
        session.try_out(self._blob, shapes=[*shapes, *((1, count, _SIDES * _BINS) for count in counts)])

    def detect(self, bgr: U8) -> Sequence[Detection]:
        """See `Detector`."""
        height_px, width_px = bgr.shape[:2]
        cv2.resize(bgr, (self._width, self._height), dst=self._stretched)
        np.subtract(self._stretched, _MEAN, out=self._normal)
        np.divide(self._normal, _DEVIATION, out=self._normal)
        np.copyto(self._blob[0], self._normal.transpose(2, 0, 1))
        outputs = self._session.run(self._blob)
        boxes: list[F32] = []
        scores: list[F32] = []
        for index, stride in enumerate(_STRIDES):
            classes = outputs[index][0][:, COCO_COLUMNS]
            strong = np.flatnonzero(classes.max(axis=1) >= MIN_SCORE)
            distances = outputs[index + len(_STRIDES)][0][strong].reshape(-1, _SIDES, _BINS)
            shares = np.exp(distances - distances.max(axis=2, keepdims=True))
            shares /= shares.sum(axis=2, keepdims=True)
            away = (shares * np.arange(_BINS, dtype=np.float32)).sum(axis=2) * stride
            centre = self._centres[index][strong]
            boxes.append(np.concatenate((centre - away[:, :2], centre + away[:, 2:]), axis=1))
            scores.append(classes[strong])
        grown = np.array([width_px / self._width, height_px / self._height] * 2, np.float32)
        return keep_best(np.concatenate(boxes) * grown, np.concatenate(scores), width_px=width_px, height_px=height_px)

    def _cells(self, stride: int) -> F32:
        """Middles of the cells of a stride, N x 2, in input pixels."""
        down, across = -(-self._height // stride), -(-self._width // stride)
        y, x = np.mgrid[0:down, 0:across]
        return ((np.stack((x, y), axis=2).reshape(-1, 2) + 0.5) * stride).astype(np.float32)
