"""Reads a scene that people wrote: lenient in how things are called, strict in what is not understood.

`type` may stand for `kind`, "wrong way" for `wrong_way`, up, down, left and right for the direction over a line or of
an arrow; names may be left away, and so may the line or zone where the scene has only one. An unknown key is an error
that names it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import ValidationError

from safecity.analytics.scene import Scene, SceneLine
from safecity.platform.errors import Invalid

MAX_SCENE_BYTES = 1_000_000
KINDS = ("line_crossing", "zone_entry", "stopped_vehicle", "wrong_way", "crowd")
KIND_WORDS = {
    "crossing": "line_crossing",
    "line": "line_crossing",
    "stopped": "stopped_vehicle",
    "wrongway": "wrong_way",
}
KEY_WORDS = {
    "type": "kind",
    "class": "classes",
    "min_seconds": "min_s",
    "seconds": "min_s",
    "max": "limit",
    "allowed": "direction",
    "allowed_direction": "direction",
}
IMAGE_WAYS = {"up": (0.0, -1.0), "down": (0.0, 1.0), "left": (-1.0, 0.0), "right": (1.0, 0.0)}
POINT_WORDS = ("points", "line", "polygon", "corners")

Fields = dict[str, object]


def read_scene(text: str | bytes) -> Scene:
    """A scene from JSON text; Invalid, with what to mend, where it is none."""
    if len(text) > MAX_SCENE_BYTES:
        raise _wrong(f"is larger than {MAX_SCENE_BYTES} bytes; a scene is a few lines")
    try:
        raw = cast(object, json.loads(text))
    except (ValueError, RecursionError) as error:
        raise _wrong(f"is not JSON: {error}") from error
    if not isinstance(raw, Mapping):
        raise _wrong('must be an object such as {"lines": [...], "zones": [...], "rules": [...]}')
    return scene_from(cast(Mapping[str, object], raw))


def scene_from(raw: Mapping[str, object]) -> Scene:
    """A scene from parsed JSON."""
    _check_keys("the scene", raw, ("lines", "zones", "rules"))
    lines = [_shape(item, "line", number) for number, item in enumerate(_items(raw, "lines"), 1)]
    zones = [_shape(item, "zone", number) for number, item in enumerate(_items(raw, "zones"), 1)]
    drawn = _build({"lines": lines, "zones": zones})
    rules = [_rule(item, drawn, number) for number, item in enumerate(_items(raw, "rules"), 1)]
    scene = _build({"lines": lines, "zones": zones, "rules": rules})
    check_scene(scene)
    return scene


def check_scene(scene: Scene) -> None:
    """Invalid where a rule names a line or zone that is not drawn, where two share a name, or a line has no length."""
    for word, names in (
        ("lines", [line.name for line in scene.lines]),
        ("zones", [zone.name for zone in scene.zones]),
        ("rules", [rule.name for rule in scene.rules]),
    ):
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise _wrong(f"has two {word} called {doubled[0]!r}; give each its own name")
    for line in scene.lines:
        if line.points[0] == line.points[1]:
            raise _wrong(f"has a line {line.name!r} whose two points are the same")
    for rule in scene.rules:
        for word, drawn in (("line", scene.lines), ("zone", scene.zones)):
            wanted = getattr(rule, word, None)
            if wanted is not None and all(shape.name != wanted for shape in drawn):
                names = ", ".join(shape.name for shape in drawn) or "none"
                raise _wrong(
                    f"has a rule {rule.name!r} on the {word} {wanted!r}, which is not drawn; there are: {names}"
                )
        if rule.kind == "wrong_way" and rule.line is None and rule.arrow is None:
            raise _wrong(f"has a rule {rule.name!r} without the right direction: give it a line, or an arrow")


def _build(fields: Fields) -> Scene:
    try:
        return Scene.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _wrong(f"is wrong at {where}: {first['msg']}") from error


def _items(raw: Mapping[str, object], key: str) -> Sequence[Mapping[str, object]]:
    items = raw.get(key) or []
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in cast(list[object], items)):
        raise _wrong(f"must have a list of objects at {key}")
    return cast(list[Mapping[str, object]], items)


def _shape(item: Mapping[str, object], word: str, number: int) -> Fields:
    _check_keys(f"{word} {number}", item, ("name", *POINT_WORDS))
    points = next((item[key] for key in POINT_WORDS if key in item), None)
    if points is None:
        raise _wrong(f"has no points at {word} {number}")
    return {"name": item.get("name") or f"{word} {number}", "points": points}


def _rule(item: Mapping[str, object], drawn: Scene, number: int) -> Fields:
    fields: Fields = {KEY_WORDS.get(key, key): value for key, value in item.items()}
    said = str(fields.get("kind") or "")
    kind = said.strip().lower().replace(" ", "_").replace("-", "_")
    kind = KIND_WORDS.get(kind, kind)
    if kind not in KINDS:
        raise _wrong(f"has a rule of an unknown kind {said!r} at rule {number}; there are: {', '.join(KINDS)}")
    fields["kind"] = kind
    fields["name"] = fields.get("name") or (said if number == 1 else f"{said} {number}")
    if isinstance(fields.get("classes"), str):
        fields["classes"] = [fields["classes"]]
    if fields.get("classes") is None:
        fields.pop("classes", None)
    _fill_place(fields, drawn)
    _turn_direction(fields, drawn)
    return fields


def _fill_place(fields: Fields, drawn: Scene) -> None:
    """Where a scene has only one line or zone, a rule means that one."""
    kind = fields["kind"]
    has_place = any(fields.get(key) for key in ("line", "zone", "arrow"))
    if kind in ("zone_entry", "crowd") and not has_place and len(drawn.zones) == 1:
        fields["zone"] = drawn.zones[0].name
    if kind in ("line_crossing", "wrong_way") and not has_place and len(drawn.lines) == 1:
        fields["line"] = drawn.lines[0].name


def _turn_direction(fields: Fields, drawn: Scene) -> None:
    """Directions on the picture become forward or backward over the line, or an arrow without one."""
    said = fields.get("direction")
    if said is None:
        fields.pop("direction", None)
        return
    word = str(said).strip().lower()
    fields["direction"] = {"any": "both", "forwards": "forward", "backwards": "backward"}.get(word, word)
    if word not in IMAGE_WAYS:
        return
    x, y = IMAGE_WAYS[word]
    line = next((line for line in drawn.lines if line.name == fields.get("line")), None)
    if line is not None:
        fields["direction"] = _over(line, (x, y), word)
    elif fields["kind"] == "wrong_way" and fields.get("line") is None:
        del fields["direction"]
        fields["arrow"] = ((0.0, 0.0), (100.0 * x, 100.0 * y))


def _over(line: SceneLine, way: tuple[float, float], word: str) -> str:
    (x1, y1), (x2, y2) = line.points
    across = (x2 - x1) * way[1] - (y2 - y1) * way[0]
    if across == 0:
        raise _wrong(f"has a rule with direction {word} on the line {line.name!r}, which runs that way itself")
    return "forward" if across > 0 else "backward"


def _check_keys(where: str, raw: Mapping[str, object], known: Sequence[str]) -> None:
    unknown = sorted(str(key) for key in raw if key not in known)
    if unknown:
        raise _wrong(f"has unknown keys at {where}: {', '.join(unknown)}; known are {', '.join(known)}")


def _wrong(what: str) -> Invalid:
    return Invalid(f"the scene {what}", code="analytics.bad_scene")
