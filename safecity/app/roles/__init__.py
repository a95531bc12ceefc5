"""The processes of a running system, one module each."""
