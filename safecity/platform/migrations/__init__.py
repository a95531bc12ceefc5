"""Schema migrations, one linear chain."""
