"""The virtual city: cameras that are software, with faults on command, for the demo, the tests and the drills."""
