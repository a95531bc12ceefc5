"""Positions on the earth and in pictures: WGS84 longitude first, pixels from the top left."""

import math
from dataclasses import dataclass

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG; haversine is within 0.5 % of the ellipsoid


@dataclass(frozen=True, slots=True)
class LonLat:
    """A WGS84 position in degrees, longitude first as GeoJSON (RFC 7946) has it."""

    lon: float
    lat: float

    def __post_init__(self) -> None:
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90):
            raise ValueError(f"no position on earth: longitude {self.lon}, latitude {self.lat}")


@dataclass(frozen=True, slots=True)
class Point:
    """A position in a picture, in pixels from its top left corner."""

    x_px: float
    y_px: float


def distance_m(a: LonLat, b: LonLat) -> float:
    """Great-circle distance in metres."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat, half_lon = (lat_b - lat_a) / 2, math.radians(b.lon - a.lon) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


def bearing_deg(a: LonLat, b: LonLat) -> float:
    """Initial bearing from a to b, degrees clockwise from north, 0 <= bearing < 360."""
    lat_a, lat_b, d_lon = math.radians(a.lat), math.radians(b.lat), math.radians(b.lon - a.lon)
    east = math.sin(d_lon) * math.cos(lat_b)
    north = math.cos(lat_a) * math.sin(lat_b) - math.sin(lat_a) * math.cos(lat_b) * math.cos(d_lon)
    bearing = math.degrees(math.atan2(east, north)) % 360.0
    return 0.0 if bearing == 360.0 else bearing  # a tiny negative angle rounds up to the full circle
