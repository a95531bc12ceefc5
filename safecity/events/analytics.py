"""What analysis states: rules that fired, and what crossed the counting lines."""

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field

from safecity.events.store import Fact

RuleKind = Literal["line_crossing", "zone_entry", "stopped_vehicle", "wrong_way", "crowd"]
Share = Annotated[float, Field(ge=0, le=1)]


class RuleFired(Fact):
    """A scene rule of a camera held true; whatever must be done about it is decided above.

    Its id is made from camera, rule, subject and `started_at`, so a restarted analyser may state it again.
    """

    type: ClassVar[str] = "analytics.rule_fired"
    camera: str
    rule: str
    """Name of the rule on this camera, such as `no-stopping`."""
    kind: RuleKind
    title: str
    title_ur: str
    subject: str
    """What further facts of the same matter share: the zone or line with the class, such as `forecourt/car`."""
    object_class: str
    """`car`, `person`, ...; with a question mark (`vehicle?`) where only size and shape were seen."""
    priority: Annotated[int, Field(ge=1, le=4)]
    started_at: AwareDatetime
    """When the rule began to hold, on the server's line (the recordings' index), as every instant here."""
    clip_from: AwareDatetime
    clip_to: AwareDatetime
    picture_at: AwareDatetime
    """The instant whose picture shows it best."""
    box: tuple[Share, Share, Share, Share] | None
    """Left, top, width and height on that picture, as shares of it; None where the whole picture is meant."""
    confidence: Share
    model: str
    """Which detector saw it; `motion` without one."""


class LineCounted(Fact):
    """What crossed a counting line in an interval; stated only where something did.

    Forward is from negative to positive (x2-x1)*(py-y1)-(y2-y1)*(px-x1) of the line's two points.
    """

    type: ClassVar[str] = "analytics.line_counted"
    camera: str
    line: str
    from_at: AwareDatetime
    to_at: AwareDatetime
    forward: dict[str, int]
    backward: dict[str, int]
    model: str


class AnalysisDegraded(Fact):
    """An analyser skips pictures of a camera, or sees them again; recording is not touched by it."""

    type: ClassVar[str] = "analytics.analysis_degraded"
    camera: str
    is_degraded: bool
    reason: str
    at: AwareDatetime
