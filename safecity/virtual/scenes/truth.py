"""Writes down what is true of a scene while it is drawn: tracks, crossings, stops, plates, events."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from safecity.virtual.scenes.camera import Camera
from safecity.virtual.scenes.model import (
    HEIGHT_PX,
    PLATE_MIN_HEIGHT_PX,
    STOP_MIN_S,
    STOP_SPEED_MPS,
    TRACK_MIN_HEIGHT_PX,
    TRACK_MIN_VISIBLE,
    TRUTH_VERSION,
    WIDTH_PX,
    Box,
    CrossingTruth,
    EventKind,
    EventTruth,
    LineTruth,
    PlateTruth,
    RoadUser,
    SceneTruth,
    StopTruth,
    TrackTruth,
    ZoneTruth,
    bottom_centre,
    crossing_direction,
)
from safecity.virtual.scenes.movers import MoverKey
from safecity.virtual.scenes.pixels import F64, U8
from safecity.virtual.scenes.plan import Mark
from safecity.virtual.scenes.scene import Frame, Scene
from safecity.virtual.scenes.stage import Drawn

Point = tuple[float, float]


@dataclass(slots=True, kw_only=True)
class Track:
    """What has been seen of one road user so far."""

    id: int
    key: MoverKey
    road_user: RoadUser
    plate: str | None
    colour: str
    boxes: list[Box] = field(default_factory=list[Box])
    standing: list[int] = field(default_factory=list[int])
    """Frames in which it stood."""
    plate_frames: list[int] = field(default_factory=list[int])
    best_plate: tuple[float, int, F64] | None = None
    """Height, frame, corners."""
    event: int | None = None


class TruthRecorder:
    """Observes the frames of a scene in order."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.request = scene.request
        self.tracks: dict[MoverKey, Track] = {}
        camera = scene.plan.camera
        self.lines = [LineTruth(name=mark.name, points=line_on_picture(mark, camera)) for mark in scene.plan.lines]
        self.zones = [ZoneTruth(name=mark.name, points=zone_on_picture(mark, camera)) for mark in scene.plan.zones]

    def observe(self, frame: Frame) -> None:
        """Take down one frame."""
        seen = np.asarray(cv2.calcHist([frame.owners], [0], None, [256], [0, 256])).ravel()
        for item in frame.drawn:
            box = box_of(item, frame.number, seen_px=int(seen[item.number]))
            if box is None:
                continue
            mover = item.posed.mover
            track = self.tracks.get(mover.key)
            if track is None:
                look = mover.look
                track = Track(
                    id=len(self.tracks) + 1,
                    key=mover.key,
                    road_user=look.kind,
                    plate=look.plate,
                    colour=look.colour_name,
                )
                self.tracks[mover.key] = track
            track.boxes.append(box)
            if mover.event is not None:
                track.event = mover.event
            if mover.speed_mps < STOP_SPEED_MPS and mover.look.kind != RoadUser.PERSON:
                track.standing.append(frame.number)
            self.observe_plate(track, item, frame=frame)

    def observe_plate(self, track: Track, item: Drawn, *, frame: Frame) -> None:
        """Note the largest plate that can be read now."""
        best: tuple[float, F64] | None = None
        for _, quad in item.plates:
            height = float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2
            if height >= PLATE_MIN_HEIGHT_PX and is_unhidden(quad, frame.owners, number=item.number):
                best = max(best or (0.0, quad), (height, quad), key=lambda found: found[0])
        if best is None:
            return
        track.plate_frames.append(frame.number)
        if track.best_plate is None or best[0] > track.best_plate[0]:
            track.best_plate = (best[0], frame.number, best[1].copy())

    def finish(self) -> SceneTruth:
        """All that was true of the scene."""
        tracks = [track for track in self.tracks.values() if any(box[5] >= TRACK_MIN_VISIBLE for box in track.boxes)]
        request = self.request
        layout, condition = request.layout, request.condition
        if layout is None or condition is None:
            raise AssertionError("a scene's request is settled")
        return SceneTruth(
            version=TRUTH_VERSION, seed=request.seed, layout=layout, condition=condition, fps=request.fps,
            frames=request.frames, width_px=WIDTH_PX, height_px=HEIGHT_PX,
            duration_s=round(request.frames / request.fps, 6), loop=request.loop,
            camera=self.scene.plan.camera.truth(), lines=tuple(self.lines), zones=tuple(self.zones),
            tracks=tuple(self.track_truth(track) for track in tracks),
            crossings=tuple(self.crossings(tracks)), stops=tuple(self.stops(tracks)),
            plates=tuple(plate_truth(track) for track in tracks if track.best_plate is not None),
            events=tuple(self.events(tracks)),
        )  # fmt: skip

    def successor(self, track: Track) -> Track | None:
        """In a loop: as which track this one goes on when the clip starts again."""
        kind, number, turn = track.key
        if not self.request.loop or not track.boxes or track.boxes[-1][0] != self.request.frames - 1:
            return None
        following = self.tracks.get((kind, number, turn - 1) if kind != "still" and kind != "parked" else track.key)
        if following is None or not following.boxes or following.boxes[0][0] != 0:
            return None
        return following if any(box[5] >= TRACK_MIN_VISIBLE for box in following.boxes) else None

    def track_truth(self, track: Track) -> TrackTruth:
        """The track as the file states it."""
        following = self.successor(track)
        return TrackTruth(
            id=track.id, road_user=track.road_user, plate=track.plate, colour=track.colour, boxes=tuple(track.boxes),
            next_in_loop=following.id if following is not None else None,
        )  # fmt: skip

    def crossings(self, tracks: list[Track]) -> list[CrossingTruth]:
        """Every step of a bottom centre over a line, in order of frames."""
        found: list[CrossingTruth] = []
        for track in tracks:
            steps = [(a, b, track) for a, b in zip(track.boxes, track.boxes[1:], strict=False) if b[0] == a[0] + 1]
            following = self.successor(track)
            if following is not None and following is not track:
                steps.append((track.boxes[-1], following.boxes[0], following))
            for before, after, owner in steps:
                for line in self.lines:
                    direction = crossing_direction(line.points, bottom_centre(before), after=bottom_centre(after))
                    if direction is not None:
                        found.append(
                            CrossingTruth(
                                line=line.name,
                                track=owner.id,
                                road_user=owner.road_user,
                                frame=after[0],
                                direction=direction,
                            )
                        )
        return sorted(found, key=lambda crossing: (crossing.frame, crossing.track, crossing.line))

    def stops(self, tracks: list[Track]) -> list[StopTruth]:
        """Every stop that lasted long enough, in order of frames."""
        found: list[StopTruth] = []
        least = STOP_MIN_S * self.request.fps
        for track in tracks:
            places = {box[0]: bottom_centre(box) for box in track.boxes}
            for first, last in unbroken(track.standing):
                if last - first + 1 >= least:
                    zone = self.zone_at(places[first])
                    found.append(StopTruth(track=track.id, from_frame=first, to_frame=last, zone=zone))
        return sorted(found, key=lambda stop: (stop.from_frame, stop.track))

    def zone_at(self, point: Point) -> str | None:
        """The first zone that holds a point."""
        return next((zone.name for zone in self.zones if is_inside(zone.points, point)), None)

    def events(self, tracks: list[Track]) -> list[EventTruth]:
        """When the planted events really happened."""
        found: list[EventTruth] = []
        restricted = self.scene.plan.restricted
        for track in tracks:
            number = track.event if track.event is not None else self.scene.wrong_way_event(track.key)
            if number is None:
                continue
            kind = self.request.events[number].kind
            zone = None
            frames = [box[0] for box in track.boxes]
            if kind == EventKind.STOPPED_VEHICLE:
                frames = max(unbroken(track.standing), key=lambda span: span[1] - span[0], default=None) or []
                places = {box[0]: bottom_centre(box) for box in track.boxes}
                zone = self.zone_at(places[frames[0]]) if frames else None
            elif kind == EventKind.ZONE_ENTRY and restricted is not None:
                zone = restricted.name
                points = next(z.points for z in self.zones if z.name == zone)
                frames = [box[0] for box in track.boxes if is_inside(points, bottom_centre(box))]
            if frames:
                found.append(
                    EventTruth(kind=kind, track=track.id, from_frame=frames[0], to_frame=frames[-1], zone=zone)
                )
        return sorted(found, key=lambda event: (event.from_frame, event.track))


def box_of(item: Drawn, number: int, *, seen_px: int) -> Box | None:
    """The item's box, cut at the picture's edge; None where it is too small to be labelled."""
    left, top, right, bottom = item.posed.bounds
    if bottom - top < TRACK_MIN_HEIGHT_PX or item.drawn_px == 0:
        return None
    x0, y0, x1, y1 = max(0.0, left), max(0.0, top), min(float(WIDTH_PX), right), min(float(HEIGHT_PX), bottom)
    width, height = round(x1 - x0, 1), round(y1 - y0, 1)
    if width < 2 or height < 2:
        return None
    within = (x1 - x0) * (y1 - y0) / ((right - left) * (bottom - top))
    visible = min(1.0, seen_px / item.drawn_px) * within
    return number, round(x0, 1), round(y0, 1), width, height, round(visible, 3)


def is_unhidden(quad: F64, owners: U8, *, number: int) -> bool:
    """Whether a plate lies wholly in the picture and shows at its middle and near its ends."""
    if quad.min() < 1 or quad[:, 0].max() > WIDTH_PX - 2 or quad[:, 1].max() > HEIGHT_PX - 2:
        return False
    middle = quad.mean(axis=0)
    for spot in (middle, *(0.75 * quad + 0.25 * middle)):
        if owners[int(spot[1]) // 2, int(spot[0]) // 2] != number:
            return False
    return True


def plate_truth(track: Track) -> PlateTruth:
    """The plate as the file states it."""
    if track.best_plate is None or track.plate is None:
        raise AssertionError("only tracks with a plate that was seen come here")
    height, frame, quad = track.best_plate
    return PlateTruth(
        track=track.id, text=track.plate, first_frame=track.plate_frames[0], last_frame=track.plate_frames[-1],
        best_frame=frame, best_height_px=round(height, 1),
        best_quad=tuple((round(float(x), 1), round(float(y), 1)) for x, y in quad),
    )  # fmt: skip


def unbroken(frames: list[int]) -> list[tuple[int, int]]:
    """First and last of each unbroken run of frame numbers."""
    runs: list[tuple[int, int]] = []
    for number in frames:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def is_inside(polygon: tuple[Point, ...], point: Point) -> bool:
    """Whether a point lies in a polygon (even-odd rule)."""
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            inside = not inside
    return inside


def line_on_picture(mark: Mark, camera: Camera) -> tuple[Point, Point]:
    """A ground line's two ends in pixels, cut at the picture's edge."""
    start, end = np.array(camera.pixel_of(*mark.outline[0])), np.array(camera.pixel_of(*mark.outline[1]))
    low, high = 0.0, 1.0
    for axis, limit in ((0, WIDTH_PX - 1.0), (1, HEIGHT_PX - 1.0)):
        step = float(end[axis] - start[axis])
        if abs(step) < 1e-9:
            continue
        shares = sorted(((0.0 - float(start[axis])) / step, (limit - float(start[axis])) / step))
        low, high = max(low, shares[0]), min(high, shares[1])
    cut = [start + share * (end - start) for share in (low, max(low, high))]
    return (rounded(cut[0]), rounded(cut[1]))


def zone_on_picture(mark: Mark, camera: Camera) -> tuple[Point, ...]:
    """A ground zone's outline in pixels, cut at the picture's edge."""
    outline = camera.project_polygon(np.array([(x, y, 0.0) for x, y in mark.outline]))
    points = [] if outline is None else [np.asarray(p, np.float64) for p in outline]
    for axis, limit, keep_below in (
        (0, 0.0, False),
        (0, WIDTH_PX - 1.0, True),
        (1, 0.0, False),
        (1, HEIGHT_PX - 1.0, True),
    ):
        points = cut_side(points, axis, limit=limit, keep_below=keep_below)
    return tuple(rounded(p) for p in points)


def cut_side(points: list[F64], axis: int, *, limit: float, keep_below: bool) -> list[F64]:
    """Cut a polygon at an upright or level line."""
    kept: list[F64] = []
    for here, following in zip(points, points[1:] + points[:1], strict=True):
        inside = (here[axis] <= limit) if keep_below else (here[axis] >= limit)
        inside_next = (following[axis] <= limit) if keep_below else (following[axis] >= limit)
        if inside:
            kept.append(here)
        if inside != inside_next:
            share = (limit - here[axis]) / (following[axis] - here[axis])
            kept.append(here + share * (following - here))
    return kept


def rounded(point: F64) -> Point:
    """A point to a tenth of a pixel."""
    return round(float(point[0]), 1), round(float(point[1]), 1)
