"""The settings of an edge, and of the centre's intake that edges reach."""

from pathlib import Path

from pydantic import Field

from safecity.platform.settings_base import Port, Slice


class IntakeSettings(Slice):
    """Where edges reach the centre; a process of its own, on an address of its own."""

    enabled: bool = Field(default=False, description="Run the intake: edges of sites may enrol and send here.")
    host: str = Field(
        default="127.0.0.1", description="Address it binds to: the centre's in the tunnels, or one that TLS stands on."
    )
    port: Port = Field(default=8010, description="Its port.")
    tls_cert: Path | None = Field(default=None, description="Certificate chain (PEM); with it the intake speaks TLS.")
    tls_key: Path | None = Field(default=None, description="Private key of that certificate (PEM).")
    lookback_days: float = Field(
        default=7.0, gt=0, le=365, description="How far back edges are asked for what the centre has not recorded."
    )


class EdgeSettings(Slice):
    """Set on an edge: which centre it belongs to, and what it may use of the link."""

    centre: str | None = Field(
        default=None, description="Address of the centre's intake; set by `safecity edge`, unset anywhere else."
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) that the centre's must be signed by; unset: the system's."
    )
    backfill_mbit: float = Field(
        default=20.0, gt=0, le=10_000, description="Most Mbit/s that back-fill may use; live pictures go first."
    )
    exchange_s: float = Field(default=2.0, ge=0.2, le=60, description="Time between two exchanges with the centre.")
    analysers: int = Field(
        default=0, ge=0, le=16, description="Analyser processes on the edge; the centre has its own."
    )
