"""Encrypted links to the city's sites: WireGuard, a hub at the centre and one peer a site."""
