"""Settings of what stands between the centre and its sites: links and cabinets."""

from ipaddress import IPv4Network
from pathlib import Path

from pydantic import Field

from safecity.platform.settings_base import Port, Slice


class LinksSettings(Slice):
    """Encrypted links to the sites (WireGuard)."""

    endpoint: str | None = Field(
        default=None,
        pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$",
        description="Address and port under which sites reach this centre, as 203.0.113.7:51820.",
    )
    interface: str = Field(
        default="safecity-hub", pattern=r"^[A-Za-z0-9_.-]{1,15}$", description="Name of the hub's network interface."
    )
    listen_port: Port = Field(default=51820, description="UDP port that the hub listens on.")
    tunnel_network: IPv4Network = Field(
        default=IPv4Network("10.77.0.0/16"), description="Addresses of the tunnels' ends: two for each site."
    )
    site_networks: IPv4Network = Field(
        default=IPv4Network("10.80.0.0/12"), description="Where sites get a /24 for their cameras from."
    )
    centre_networks: tuple[IPv4Network, ...] = Field(
        default=(), description="Networks of the centre that sites may reach, besides the hub itself."
    )
    keepalive_s: int = Field(
        default=25, ge=0, le=600, description="How often a site sends something, so that its router keeps the way open."
    )
    mtu: int = Field(default=1420, ge=1280, le=1500, description="Largest packet in a tunnel.")
    key_days: float = Field(default=180.0, gt=0, le=3650, description="Age of keys after which they should change.")
    check_every_s: float = Field(default=30.0, ge=5, le=3600, description="How often every link is measured.")


class CabinetsSettings(Slice):
    """Cabinets that tell of door, mains, battery and temperature over MQTT."""

    broker: str | None = Field(
        default=None, max_length=253, description="Host of the MQTT broker; unset: cabinets speak over HTTP only."
    )
    port: Port = Field(default=1883, description="Port of the broker; 8883 with TLS.")
    tls: bool = Field(default=False, description="Speak TLS; do so wherever the broker is on another machine.")
    ca_file: Path | None = Field(default=None, description="Certificate that signed the broker's; unset: the system's.")
    topic: str = Field(
        default="safecity",
        pattern=r"^[A-Za-z0-9_./-]{1,100}$",
        description="Cabinets publish to TOPIC/SITE/cabinet, SITE being the site's code.",
    )
