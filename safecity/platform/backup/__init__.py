"""A backup of the database and the keys: one encrypted file, for SQLite and PostgreSQL alike."""
