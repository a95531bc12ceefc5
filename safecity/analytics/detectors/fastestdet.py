"""FastestDet: one grid of stride 16; objectness, four box values and 80 classes a cell.

The picture is stretched to the input's size, blue first, 0 to 1. The score weighs objectness by the power 0.6 and the
class by 0.4, as the model's authors do.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from safecity.analytics.boxes import Detection
from safecity.analytics.detectors.candidates import COCO_COLUMNS, MIN_SCORE, keep_best
from safecity.analytics.detectors.session import F32, U8, ModelSession
from safecity.analytics.models import CLASSES

_STRIDE = 16
_VALUES = 85
_FIRST_CLASS = 5


class FastestdetDetector:
    """FastestDet with COCO classes."""

    classes = CLASSES

    def __init__(self, session: ModelSession, *, name: str) -> None:
        """Raises Invalid where the model is not of this family."""
        self.name = name
        self._session = session
        if session.input_px is None:
            raise session.unexpected("an input of fixed size")
        self._height, self._width = session.input_px
        self._down, self._across = self._height // _STRIDE, self._width // _STRIDE
        self._blob: F32 = np.zeros((1, 3, self._height, self._width), np.float32)
        self._stretched: U8 = np.empty((self._height, self._width, 3), np.uint8)
        session.try_out(self._blob, shapes=[(1, _VALUES, self._down, self._across)])

    def detect(self, bgr: U8) -> Sequence[Detection]:
        """See `Detector`."""
        height_px, width_px = bgr.shape[:2]
        cv2.resize(bgr, (self._width, self._height), dst=self._stretched)
        np.multiply(self._stretched.transpose(2, 0, 1), np.float32(1 / 255), out=self._blob[0])
        cells = self._session.run(self._blob)[0][0].reshape(_VALUES, -1)
        classes = cells[_FIRST_CLASS + COCO_COLUMNS]
        scores = np.maximum(cells[:1], 0) ** 0.6 * np.maximum(classes, 0) ** 0.4
        strong = np.flatnonzero(scores.max(axis=0) >= MIN_SCORE)
        row, column = np.divmod(strong, self._across)
        x = (np.tanh(cells[1, strong]) + column) / self._across * width_px
        y = (np.tanh(cells[2, strong]) + row) / self._down * height_px
        half_w = _sigmoid(cells[3, strong]) * width_px / 2
        half_h = _sigmoid(cells[4, strong]) * height_px / 2
        boxes = np.stack((x - half_w, y - half_h, x + half_w, y + half_h), axis=1)
        return keep_best(boxes, scores[:, strong].T, width_px=width_px, height_px=height_px)


def _sigmoid(values: F32) -> F32:
    return np.divide(np.float32(1), np.exp(-values) + np.float32(1), dtype=np.float32)
