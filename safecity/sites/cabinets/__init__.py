"""Facts of the cabinets at the sites: door, mains, battery, temperature."""
