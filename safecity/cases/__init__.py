"""FIR cases: what an incident closes into, with its evidence."""
