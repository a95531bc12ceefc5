"""A pinhole camera on a pole: from metres on the street to pixels of the main picture and back."""

import math
from dataclasses import dataclass

import numpy as np

from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX, CameraTruth
from safecity.virtual.scenes.pixels import F32, F64

NEAR_M = 0.8
"""Nothing nearer than this along the camera's axis is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Position, attitude and lens. World axes: x right, y ahead, z up, metres, ground at z = 0."""

    position: F64
    """(3,) metres."""
    rotation: F64
    """(3, 3): rows are the camera's right, down and forward axes in the world."""
    focal_px: float
    yaw_deg: float
    pitch_deg: float
    centre_px: tuple[float, float] = ((WIDTH_PX - 1) / 2, (HEIGHT_PX - 1) / 2)

    def project(self, points: F64) -> tuple[F64, F64]:
        """Pixels (N, 2) and depths along the axis in metres (N,) of world points (N, 3).

        Points behind NEAR_M come out as if they lay there: clip polygons first where that matters.
        """
        local = (points - self.position) @ self.rotation.T
        depth = local[:, 2]
        safe = np.maximum(depth, NEAR_M)
        pixels = local[:, :2] * (self.focal_px / safe)[:, None] + self.centre_px
        return pixels, depth

    def project_polygon(self, points: F64) -> F64 | None:
        """Pixels of a planar polygon's outline, cut at NEAR_M; None where nothing of it lies before the camera."""
        local = (points - self.position) @ self.rotation.T
        kept: list[F64] = []
        for here, following in zip(local, np.roll(local, -1, axis=0), strict=True):
            if here[2] >= NEAR_M:
                kept.append(here)
            if (here[2] >= NEAR_M) != (following[2] >= NEAR_M):
                share = (NEAR_M - here[2]) / (following[2] - here[2])
                kept.append(here + share * (following - here))
        if len(kept) < 3:
            return None
        cut = np.array(kept)
        return cut[:, :2] * (self.focal_px / cut[:, 2])[:, None] + self.centre_px

    def pixel_of(self, x_m: float, y_m: float, *, z_m: float = 0.0) -> tuple[float, float]:
        """The pixel of one world point."""
        pixels, _ = self.project(np.array([[x_m, y_m, z_m]]))
        return float(pixels[0, 0]), float(pixels[0, 1])

    def ground_grid(self) -> tuple[F32, F32, F32]:
        """For every pixel the ground point it looks at: x, y and depth in metres; inf above the horizon."""
        across, down = np.meshgrid(np.arange(WIDTH_PX), np.arange(HEIGHT_PX))
        local = np.stack(
            [
                (across - self.centre_px[0]) / self.focal_px,
                (down - self.centre_px[1]) / self.focal_px,
                np.ones(across.shape),
            ],
            axis=-1,
        )
        world = local @ self.rotation
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(world[..., 2] < -1e-4, -self.position[2] / world[..., 2], np.inf)
            x = np.where(np.isfinite(reach), self.position[0] + reach * world[..., 0], np.inf)
            y = np.where(np.isfinite(reach), self.position[1] + reach * world[..., 1], np.inf)
        return x.astype(np.float32), y.astype(np.float32), reach.astype(np.float32)

    def horizon_px(self) -> float:
        """The row of the horizon in the middle of the picture."""
        return self.centre_px[1] - self.focal_px * math.tan(math.radians(self.pitch_deg))

    def truth(self) -> CameraTruth:
        """The camera as the truth file states it."""
        return CameraTruth(
            x_m=float(self.position[0]),
            y_m=float(self.position[1]),
            height_m=float(self.position[2]),
            yaw_deg=self.yaw_deg,
            pitch_deg=self.pitch_deg,
            focal_px=round(self.focal_px, 2),
            centre_px=self.centre_px,
        )


def hang_camera(position_m: tuple[float, float, float], *, yaw_deg: float, pitch_deg: float, view_deg: float) -> Camera:
    """A camera at a place, turned right by yaw and down by pitch, seeing `view_deg` across."""
    yaw, pitch = math.radians(yaw_deg), math.radians(pitch_deg)
    forward = np.array([math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), -math.sin(pitch)])
    right = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
    down = np.cross(forward, right)
    return Camera(
        position=np.array(position_m, dtype=np.float64),
        rotation=np.stack([right, down, forward]),
        focal_px=WIDTH_PX / 2 / math.tan(math.radians(view_deg) / 2),
        yaw_deg=yaw_deg,
        pitch_deg=pitch_deg,
    )
