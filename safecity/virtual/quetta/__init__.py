"""The ready-made virtual Quetta: 225 sites and 1,400 cameras on an invented road net, as a SafeCity city file."""

from safecity.virtual.quetta.city import read_quetta, virtual_quetta

__all__ = ["read_quetta", "virtual_quetta"]
