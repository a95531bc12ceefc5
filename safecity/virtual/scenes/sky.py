"""Sky, clouds and the bare mountains round the city's bowl."""

import cv2
import numpy as np

from safecity.virtual.scenes.camera import Camera
from safecity.virtual.scenes.conditions import Light
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX
from safecity.virtual.scenes.pixels import F32, cloud, f32


def paint_sky(camera: Camera, light: Light, random: np.random.Generator) -> F32:
    """The whole picture as it would be without ground and houses: (H, W, 3), BGR, 0..255."""
    horizon = camera.horizon_px()
    rows = np.arange(HEIGHT_PX, dtype=np.float32)
    height = np.clip((horizon - rows) / camera.focal_px * 3.2, 0, 1)[:, None, None] ** 0.7
    sky = f32(light.horizon) * (1 - height) + f32(light.zenith) * height
    sky = np.broadcast_to(sky, (HEIGHT_PX, WIDTH_PX, 3)).astype(np.float32)
    lumps = cloud(random, (HEIGHT_PX, WIDTH_PX), (14, 4), octaves=5)
    cover = np.clip((lumps - 0.02) * 2.6, 0, 1)[..., None] * light.clouds * 0.55
    white = np.minimum(f32(light.horizon) * 1.12 + 6, 255)
    sky = sky * (1 - cover) + white * cover
    layers = ((0.060, 0.052, 0.70, 3), (0.040, 0.038, 0.45, 5), (0.017, 0.020, 0.24, 8))
    for base, rise, haze, bumps in layers:
        sky = paint_ridge(sky, camera, light, random, shape=(base, rise, haze, bumps))
    return sky


def paint_ridge(
    sky: F32, camera: Camera, light: Light, random: np.random.Generator, *, shape: tuple[float, float, float, int]
) -> F32:
    """One chain of mountains: its foot's and crest's height (radians), haze before it, peaks across."""
    base, rise, haze, bumps = shape
    horizon = camera.horizon_px()
    crest_noise = cloud(random, (8, WIDTH_PX * 2), (1, bumps), octaves=7)[0, :WIDTH_PX]
    crest = horizon - camera.focal_px * (base + rise * (0.25 + 0.75 * crest_noise))
    rows = np.arange(HEIGHT_PX, dtype=np.float32)[:, None]
    inside = np.clip(rows - crest[None, :] + 0.5, 0, 1)[..., None]
    slopes = cloud(random, (HEIGHT_PX, WIDTH_PX), (12, 14), octaves=6)
    depth = np.clip((rows - crest[None, :]) / (camera.focal_px * 0.05), 0, 1)
    gullies = f32(cv2.Sobel(slopes, cv2.CV_32F, 1, 0, ksize=5)) * 0.35
    relief = 1 + light.hill_contrast * np.clip(gullies + 0.10 * slopes, -0.32, 0.32)
    rock = f32((104, 128, 152)) * relief[..., None]
    lit = rock * (f32(light.sky) * 0.8 + f32(light.sun) * 0.55 + 0.25 * f32(light.bounce))
    veil = haze + 0.25 * depth[..., None]
    air = f32(light.fog) * 0.55 + f32(light.horizon) * 0.45
    hazed = lit * (1 - np.clip(veil, 0, 0.93)) + air * np.clip(veil, 0, 0.93)
    hidden = np.float32(min(1.0, light.fog_per_m * 42))
    if light.fog_per_m > 0.004:
        hazed = hazed * (1 - hidden) + f32(light.horizon) * hidden
    return f32(sky * (1 - inside) + hazed * inside)
