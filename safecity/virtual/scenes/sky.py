"""Sky, clouds and the bare mountains round the city's bowl."""

import cv2
import numpy as np

from safecity.virtual.scenes.camera import Camera
from safecity.virtual.scenes.conditions import Light
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX
from safecity.virtual.scenes.pixels import F32, cloud, f32

RIDGES = 9


def paint_sky(camera: Camera, light: Light, *, random: np.random.Generator) -> F32:
    """The whole picture as it would be without ground and houses: (H, W, 3), BGR, 0..255."""
    horizon = camera.horizon_px()
    rows = np.arange(HEIGHT_PX, dtype=np.float32)
    height = np.clip((horizon - rows) / camera.focal_px * 3.2, 0, 1)[:, None, None] ** 0.7
    sky = f32(light.horizon) * (1 - height) + f32(light.zenith) * height
    sky = np.broadcast_to(sky, (HEIGHT_PX, WIDTH_PX, 3)).astype(np.float32)
    lumps = cloud(random, (HEIGHT_PX, WIDTH_PX), cells=(14, 4), octaves=5)
    cover = np.clip((lumps - 0.02) * 2.6, 0, 1)[..., None] * light.clouds * 0.55
    white = np.minimum(f32(light.horizon) * 1.12 + 6, 255)
    sky = f32(sky * (1 - cover) + white * cover)
    for number in range(RIDGES):
        paint_ridge(sky, camera, light=light, random=random, nearness=number / (RIDGES - 1))
    return sky


def paint_ridge(sky: F32, camera: Camera, *, light: Light, random: np.random.Generator, nearness: float) -> None:
    """One of the chains of bare mountains, from far and high (nearness 0) to near and low (1), into the picture.

    Each is lit by the slope of its own crest; where one chain stands before the other, spurs and valleys appear.
    """
    rise, peaks, haze = 0.054 - 0.040 * nearness, round(3 + 9 * nearness), 0.66 - 0.42 * nearness
    horizon = camera.horizon_px()
    top, bottom = max(0, round(horizon - camera.focal_px * 0.13)), min(HEIGHT_PX, round(horizon) + 40)
    if bottom - top < 4:
        return
    noise = cloud(random, (8, 2 * WIDTH_PX), cells=(1, peaks), octaves=8)[0, :WIDTH_PX]
    sharp = 1 - np.abs(noise) * 1.6
    crest = horizon - camera.focal_px * rise * (0.75 + 0.75 * (0.55 * sharp + 0.45 * noise)) - 2
    rows = np.arange(top, bottom, dtype=np.float32)[:, None]
    below = np.clip(rows - crest[None, :], 0, None)
    smooth = f32(cv2.GaussianBlur(crest[None, :].astype(np.float32), (0, 0), 2.2))[0]
    side = 1.0 if light.sun_direction()[0] < 0 else -1.0
    flank = np.clip(side * np.gradient(smooth) * 2.6, -1, 1)[None, :]
    shape = (bottom - top, WIDTH_PX)
    grit = f32(cv2.resize(f32(random.standard_normal((max(2, shape[0] // 2), shape[1] // 2))), (shape[1], shape[0])))
    relief = 1 + light.hill_contrast * np.clip(0.36 * flank * np.exp(-below / 45) + 0.05 * grit, -0.42, 0.42)
    lit = f32((112, 134, 156)) * relief[..., None]
    lit = lit * (f32(light.sky) * 0.8 + f32(light.sun) * 0.55 + 0.25 * f32(light.bounce))
    air = f32(light.fog) * 0.55 + f32(light.horizon) * 0.45
    veil = np.clip(haze + np.minimum(0.30, below / 160), 0, 0.93)[..., None]
    hazed = lit * (1 - veil) + air * veil
    if light.fog_per_m > 0.004:
        hidden = np.float32(min(1.0, light.fog_per_m * (60 - 25 * nearness)))
        hazed = hazed * (1 - hidden) + f32(light.horizon) * hidden
    inside = np.clip(rows - crest[None, :] + 0.5, 0, 1)[..., None]
    part = sky[top:bottom]
    part[:] = part * (1 - inside) + hazed * inside
