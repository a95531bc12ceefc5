"""What everybody may know of the restore drills."""

from safecity.api.wire import Instant, Wire


class PublicDrill(Wire):
    """What everybody may know of a restore drill."""

    place: str
    ended_at: Instant
    tried: int
    good: int
    bad: int
    unreached: int


class PublicDrills(Wire):
    """The standing restore drills, newest first."""

    every_h: float
    drills: tuple[PublicDrill, ...]
