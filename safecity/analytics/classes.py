"""Which classes belong together, and what size and shape alone can say."""

from collections.abc import Mapping

from safecity.analytics.boxes import Box

FOUR_WHEELS = frozenset({"car", "truck", "bus", "train", "rickshaw"})
TWO_WHEELS = frozenset({"motorcycle", "bicycle"})
VEHICLES = FOUR_WHEELS | TWO_WHEELS
ROAD_USERS = VEHICLES | {"person"}
"""What is followed; a detector's umbrellas and plants are not."""
RIDER_SHARE = 0.5
"""Of the votes; a rider is often seen as a person, and his motorcycle only on some pictures."""
SYNONYMS = {"motorbike": "motorcycle", "cycle": "bicycle", "pedestrian": "person", "van": "car", "lorry": "truck"}
VEHICLE_SEEN_MOVING = "vehicle?"
PERSON_SEEN_MOVING = "person?"
UPRIGHT = 1.4
"""Height over width from which a small moving blob is more likely a person or rider than a car."""
PERSON_WIDTH_SHARE = 0.08


def plain(name: str) -> str:
    """The class name as we write it."""
    lowered = name.strip().lower()
    return SYNONYMS.get(lowered, lowered)


def is_vehicle(object_class: str) -> bool:
    """Whether it is any vehicle, also one only seen moving."""
    return object_class.rstrip("?") in VEHICLES or object_class == VEHICLE_SEEN_MOVING


def class_from_shape(box: Box, *, width_px: float) -> str:
    """An honest guess from size and shape alone: with a question mark."""
    is_person = box.h_px > UPRIGHT * box.w_px and box.w_px < PERSON_WIDTH_SHARE * width_px
    return PERSON_SEEN_MOVING if is_person else VEHICLE_SEEN_MOVING


def class_by_vote(votes: Mapping[str, float]) -> str | None:
    """The class with most weight; two wheels win over the person who rides them. None without a vote."""
    if not votes:
        return None
    best = max(votes, key=lambda name: votes[name])
    if best == "person":
        wheels = max(TWO_WHEELS, key=lambda name: votes.get(name, 0.0))
        if votes.get(wheels, 0.0) >= RIDER_SHARE * votes["person"]:
            return wheels
    return best


def matches(object_class: str, wanted: tuple[str, ...]) -> bool:
    """Whether a rule's list of classes covers it: empty means any, `vehicle` every kind of vehicle.

    A class only seen moving (`vehicle?`) satisfies `vehicle` and every kind of vehicle, for nothing better is known.
    """
    if not wanted:
        return True
    if object_class == VEHICLE_SEEN_MOVING:
        return any(name.rstrip("?") == "vehicle" or plain(name) in VEHICLES for name in wanted)
    bare = object_class.rstrip("?")
    names = {plain(name).rstrip("?") for name in wanted}
    return bare in names or ("vehicle" in names and bare in VEHICLES)
