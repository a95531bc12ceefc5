"""The ground: asphalt, paint, footpaths and kerbs, their wear, the shadows that fall on them, lamps and wetness."""

import cv2
import numpy as np

from safecity.virtual.scenes.camera import Camera
from safecity.virtual.scenes.canvas import FINE
from safecity.virtual.scenes.conditions import Light
from safecity.virtual.scenes.lamps import Lamps
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX
from safecity.virtual.scenes.pixels import F32, F64, U8, Bgr, cloud, f32, fixed, u8
from safecity.virtual.scenes.plan import Kerb, StreetPlan, Surface
from safecity.virtual.scenes.street_parts import EARTH

Grid = tuple[F32, F32, F32]
"""For every pixel the ground point it looks at (x, y, reach; see Camera.ground_grid)."""
NOISE_PX = 1024
"""Side of the tiling noise that gives the ground its grain."""


def paint_ground(plan: StreetPlan, grid: Grid, *, random: np.random.Generator) -> F32:
    """The ground's albedo (H, W, 3), worn and grained; what lies above the horizon means nothing."""
    camera = plan.camera
    fine = np.empty((HEIGHT_PX * FINE, WIDTH_PX * FINE, 3), np.uint8)
    fine[:] = u8(np.array(EARTH))
    asphalt = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    for patch in plan.patches:
        outline = raised(camera, patch.outline, height_m=patch.height_m)
        if outline is None:
            continue
        cv2.fillPoly(fine, [fixed((outline + 0.5) * FINE - 0.5)], patch.colour, cv2.LINE_8, 4)
        if patch.surface != Surface.PAINT:
            cv2.fillPoly(asphalt, [fixed(outline)], 255.0 * (patch.surface == Surface.ASPHALT), cv2.LINE_8, 4)
    for kerb in plan.kerbs:
        paint_kerb(fine, camera, kerb=kerb)
    albedo = f32(cv2.resize(fine, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA))
    worn = albedo * (1 - 0.13 * tyre_tracks(plan)[..., None] * (asphalt > 0)[..., None])
    return f32(worn * grain(grid, random, asphalt=asphalt)[..., None])


def raised(camera: Camera, outline: F64, *, height_m: float) -> F64 | None:
    """A ground outline (N, 2) at a height, in pixels; None where it is not before the camera."""
    return camera.project_polygon(np.column_stack([outline, np.full(len(outline), height_m)]))


def paint_kerb(fine: U8, camera: Camera, *, kerb: Kerb) -> None:
    """Draw a kerb's face (where it shows) and top, a metre of each colour in turn."""
    count = max(1, round(kerb.path.length_m))
    stations = np.linspace(0.0, kerb.path.length_m, count + 1)
    edge = [kerb.path.at(float(s))[:2] for s in stations]
    inner = [kerb.path.at(float(s), 0.22)[:2] for s in stations]
    for i in range(count - 1, -1, -1):
        colour = kerb.colours[i % 2]
        (x0, y0), (x1, y1) = edge[i], edge[i + 1]
        top = np.array(
            [
                [x0, y0, kerb.height_m],
                [x1, y1, kerb.height_m],
                [*inner[i + 1], kerb.height_m],
                [*inner[i], kerb.height_m],
            ]
        )
        face = np.array([[x0, y0, 0.0], [x1, y1, 0.0], [x1, y1, kerb.height_m], [x0, y0, kerb.height_m]])
        for corners, shade in ((face, 0.78), (top, 1.0)):
            outline = camera.project_polygon(corners)
            if outline is not None:
                shaded: Bgr = (colour[0] * shade, colour[1] * shade, colour[2] * shade)
                cv2.fillConvexPoly(fine, fixed((outline + 0.5) * FINE - 0.5), shaded, cv2.LINE_8, 4)


def tyre_tracks(plan: StreetPlan) -> F32:
    """How much the wheels have polished each pixel, 0..1."""
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    for lane in plan.lanes_along:
        for offset, strength in ((0.78, 200.0), (-0.78, 200.0), (0.0, 110.0)):
            for quad in lane.ribbon(offset + 0.3, offset - 0.3, step_m=7.0):
                outline = raised(plan.camera, quad, height_m=0.0)
                if outline is not None:
                    cv2.fillConvexPoly(mask, fixed(outline), strength, cv2.LINE_AA, 4)
    return f32(f32(cv2.GaussianBlur(mask, (0, 0), 2.0)) / 255)


def grain(grid: Grid, random: np.random.Generator, *, asphalt: U8) -> F32:
    """A factor of about 1 for every pixel: stains, patches and grain that lie on the ground in perspective."""
    x, y, reach = grid
    tile = cloud(random, (NOISE_PX, NOISE_PX), cells=(8, 8), octaves=8)
    rough = f32(random.standard_normal((NOISE_PX, NOISE_PX)))
    safe_x, safe_y = np.where(np.isfinite(x), x, 0), np.where(np.isfinite(y), y, 0)

    def sample(texture: F32, per_m: float, *, stretch: float = 1.0) -> F32:
        across = np.mod(safe_x * per_m, NOISE_PX).astype(np.float32)
        along = np.mod(safe_y * per_m * stretch, NOISE_PX).astype(np.float32)
        return f32(cv2.remap(texture, across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))

    near = np.clip(1.25 - np.minimum(reach, 1e4) / 42.0, 0, 1)
    stains = 0.16 * sample(tile, 22.0) + 0.12 * sample(tile, 60.0, stretch=0.22)
    factor = 1 + stains + 0.055 * near * sample(rough, 26.0)
    joints = np.minimum(np.mod(safe_x, 0.6), np.mod(safe_y, 0.6)) < 0.035
    factor -= 0.10 * near * joints * (asphalt == 0)
    return f32(np.clip(factor, 0.6, 1.35))


def light_ground(grid: Grid, light: Light, *, lamps: Lamps, shade: F32) -> F32:
    """Light (H, W, 3) on the flat ground; `shade` is 1 where the sun is hidden."""
    sun_height = max(0.0, float(light.sun_direction()[2]))
    even = f32(light.sky) + f32(light.sun) * np.float32(sun_height) * (1 - shade)[..., None]
    if not lamps:
        return f32(np.broadcast_to(even, (HEIGHT_PX, WIDTH_PX, 3)))
    x, y, _ = grid
    coarse_x, coarse_y = x[::8, ::8], y[::8, ::8]
    known = np.isfinite(coarse_x) & np.isfinite(coarse_y) & (np.abs(coarse_y) < 400) & (np.abs(coarse_x) < 400)
    glow = np.zeros((*coarse_x.shape, 3), np.float32)
    places = np.stack([coarse_x[known], coarse_y[known], np.zeros(int(known.sum()))], axis=1).astype(np.float64)
    glow[known] = lamps.light_at(places)
    return f32(even + f32(cv2.resize(glow, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)))


def wet_ground(lit: F32, standing: F32, *, covered: F32, grid: Grid, random: np.random.Generator) -> F32:
    """Rain on the ground: darker, with the houses and the sky mirrored in it, more so in puddles and far away.

    `standing` is the picture of sky and houses, `covered` its houses' opacity (H, W).
    """
    x, y, reach = grid
    bottom = np.where(covered > 0.5, np.arange(HEIGHT_PX)[:, None], 0).max(axis=0)
    bottom = np.maximum(bottom, np.argmax(np.isfinite(reach), axis=0) + 2).astype(np.float32)
    rows, columns = np.meshgrid(
        np.arange(HEIGHT_PX, dtype=np.float32), np.arange(WIDTH_PX, dtype=np.float32), indexing="ij"
    )
    mirrored = cv2.remap(
        standing, columns, np.maximum(2 * bottom[None, :] - rows, 0), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    mirrored = cv2.GaussianBlur(mirrored, (0, 0), sigmaX=1.5, sigmaY=7.0)
    tile = cloud(random, (NOISE_PX, NOISE_PX), cells=(10, 10), octaves=5)
    across = np.mod(np.where(np.isfinite(x), x, 0) * 42.0, NOISE_PX).astype(np.float32)
    along = np.mod(np.where(np.isfinite(y), y, 0) * 28.0, NOISE_PX).astype(np.float32)
    puddles = np.clip(cv2.remap(tile, across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP) * 3.2 - 0.55, 0, 1)
    slant = np.clip(np.minimum(reach, 1e4) / 120.0, 0, 1)
    share = np.clip(0.10 + 0.34 * slant + 0.26 * puddles, 0, 0.62)[..., None]
    return f32(lit * 0.66 * (1 - share) + mirrored * share)
