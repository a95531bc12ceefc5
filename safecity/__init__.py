"""SafeCity: the software of a city's Safe City command-and-control centre."""

__version__ = "0.1.0"
