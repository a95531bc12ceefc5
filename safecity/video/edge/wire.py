"""What travels between an edge and the centre, checked at the border."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

MAX_PART_BYTES = 1024**2
MAX_FACTS = 1000
MAX_FACTS_BYTES = 256 * 1024
MAX_FACT_BYTES = 64 * 1024
MAX_WANTS = 200
MAX_FILE_BYTES = 4 * 1024**3

Us = Annotated[int, Field(ge=0, le=253_402_300_799_000_000)]
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(min_length=1, max_length=64)]
StreamName = Literal["main", "sub"]


class Message(BaseModel):
    """Base of all messages."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EnrolRequest(Message):
    """An edge's first word; the token is the proof."""

    token: Annotated[str, Field(max_length=200)]
    public_key: Hex32


class EnrolAnswer(Message):
    """Who it is from now on."""

    edge: Name
    site: Name


class OutboxStatus(Message):
    """How far the facts are."""

    epoch: Annotated[str, Field(max_length=36)]
    depth: Annotated[int, Field(ge=0)]


class BackfillStatus(Message):
    """What of the wants is still here."""

    left_s: Annotated[float, Field(ge=0)] = 0
    left_bytes: Annotated[int, Field(ge=0)] = 0
    sent_bytes: Annotated[int, Field(ge=0)] = 0
    eta_s: Annotated[float, Field(ge=0)] | None = None
    state: Literal["idle", "sending", "waits_for_live", "failed"] = "idle"


class LiveStatus(Message):
    """What is pushed."""

    is_connected: bool = False
    streams: Annotated[int, Field(ge=0)] = 0
    backlog_s: Annotated[float, Field(ge=0)] = 0
    skipped: Annotated[int, Field(ge=0)] = 0


class ExchangeRequest(Message):
    """What an edge says of itself every few seconds."""

    sent_us: Us
    offset_us: int | None
    """The centre's clock less its own, as it measured it last."""
    error_us: int | None
    registry: Annotated[str, Field(max_length=64)] | None
    outbox: OutboxStatus
    backfill: BackfillStatus
    live: LiveStatus


class WantView(Message):
    """An interval that the centre lacks, on its own line."""

    camera: Name
    stream: StreamName
    from_us: Us
    to_us: Us
    is_asked: bool


class PushView(Message):
    """A stream to push live."""

    camera: Name
    stream: StreamName


class Registry(Message):
    """The edge's site and its cameras with their sign-ins; rows of the registry's tables."""

    site: dict[str, JsonValue]
    cameras: list[dict[str, JsonValue]]


class ExchangeAnswer(Message):
    """What the centre says: its time, and what it wants."""

    now_us: Us
    digest: str
    registry: Registry | None
    push: list[PushView]
    wants: list[WantView]


class FactView(Message):
    """One fact of the outbox."""

    sequence: Annotated[int, Field(ge=1)]
    id: Annotated[str, Field(min_length=1, max_length=64)]
    source: Annotated[str, Field(max_length=100)]
    type: Annotated[str, Field(max_length=100)]
    time_us: Us
    subject: Annotated[str, Field(max_length=200)]
    data: JsonValue


class FactsRequest(Message):
    """A batch, in the order of the outbox."""

    epoch: Annotated[str, Field(min_length=8, max_length=36)]
    facts: Annotated[list[FactView], Field(max_length=MAX_FACTS)]


class FactsAnswer(Message):
    """Everything up to this number is committed."""

    acknowledged: int
    stated: int
    set_aside: int


class PartsAnswer(Message):
    """How much of a file is here; `is_whole`: it was taken over already."""

    has_bytes: int
    is_whole: bool


class ArrivalRequest(Message):
    """A file is here as a whole: whose it is, and how its time is brought onto the centre's line."""

    camera: Name
    stream: StreamName
    size_bytes: Annotated[int, Field(gt=0, le=MAX_FILE_BYTES)]
    shift_us: int
    shift_error_us: Annotated[int, Field(ge=0)]


class ArrivalAnswer(Message):
    """How many rows of the index it became; 0 where nothing of it was missing."""

    shown: int
