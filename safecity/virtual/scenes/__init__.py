"""Drawn scenes: streets seen from a pole, with exact truth. See README.md."""

from safecity.virtual.scenes.drawing import SceneFiles, SceneProgress, draw_scene, draw_scenes
from safecity.virtual.scenes.model import (
    Condition,
    Direction,
    EventKind,
    Layout,
    PlantedEvent,
    RoadUser,
    SceneRequest,
    SceneTruth,
)

__all__ = [
    "Condition",
    "Direction",
    "EventKind",
    "Layout",
    "PlantedEvent",
    "RoadUser",
    "SceneFiles",
    "SceneProgress",
    "SceneRequest",
    "SceneTruth",
    "draw_scene",
    "draw_scenes",
]
