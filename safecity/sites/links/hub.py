"""The hub's own interface: its configuration file, made and applied after every change."""

from pathlib import Path

from safecity.platform.errors import Denied, Unavailable
from safecity.platform.files import write_whole
from safecity.platform.settings import LinksSettings
from safecity.sites.links import interface
from safecity.sites.links.documents import HubPeer, hub_config
from safecity.sites.links.interface import Route
from safecity.sites.links.keys import load_or_make_private_key, public_key_of
from safecity.sites.links.model import KeyState, hub_address


class Hub:
    """The centre's end of all links. Its private key lies in DATA/secrets, readable by its owner alone."""

    def __init__(self, settings: LinksSettings, *, data_dir: Path) -> None:
        self._settings = settings
        self._key_path = data_dir / "secrets" / "link-hub.key"
        self.config_path = data_dir / "links" / "hub.conf"

    def public_key(self) -> str:
        """The hub's public key; the first call makes the private one."""
        return public_key_of(load_or_make_private_key(self._key_path))

    def write(self, peers: list[HubPeer]) -> None:
        """Write the configuration, whole or not at all, mode 0600."""
        private_key = load_or_make_private_key(self._key_path)
        text = hub_config(private_key=private_key, listen_port=self._settings.listen_port, peers=peers)
        self.config_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(self.config_path, text.encode(), mode=0o600)

    def apply(self, peers: list[HubPeer]) -> bool:
        """Give a running interface the configuration and its routes; False where there is none or we may not."""
        name = self._settings.interface
        if not interface.exists(name):
            return False
        try:
            interface.configure(name, self.config_path.read_text())
            for peer in peers:
                if peer.key.state is KeyState.ACTIVE:
                    interface.put_route(name, Route(network=peer.link.subnet))
        except Denied:
            return False
        return True

    def up(self, peers: list[HubPeer]) -> bool:
        """Make the interface and bring it up; returns whether sites are kept apart from each other.

        Raises Denied without the rights, Unavailable without WireGuard.
        """
        name = self._settings.interface
        if not interface.exists(name):
            interface.create(name)
        interface.configure(name, self.config_path.read_text())
        subnets = [peer.link.subnet for peer in peers if peer.key.state is KeyState.ACTIVE]
        routes = [Route(network=one) for one in (self._settings.tunnel_network, *subnets)]
        address = f"{hub_address(self._settings.tunnel_network)}/32"
        interface.bring_up(name, address=address, mtu=self._settings.mtu, routes=routes)
        try:
            return interface.keep_sites_apart(name)
        except Unavailable:
            return False
