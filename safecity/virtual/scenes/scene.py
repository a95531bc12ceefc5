"""A whole scene, frame by frame: who is where, what the camera sees of it, what is true of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from safecity.virtual.scenes.backdrop import Backdrop, grow_trees, paint_backdrop
from safecity.virtual.scenes.glows import Glows
from safecity.virtual.scenes.layouts import plan_street
from safecity.virtual.scenes.looks import Look, Registry, Slot, schedule_vehicles, vehicle_slot
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX, Condition, EventKind, Layout, SceneRequest
from safecity.virtual.scenes.movers import Mover, MoverKey
from safecity.virtual.scenes.other_vehicles import build_shape
from safecity.virtual.scenes.pixels import U8, u8
from safecity.virtual.scenes.plan import Route, Segment
from safecity.virtual.scenes.posing import Posed
from safecity.virtual.scenes.shapes import Shape
from safecity.virtual.scenes.stage import Drawn, Stage
from safecity.virtual.scenes.traffic import Traffic
from safecity.virtual.scenes.walkers import People
from safecity.virtual.scenes.weather import Weather

SWAY_PERIOD_S = 4.0
MAX_DRAWN = 250
"""Owners are bytes: so many movers can be told apart in one frame."""
MAX_STANDING = 80
MAX_SHAPES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame: the finished picture and what was drawn on it."""

    number: int
    picture: U8
    """I420 (HEIGHT_PX * 3 / 2, WIDTH_PX); overwritten by the next frame."""
    drawn: tuple[Drawn, ...]
    owners: U8
    """(HEIGHT_PX / 2, WIDTH_PX / 2): number of the drawn mover that each pixel shows, 0 for none."""


class Scene:
    """The scene that a request asks for; `frames` draws it."""

    def __init__(self, request: SceneRequest) -> None:
        self.request = request.settled()
        layout, condition = self.request.layout or Layout.AVENUE, self.request.condition or Condition.DAY
        self.plan = plan_street(layout, request.seed)
        self.round_s = self.request.frames / self.request.fps if self.request.loop else None
        registry = Registry(np.random.default_rng([request.seed, 5]))
        self.add_wrong_way()
        until_s = self.request.duration_s + 1
        slots = schedule_vehicles(
            self.plan.routes, registry, from_s=0.0 if self.request.loop else -90.0,
            to_s=self.round_s or until_s, density=self.request.density,
        )  # fmt: skip
        slots += self.wrong_way_slots(registry, first=len(slots))
        self.people = People(
            self.plan, registry, round_s=self.round_s, until_s=until_s, density=self.request.density,
            events=self.request.events,
        )  # fmt: skip
        self.traffic = Traffic(
            self.plan, slots, self.people, self.request.fps, self.round_s, events=self.request.events
        )
        self.shapes: dict[Look, Shape] = {}
        self.backdrop, self.furniture, self.furniture_owners = self.furnish(registry, condition)
        self.stage = Stage(self.plan.camera, self.backdrop)
        self.glows = Glows(self.plan, self.backdrop)
        self.weather = Weather(condition, self.backdrop.light, seed=request.seed, frames=self.request.frames)

    def add_wrong_way(self) -> None:
        """Give the plan a route against the traffic where an event asks for one."""
        if self.plan.wrong_way is None or not any(e.kind == EventKind.WRONG_WAY for e in self.request.events):
            return
        segment = Segment(id="wrong_way", path=self.plan.wrong_way, speed_mps=7.0)
        self.plan.segments["wrong_way"] = segment
        self.plan.routes.append(Route(segments=("wrong_way",), per_minute=0.0, kinds={self.plan.wrong_way_kind: 1.0}))

    def wrong_way_slots(self, registry: Registry, *, first: int) -> list[Slot]:
        """The vehicles of planted wrong-way drives."""
        route = self.plan.routes[-1]
        planted = [(i, e) for i, e in enumerate(self.request.events) if e.kind == EventKind.WRONG_WAY]
        index = len(self.plan.routes) - 1
        slots = [
            vehicle_slot(
                registry, route, number=first + n, at_s=event.at_s, route_index=index, kind=self.plan.wrong_way_kind
            )
            for n, (_, event) in enumerate(planted)
        ]
        self.wrong_way_events = {slot.number: number for slot, (number, _) in zip(slots, planted, strict=True)}
        return slots

    def wrong_way_event(self, key: MoverKey) -> int | None:
        """The number of the planted wrong-way drive that a mover is, if it is one."""
        return self.wrong_way_events.get(key[1]) if key[0] == "drive" else None

    def furnish(self, registry: Registry, condition: Condition) -> tuple[Backdrop, tuple[Drawn, ...], U8]:
        """The backdrop with what stands all the time drawn into it once; its truth and its pixels' owners."""
        bare, trees = paint_backdrop(self.plan, condition, seed=self.request.seed)
        stage, glows = Stage(self.plan.camera, bare), Glows(self.plan, bare)
        still = [*self.park(registry), *self.people.still]
        posed = stage.posing.pose_all([(mover, self.shape_of(mover.look)) for mover in still])
        picture = bare.pictures[0]
        glows.cast_shadows(picture, posed)
        drawn: list[Drawn] = []
        for item in posed[:MAX_STANDING]:
            result = stage.draw(picture, item, number=len(drawn) + 1)
            if result is not None:
                drawn.append(result)
        owners = stage.owners.copy()
        for item in drawn:
            mine = cv2.resize(u8((owners == item.number) * 255), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_NEAREST)
            bare.depth[np.asarray(mine) > 0] = max(1, int(item.posed.depth_m * 100))
        return grow_trees(bare, trees), tuple(drawn), owners

    def park(self, registry: Registry) -> list[Mover]:
        """The vehicles that stand all the time."""
        return [
            Mover(
                key=("parked", i, 0),
                look=registry.look(p.kind, is_parked=True),
                x_m=p.x_m,
                y_m=p.y_m,
                heading=p.heading,
                speed_mps=0.0,
            )
            for i, p in enumerate(self.plan.parked)
        ]

    def shape_of(self, look: Look) -> Shape:
        """The look's shape, built once."""
        if look not in self.shapes:
            if len(self.shapes) >= MAX_SHAPES:
                self.shapes.clear()
            self.shapes[look] = build_shape(look)
        return self.shapes[look]

    def frames(self, count: int | None = None) -> Iterator[Frame]:
        """Draw the frames in order; more than the request's number go on past its end."""
        self.traffic.fill_street()
        frame = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
        picture = np.empty((HEIGHT_PX * 3 // 2, WIDTH_PX), np.uint8)
        for number in range(count if count is not None else self.request.frames):
            drawn = self.draw(frame, number)
            cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420, dst=picture)
            self.weather.apply(picture, number % self.request.frames)
            yield Frame(number=number, picture=picture, drawn=drawn, owners=self.stage.owners)
            self.traffic.step()

    def present(self) -> list[Mover]:
        """Everybody in the scene at this moment."""
        now = self.traffic.now_s
        return [*self.traffic.movers(), *self.people.movers(now)]

    def draw(self, frame: U8, number: int) -> tuple[Drawn, ...]:
        """Draw one frame in colour."""
        sways = (
            max(1, round(self.request.duration_s / SWAY_PERIOD_S))
            if self.request.loop
            else self.request.duration_s / SWAY_PERIOD_S
        )
        states = len(self.backdrop.pictures)
        state = round(number / self.request.frames * sways * states) % states
        np.copyto(frame, self.backdrop.pictures[state])
        posed = self.stage.posing.pose_all([(m, self.shape_of(m.look)) for m in self.present()])
        del posed[: -(MAX_DRAWN - len(self.furniture))]
        self.glows.throw_beams(frame, posed)
        self.glows.cast_shadows(frame, posed)
        np.copyto(self.stage.owners, self.furniture_owners)
        for head in self.plan.signals:
            self.glows.signal(frame, head, state=self.traffic.signal_state(head.phase))
        return self.draw_movers(frame, posed)

    def draw_movers(self, frame: U8, posed: list[Posed]) -> tuple[Drawn, ...]:
        """Draw everybody, farthest first, booms in their place among them."""
        booms = sorted(self.plan.barriers, key=lambda b: -b.y_m)
        drawn: list[Drawn] = list(self.furniture)
        for item in posed:
            while booms and self.depth_of(booms[0].x_m, booms[0].y_m) > item.depth_m:
                self.draw_boom(frame, booms.pop(0).segment)
            result = self.stage.draw(frame, item, number=len(drawn) + 1)
            if result is not None:
                drawn.append(result)
            self.glows.shine(frame, item)
        for boom in booms:
            self.draw_boom(frame, boom.segment)
        return tuple(drawn)

    def depth_of(self, x_m: float, y_m: float) -> float:
        """How far a ground point is along the camera's axis."""
        _, depth = self.plan.camera.project(np.array([[x_m, y_m, 0.0]]))
        return float(depth[0])

    def draw_boom(self, frame: U8, segment: str) -> None:
        """One boom as it stands now."""
        barrier = next(b for b in self.plan.barriers if b.segment == segment)
        self.glows.boom(frame, barrier, raised=self.traffic.booms[segment].raised)
