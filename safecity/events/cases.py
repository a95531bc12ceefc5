"""What cases state: that something changed, never what is written in them."""

from typing import ClassVar, Literal

from safecity.events.store import Fact


class CaseChanged(Fact):
    """A case was opened, written to or closed; readers who may see it fetch it."""

    type: ClassVar[str] = "cases.case_changed"
    id: str
    version: int
    state: Literal["open", "closed"]
