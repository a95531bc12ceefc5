"""Cameras asked by ONVIF: found, described, enrolled, turned, listened to, and their cards read."""
