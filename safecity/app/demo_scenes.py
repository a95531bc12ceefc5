"""What the demo plays and what is watched there: streets or clips, a scene for each, and which camera plays which.

An operator must stay calm, so three cameras alert and the others count: the first camera that plays a watched street
(or a clip with rules beside it) carries its rules. The drawn streets stand still in their seeds, so places and times
below were chosen by looking at them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import av
from av.error import FFmpegError
from pydantic import Field, ValidationError

from safecity.analytics.scene import Corner, Rule, Scene, SceneLine, SceneZone, StoppedVehicle, WrongWay
from safecity.analytics.scenes_service import list_faults
from safecity.platform.errors import Invalid
from safecity.virtual.scenes import Condition, EventKind, Layout, PlantedEvent, SceneRequest, SceneTruth

SIDECAR = ".scene.json"
MAX_SIDECAR_BYTES = 256 * 1024
BETWEEN_CAMERAS_S = 7.3  # of one clip, so that they do not show the same moment
Place = Literal["gate", "junction", "road"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is watched on a street: its rule, the zones that the truth does not have, and when it first holds."""

    rule: Rule
    zones: tuple[SceneZone, ...]
    holds_at_s: float
    """Clip time at which the rule begins to hold."""
    first_after_s: float
    """So long after the cameras are switched on it shall hold for the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A street to draw, where in the city it belongs, and what is watched there."""

    request: SceneRequest
    place: Place
    watch: Watch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoClip:
    """A video to play, with the scene of its picture in pixels of that size."""

    path: Path
    duration_s: float
    width_px: int
    height_px: int
    scene: Scene
    place: Place | None = None
    """None: it may be played anywhere."""
    watch: Watch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A camera, what it plays from where on, and the scene that is stored for it."""

    code: str
    clip: DemoClip
    phase_s: float
    scene: Scene


def _zone(name: str, *points: Corner) -> SceneZone:
    return SceneZone(name=name, points=points)


GATE = Street(
    request=SceneRequest(
        seed=11, layout=Layout.GATE, condition=Condition.DAY, duration_s=64.0, loop=True,
        events=(PlantedEvent(kind=EventKind.WRONG_WAY, at_s=58.0),),
    ),
    place="gate",
    watch=Watch(
        rule=WrongWay(
            kind="wrong_way", name="wrong-way", title="Against the traffic at the gate",
            title_ur="گیٹ پر مخالف سمت سے آمد", priority=1, zone="way_out",
            arrow=((100.0, 600.0), (440.0, 240.0)),
        ),
        zones=(_zone("way_out", (0.0, 664.0), (208.0, 664.0), (490.0, 238.0), (375.0, 238.0), (0.0, 394.0)),),
        holds_at_s=41.0,
        first_after_s=14.0,
    ),
)  # fmt: skip
AVENUE = Street(
    request=SceneRequest(
        seed=13, layout=Layout.AVENUE, condition=Condition.DAY, duration_s=64.0, loop=True,
        events=(PlantedEvent(kind=EventKind.STOPPED_VEHICLE, at_s=12.0, for_s=24.0),),
    ),
    place="road",
    watch=Watch(
        rule=StoppedVehicle(
            kind="stopped_vehicle", name="no-stopping", title="Vehicle stopped where stopping is forbidden",
            title_ur="رکنا منع ہے: گاڑی سڑک پر کھڑی ہے", priority=2, zone="no_stopping", min_s=6.0,
        ),
        zones=(_zone("no_stopping", (440.0, 400.0), (760.0, 400.0), (960.0, 560.0), (500.0, 560.0)),),
        holds_at_s=55.8,
        first_after_s=53.8,
    ),
)  # fmt: skip
JUNCTION = Street(
    request=SceneRequest(seed=12, layout=Layout.JUNCTION, condition=Condition.DUSK, duration_s=64.0, loop=True),
    place="junction",
    watch=Watch(
        rule=StoppedVehicle(
            kind="stopped_vehicle", name="junction-box", title="Vehicle stands inside the junction",
            title_ur="چوک کے بیچ گاڑی کھڑی ہے", priority=3, zone="box", min_s=2.0,
        ),
        zones=(),
        holds_at_s=45.6,
        first_after_s=38.4,
    ),
)  # fmt: skip
STREETS = (
    GATE,
    JUNCTION,
    AVENUE,
    *(
        Street(
            request=SceneRequest(seed=seed, layout=layout, condition=condition, duration_s=32.0, loop=True),
            place="road",
        )
        for seed, layout, condition in (
            (14, Layout.MARKET, Condition.NIGHT),
            (15, Layout.AVENUE, Condition.RAIN),
            (16, Layout.JUNCTION, Condition.DUST),
        )
    ),
)


def street_clip(street: Street, main: Path) -> DemoClip:
    """A drawn street as something to play: lines and zones from its truth, rules from its watch."""
    truth = SceneTruth.model_validate_json(main.with_name("truth.json").read_bytes())
    zones = [SceneZone(name=zone.name, points=zone.points) for zone in truth.zones if len(zone.points) >= 3]
    scene = Scene(
        lines=tuple(SceneLine(name=line.name, points=line.points) for line in truth.lines),
        zones=(*zones, *(street.watch.zones if street.watch else ())),
        rules=(street.watch.rule,) if street.watch else (),
    )
    return DemoClip(
        path=main, duration_s=truth.duration_s, width_px=truth.width_px, height_px=truth.height_px, scene=scene,
        place=street.place, watch=street.watch,
    )  # fmt: skip


class _Sidecar(Scene):
    width_px: int | None = Field(default=None, ge=16, le=16_384)
    height_px: int | None = Field(default=None, ge=16, le=16_384)


def video_clip(path: Path) -> DemoClip:
    """A user's video with the scene beside it (NAME.scene.json), else with one counting line across its middle.

    Raises Invalid naming the file and the wrong key.
    """
    try:
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            width_px, height_px = video.width, video.height
            duration_s = float(container.duration or 0) / 1e6
    except (FFmpegError, IndexError) as error:
        raise Invalid(f"--clips: {path} is not a video that can be read", code="demo.bad_clip") from error
    beside = path.with_name(path.stem + SIDECAR)
    clip = DemoClip(
        path=path, duration_s=duration_s, width_px=width_px, height_px=height_px, scene=_middle(width_px, height_px)
    )
    return _with_sidecar(clip, beside) if beside.exists() else clip


def _middle(width_px: int, height_px: int) -> Scene:
    half = height_px / 2
    return Scene(lines=(SceneLine(name="middle", points=((0.0, half), (float(width_px), half))),))


def _with_sidecar(clip: DemoClip, beside: Path) -> DemoClip:
    try:
        raw = beside.read_bytes()
        if len(raw) > MAX_SIDECAR_BYTES:
            raise Invalid(f"{beside}: more than {MAX_SIDECAR_BYTES} bytes", code="demo.bad_scene")
        said = _Sidecar.model_validate_json(raw)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors()[:5])
        raise Invalid(f"{beside}: {wrong}", code="demo.bad_scene") from error
    scene = Scene(lines=said.lines, zones=said.zones, rules=said.rules)
    faults = list(list_faults(scene))
    if faults:
        raise Invalid(f"{beside}: rules: {'; '.join(faults)}", code="demo.bad_scene")
    return replace(
        clip, scene=scene, width_px=said.width_px or clip.width_px, height_px=said.height_px or clip.height_px
    )


def place_clips(cameras: Sequence[Mapping[str, object]], clips: Sequence[DemoClip]) -> list[Placed]:
    """What each camera of the city file plays; the properties of the cameras are handed in, in their order."""
    played: dict[Path, int] = {}
    turns: dict[Place | None, int] = {}
    placed: list[Placed] = []
    for properties in cameras:
        place = _place_of(properties) if any(clip.place for clip in clips) else None
        fitting = [clip for clip in clips if clip.place in (None, place)] or list(clips)
        clip = fitting[turns.get(place, 0) % len(fitting)]
        turns[place] = turns.get(place, 0) + 1
        number = played[clip.path] = played.get(clip.path, -1) + 1
        placed.append(_placed(str(properties["code"]), clip, number))
    return placed


def _placed(code: str, clip: DemoClip, number: int) -> Placed:
    first_s = clip.watch.holds_at_s - clip.watch.first_after_s if clip.watch is not None else 0.0
    phase_s = first_s + BETWEEN_CAMERAS_S * number
    if clip.duration_s > 0:
        phase_s %= clip.duration_s
    scene = clip.scene if number == 0 else clip.scene.model_copy(update={"rules": ()})
    return Placed(code=code, clip=clip, phase_s=round(phase_s, 3), scene=scene)


def _place_of(properties: Mapping[str, object]) -> Place:
    if properties.get("gate"):
        return "gate"
    return "junction" if "Chowk" in str(properties.get("name", "")) else "road"
