"""What a camera says of itself, as plain values."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who made it and what runs on it; "" where it does not say."""

    manufacturer: str
    model: str
    firmware: str
    serial: str
    hardware: str
    mac: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaProfile:
    """One media profile with its encoder; figures are 0 where the camera does not say."""

    token: str
    name: str
    source: str
    """Token of the video source: cameras with several lenses have several."""
    codec: str
    """h264, h265, jpeg, mpeg4 or ""."""
    width_px: int
    height_px: int
    frame_rate: float
    bitrate_kbps: int
    gop: int
    encoder: str
    has_ptz: bool
    is_media2: bool
    uri: str = ""
    """RTSP address at the host we reached, without a sign-in; "" until asked for."""

    @property
    def pixels(self) -> int:
        """Size of its picture."""
        return self.width_px * self.height_px


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """All that enrolment needs to know."""

    address: str
    identity: Identity
    services: tuple[str, ...]
    clock_offset_s: float
    is_ntp: bool
    profiles: tuple[MediaProfile, ...]
    main: MediaProfile | None
    sub: MediaProfile | None
    has_ptz: bool
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRecording:
    """What a camera's own card holds."""

    token: str
    from_at: datetime
    """On the camera's clock, corrected by its offset: our time."""
    to_at: datetime
    clock_offset_s: float


SUB_MOST_PIXELS = 800 * 600


def choose_streams(
    profiles: tuple[MediaProfile, ...], *, source: str = ""
) -> tuple[MediaProfile | None, MediaProfile | None]:
    """The main and the sub stream of one video source (the first unless named).

    Main is the largest picture that we can record. Sub is the largest of the smaller ones up to 800 x 600, H.264
    before H.265 since browsers play it; without one so small, the smallest that is smaller than main.
    """
    source = source or next((one.source for one in profiles if one.codec in ("h264", "h265")), "")
    usable = [one for one in profiles if one.source == source and one.codec in ("h264", "h265")]
    if not usable:
        return None, None
    main = max(usable, key=lambda one: (one.pixels, one.frame_rate))
    smaller = [one for one in usable if one.pixels < main.pixels]
    if not smaller:
        return main, None
    fitting = [one for one in smaller if one.pixels <= SUB_MOST_PIXELS]
    if fitting:
        return main, max(fitting, key=lambda one: (one.codec == "h264", one.pixels))
    return main, min(smaller, key=lambda one: one.pixels)
