"""What the API says of a camera's recording: what is there, what of it came later, what is missing and why."""

from typing import Literal

from pydantic import Field

from safecity.api.wire import Instant, Wire
from safecity.video.model import Cause as MissingCause


class SpanView(Wire):
    """Recorded without a hole."""

    from_: Instant = Field(validation_alias="from_", serialization_alias="from")
    to: Instant


class MissingView(SpanView):
    """Expected, not recorded, and why."""

    cause: MissingCause


class RecoveredView(SpanView):
    """Recorded elsewhere and filled in afterwards: at the site, or on the camera's own card."""

    source: Literal["edge", "card"]


class TimelineView(Wire):
    """What of a camera is recorded and what is missing; `recovered` are the parts of `recorded` that came later."""

    recorded: tuple[SpanView, ...]
    recovered: tuple[RecoveredView, ...]
    missing: tuple[MissingView, ...]
    settled_until: Instant
