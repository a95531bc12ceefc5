"""Sky, clouds and the bare mountains round the city's bowl."""

import cv2
import numpy as np

from safecity.virtual.scenes.camera import Camera
from safecity.virtual.scenes.conditions import Light
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX
from safecity.virtual.scenes.pixels import F32, cloud, f32


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
    layers = ((0.060, 0.052, 0.70, 3), (0.040, 0.038, 0.45, 5), (0.017, 0.020, 0.24, 8))
    for base, rise, haze, bumps in layers:
        sky = paint_ridge(sky, camera, light=light, random=random, shape=(base, rise, haze, bumps))
    return sky


def paint_ridge(
    sky: F32, camera: Camera, *, light: Light, random: np.random.Generator, shape: tuple[float, float, float, int]
) -> F32:
    """One chain of mountains: its foot's and crest's height (radians), haze before it, peaks across."""
    base, rise, haze, bumps = shape
    horizon = camera.horizon_px()
    crest_noise = cloud(random, (8, WIDTH_PX * 2), cells=(1, bumps), octaves=7)[0, :WIDTH_PX]
    crest = horizon - camera.focal_px * (base + rise * (0.25 + 0.75 * crest_noise))
    rows = np.arange(HEIGHT_PX, dtype=np.float32)[:, None]
    inside = np.clip(rows - crest[None, :] + 0.5, 0, 1)[..., None]
    relief = 1 + light.hill_contrast * ridge_relief(random, crest, rows=rows)
    rock = f32((112, 134, 156)) * relief[..., None]
    depth = np.clip((rows - crest[None, :]) / (camera.focal_px * 0.05), 0, 1)
    lit = rock * (f32(light.sky) * 0.8 + f32(light.sun) * 0.55 + 0.25 * f32(light.bounce))
    veil = haze + 0.25 * depth[..., None]
    air = f32(light.fog) * 0.55 + f32(light.horizon) * 0.45
    hazed = lit * (1 - np.clip(veil, 0, 0.93)) + air * np.clip(veil, 0, 0.93)
    hidden = np.float32(min(1.0, light.fog_per_m * 42))
    if light.fog_per_m > 0.004:
        hazed = hazed * (1 - hidden) + f32(light.horizon) * hidden
    return f32(sky * (1 - inside) + hazed * inside)


def ridge_relief(random: np.random.Generator, crest: F32, *, rows: F32) -> F32:
    """Light and dark flanks of a mountain: spurs run down from the crest, branching, lit from one side."""
    below = np.clip(rows - crest[None, :], 0, None)
    columns = np.arange(WIDTH_PX, dtype=np.float32)[None, :]
    bend = 14 * cloud(random, (HEIGHT_PX, WIDTH_PX), cells=(8, 6), octaves=4)
    across = np.mod(columns + bend + 0.22 * below, 2 * WIDTH_PX).astype(np.float32)
    folds = cloud(random, (4, 2 * WIDTH_PX), cells=(1, 44), octaves=6)[0]
    slope = np.gradient(folds)
    slope = slope / max(1e-6, float(np.abs(slope).std()))
    line, zeros = slope[None, :].astype(np.float32), np.zeros_like(across)
    flank = f32(cv2.remap(line, across, zeros, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))
    flank = f32(cv2.GaussianBlur(flank, (0, 0), 0.7))
    grow = np.clip(below / 26, 0.15, 1)
    strata = 0.03 * np.sin(below / 5.0 + 3 * bend / 14)
    return f32(np.clip(0.27 * flank * grow + strata, -0.45, 0.45))
