"""Array types and the few pixel operations that every part of the drawing shares."""

import cv2
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Bgr = tuple[float, float, float]

SHIFT = 4
"""Sub-pixel bits that OpenCV's polygon filling takes: coordinates are multiplied by 16."""


def u8(array: npt.ArrayLike) -> U8:
    """The array as bytes, clipped; free of cost where it already is."""
    given = np.asarray(array)
    return given if given.dtype == np.uint8 else np.clip(given, 0, 255).astype(np.uint8)


def f32(array: npt.ArrayLike) -> F32:
    """The array as 32-bit floats."""
    return np.asarray(array, dtype=np.float32)


def fixed(points: npt.ArrayLike) -> I32:
    """Points in OpenCV's fixed-point form (see SHIFT)."""
    return np.rint(np.asarray(points, dtype=np.float64) * (1 << SHIFT)).astype(np.int32)


def cloud(random: np.random.Generator, shape: tuple[int, int], *, cells: tuple[int, int], octaves: int = 4) -> F32:
    """Smooth periodic noise of about -1..1: `cells` (down, across) lumps in the coarsest octave.

    It tiles without a seam in both directions, so textures made of it may be repeated or scrolled round.
    """
    height, width = shape
    total = np.zeros(shape, np.float32)
    weight = 1.0
    for octave in range(octaves):
        down, across = cells[0] << octave, cells[1] << octave
        if down > height or across > width:
            break
        grid = random.standard_normal((down, across)).astype(np.float32)
        padded = np.pad(grid, 2, mode="wrap")
        scale_y, scale_x = height / down, width / across
        size = (round(padded.shape[1] * scale_x), round(padded.shape[0] * scale_y))
        large = f32(cv2.resize(padded, size, interpolation=cv2.INTER_CUBIC))
        top, left = round(2 * scale_y), round(2 * scale_x)
        total += weight * large[top : top + height, left : left + width]
        weight *= 0.5
    return f32(total / max(1e-6, float(np.abs(total).max())))


def add_over(picture: U8, patch: U8, *, left: int, top: int) -> None:
    """Lay a premultiplied BGRA patch over the picture with its corner at (left, top), cut at the picture's edges."""
    height, width = picture.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(width, left + patch.shape[1]), min(height, top + patch.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    part = patch[y0 - top : y1 - top, x0 - left : x1 - left]
    target = picture[y0:y1, x0:x1]
    rest = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(part, 3)), cv2.COLOR_GRAY2BGR)
    cv2.multiply(target, rest, dst=target, scale=1 / 255)
    cv2.add(target, cv2.cvtColor(part, cv2.COLOR_BGRA2BGR), dst=target)


def add_light(picture: U8, light: U8, *, left: int, top: int) -> None:
    """Add a glow (BGR) to the picture with its corner at (left, top), cut at the picture's edges."""
    height, width = picture.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(width, left + light.shape[1]), min(height, top + light.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    target = picture[y0:y1, x0:x1]
    cv2.add(target, light[y0 - top : y1 - top, x0 - left : x1 - left], dst=target)
