"""Units, who is nearest, who is sent."""
