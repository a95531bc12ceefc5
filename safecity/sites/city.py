"""A city as values: everything that a city file says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from safecity.sites.model import (
    Camera,
    CameraId,
    CityName,
    Credentials,
    District,
    Gate,
    Line,
    Place,
    Road,
    Site,
    Zone,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """The things of a city in the order of their file, and the sign-ins of its cameras where the file gives them."""

    name: CityName | None = None
    districts: tuple[District, ...] = ()
    sites: tuple[Site, ...] = ()
    gates: tuple[Gate, ...] = ()
    cameras: tuple[Camera, ...] = ()
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    roads: tuple[Road, ...] = ()
    places: tuple[Place, ...] = ()
    credentials: Mapping[CameraId, Credentials] = field(default_factory=dict[CameraId, Credentials], repr=False)
