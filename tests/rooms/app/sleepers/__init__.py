"""Roles for the supervisor tests."""
