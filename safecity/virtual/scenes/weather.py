"""What the air and the sensor add to a finished frame: rain, drifting dust, noise, a slow drift of the exposure."""

import cv2
import numpy as np

from safecity.virtual.scenes.conditions import Light
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX, Condition
from safecity.virtual.scenes.pixels import U8, cloud, u8

NOISE_FIELDS = 4
RAIN_FIELDS = 8
MARGIN = 160


class Weather:
    """Works on the luma plane of an I420 picture (height * 3 / 2, width)."""

    def __init__(self, condition: Condition, light: Light, *, seed: int, frames: int) -> None:
        self.light = light
        self.frames = frames
        self.condition = condition
        self.seed = seed
        random = np.random.default_rng([seed, 29])
        shape = (HEIGHT_PX + MARGIN, WIDTH_PX + MARGIN)
        coarse = random.standard_normal((NOISE_FIELDS, *shape)).astype(np.float32)
        self.noise = tuple(u8(128 + light.noise * self.soften(field)) for field in coarse)
        self.rain: tuple[U8, ...] = ()
        self.dust: U8 | None = None
        if condition == Condition.RAIN:
            self.rain = tuple(rain_field(random) for _ in range(RAIN_FIELDS))
        if condition == Condition.DUST:
            swirl = cloud(random, (HEIGHT_PX, WIDTH_PX), cells=(3, 4), octaves=4)
            self.dust = u8(128 + 15 * np.concatenate([swirl, swirl], axis=1))

    def soften(self, field: np.ndarray) -> np.ndarray:
        """Noise of a camera is a little smooth: its own denoising has gone over it."""
        smooth = cv2.GaussianBlur(field, (0, 0), 0.6)
        return smooth / smooth.std()

    def apply(self, picture: U8, number: int) -> None:
        """Add everything to one frame, in place; the same number always adds the same."""
        luma = picture[:HEIGHT_PX]
        share = 2 * np.pi * number / max(1, self.frames)
        if self.dust is not None:
            scroll = round(WIDTH_PX * number / max(1, self.frames)) % WIDTH_PX
            haze = self.dust[:, scroll : scroll + WIDTH_PX]
            cv2.addWeighted(luma, 1.0, haze, 1.0, -128.0, dst=luma)
        if self.rain:
            field = self.rain[number % RAIN_FIELDS]
            cv2.addWeighted(luma, 1.0, field[:HEIGHT_PX, :WIDTH_PX], 0.55, 0.0, dst=luma)
        random = np.random.default_rng([self.seed, 31, number])
        y, x, which = (int(v) for v in random.integers((MARGIN, MARGIN, NOISE_FIELDS)))
        gain = 1.0 + 0.012 * float(np.sin(share) + 0.5 * np.sin(3 * share + 1.0))
        noise = self.noise[which][y : y + HEIGHT_PX, x : x + WIDTH_PX]
        cv2.addWeighted(luma, gain, noise, 1.0, -128.0, dst=luma)


def rain_field(random: np.random.Generator) -> U8:
    """Streaks of falling drops: near ones long and bright, far ones short and faint."""
    field = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    for count, long, bright, thick in (
        (420, (8, 16), (26, 46), 1),
        (130, (22, 44), (36, 70), 1),
        (16, (60, 110), (30, 50), 2),
    ):
        for _ in range(count):
            x, y = int(random.integers(WIDTH_PX)), int(random.integers(-60, HEIGHT_PX))
            reach = int(random.integers(*long))
            slant = round(reach * 0.10)
            tone = float(random.integers(*bright))
            cv2.line(field, (x, y), (x - slant, y + reach), tone, thick, cv2.LINE_AA)
    return u8(cv2.GaussianBlur(field, (3, 3), 0))
