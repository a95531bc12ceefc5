"""What the places say of their objects."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object that is durable and was compared with what was sent."""

    size_bytes: int
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An object of a listing."""

    key: str
    size_bytes: int
