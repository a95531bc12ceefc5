"""Programs for those who build SafeCity."""
