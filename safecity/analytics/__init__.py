"""From packets to detections, tracks and the rules of a scene."""
