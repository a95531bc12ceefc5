"""Sites, cameras, gates, zones and lines: what stands where in the city, and in which state it is known to be."""
