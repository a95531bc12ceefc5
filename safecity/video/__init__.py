"""Ingest, segments and their time, recording, retention, live, playback and export of clips."""
