"""Who may see what for which purpose, and the log that says what was done."""
