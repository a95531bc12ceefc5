"""Light and weather of each condition: one table, read by everything that colours a pixel.

A surface of albedo A looks as A * (sky * up + bounce * down + sun * facing) with `up` and `down` by its slope, and
fades into the fog with distance. Colours are BGR; albedo runs to 255, light to about 1.
"""

import math
from dataclasses import dataclass

import numpy as np

from safecity.virtual.scenes.model import Condition
from safecity.virtual.scenes.pixels import F64, Bgr


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """One condition's light."""

    sun_azimuth_deg: float
    """From the scene's y axis to the right: 0 lies ahead of the camera, 180 behind it."""
    sun_elevation_deg: float
    sun: Bgr
    sky: Bgr
    bounce: Bgr
    zenith: Bgr
    """Colour of the sky above (0..255) ..."""
    horizon: Bgr
    """... and at the hills."""
    fog: Bgr
    fog_per_m: float
    street_lamps: float
    """Strength of lamps and lit windows, 0 (off) to 1."""
    headlights: float
    """Strength of vehicles' lights, 0 (off) to 1."""
    noise: float
    """Standard deviation of the sensor's noise in grey levels."""
    clouds: float = 0.5
    wet: float = 0.0
    hill_contrast: float = 1.0
    tint: Bgr = (1.0, 1.0, 1.0)
    """The camera's white balance on everything."""

    def sun_direction(self) -> F64:
        """Unit vector towards the sun, in world axes."""
        azimuth, elevation = math.radians(self.sun_azimuth_deg), math.radians(self.sun_elevation_deg)
        flat = math.cos(elevation)
        return np.array([math.sin(azimuth) * flat, math.cos(azimuth) * flat, math.sin(elevation)])

    @property
    def casts_shadows(self) -> bool:
        """Whether the sun is strong enough for shadows with an outline."""
        return max(self.sun) > 0.25


LIGHTS: dict[Condition, Light] = {
    Condition.DAY: Light(
        sun_azimuth_deg=215, sun_elevation_deg=47,
        sun=(0.64, 0.74, 0.80), sky=(0.60, 0.55, 0.52), bounce=(0.36, 0.39, 0.41),
        zenith=(214, 170, 116), horizon=(230, 220, 205), fog=(216, 208, 196), fog_per_m=0.0012,
        street_lamps=0.0, headlights=0.0, noise=1.3,
    ),
    Condition.DUSK: Light(
        sun_azimuth_deg=292, sun_elevation_deg=9,
        sun=(0.16, 0.34, 0.56), sky=(0.39, 0.31, 0.29), bounce=(0.20, 0.18, 0.19),
        zenith=(140, 104, 84), horizon=(112, 158, 226), fog=(138, 140, 164), fog_per_m=0.0020,
        street_lamps=0.45, headlights=0.55, noise=2.0, clouds=0.8, hill_contrast=0.7,
    ),
    Condition.NIGHT: Light(
        sun_azimuth_deg=200, sun_elevation_deg=60,
        sun=(0.0, 0.0, 0.0), sky=(0.135, 0.110, 0.095), bounce=(0.055, 0.055, 0.06),
        zenith=(30, 21, 16), horizon=(50, 42, 42), fog=(36, 33, 36), fog_per_m=0.0035,
        street_lamps=1.0, headlights=1.0, noise=3.0, clouds=0.25, hill_contrast=0.35,
    ),
    Condition.RAIN: Light(
        sun_azimuth_deg=200, sun_elevation_deg=60,
        sun=(0.05, 0.05, 0.05), sky=(0.60, 0.575, 0.555), bounce=(0.25, 0.25, 0.25),
        zenith=(150, 144, 138), horizon=(182, 177, 172), fog=(172, 168, 163), fog_per_m=0.0052,
        street_lamps=0.12, headlights=0.45, noise=1.9, clouds=1.0, wet=1.0, hill_contrast=0.6,
    ),
    Condition.DUST: Light(
        sun_azimuth_deg=215, sun_elevation_deg=50,
        sun=(0.10, 0.15, 0.19), sky=(0.40, 0.50, 0.57), bounce=(0.20, 0.26, 0.31),
        zenith=(118, 160, 190), horizon=(130, 172, 203), fog=(128, 169, 199), fog_per_m=0.0165,
        street_lamps=0.10, headlights=0.40, noise=1.8, clouds=0.15, hill_contrast=0.5,
    ),
}  # fmt: skip
