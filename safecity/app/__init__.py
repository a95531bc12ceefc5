"""Wiring and the command line: turns settings into a running system."""
