"""Tiny clips made on the spot, a city of virtual cameras in a thread, and readers that are not our own code."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import uvloop

from safecity.virtual.clips import ClipOptions
from safecity.virtual.control_client import VirtualControl
from safecity.virtual.mounts import MountName, MountPlan
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.running import RunningCity, serve
from safecity.virtual.serving import ServePlan

USER, PASSWORD = "viewer", 'p:ss"wörd'
START_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRecipe:
    """How an MP4 is made."""

    seconds: float = 2.0
    rate: int = 10
    width_px: int = 320
    height_px: int = 180
    codec: str = "libx264"
    b_frames: int = 0
    key_s: float = 1.0
    has_audio: bool = False
    has_uneven_timing: bool = False


def write_clip(path: Path, recipe: ClipRecipe) -> Path:
    """A clip whose every picture differs: a bright bar moves over a gradient."""
    key = max(1, round(recipe.key_s * recipe.rate))
    options = {"bf": str(recipe.b_frames), "g": str(key), "sc_threshold": "0"}
    if recipe.codec == "libx265":
        options = {"x265-params": f"keyint={key}:bframes={recipe.b_frames}:log-level=none", "preset": "ultrafast"}
    with av.open(str(path), "w") as out:
        stream = out.add_stream(recipe.codec, rate=recipe.rate, options=options)
        stream.width, stream.height, stream.pix_fmt = recipe.width_px, recipe.height_px, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        audio = out.add_stream("aac", rate=8000) if recipe.has_audio else None
        at_ms = 0
        for index in range(round(recipe.seconds * recipe.rate)):
            picture = np.tile(np.linspace(40, 120, recipe.width_px, dtype=np.uint8), (recipe.height_px, 1))
            left = (index * 7) % (recipe.width_px - 12)
            picture[:, left : left + 12] = 230
            rgb = np.ascontiguousarray(np.repeat(picture[:, :, None], 3, axis=2))
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
            out.mux(stream.encode(frame))
            at_ms += (1000 // recipe.rate) * (3 if recipe.has_uneven_timing and index % 5 == 4 else 1)
        out.mux(stream.encode(None))
        if audio:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
            silence.rate = 8000
            out.mux(audio.encode(silence))
            out.mux(audio.encode(None))
    return path


@pytest.fixture(scope="session")
def make_clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[ClipRecipe], Path]:
    """Write a clip once for each recipe."""
    folder = tmp_path_factory.mktemp("clips")
    made: dict[ClipRecipe, Path] = {}

    def make(recipe: ClipRecipe) -> Path:
        if recipe not in made:
            made[recipe] = write_clip(folder / f"clip{len(made)}.mp4", recipe)
        return made[recipe]

    return make


@pytest.fixture(scope="session")
def clip_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for prepared clips, so that each is prepared once in a run."""
    return tmp_path_factory.mktemp("cache")


class CityInThread:
    """A virtual city in its own event loop, as it runs in production; tests talk to it from outside."""

    def __init__(self, plan: ServePlan) -> None:
        self._plan = plan
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.running: RunningCity
        self.loop: asyncio.AbstractEventLoop
        self._task: asyncio.Task[None]
        self._thread.start()
        assert self._ready.wait(START_S)
        if self._failure:
            raise self._failure
        self.control = VirtualControl(self.running.control_port, self.running.control_token)

    def _run(self) -> None:
        async def main() -> None:
            self.loop = asyncio.get_running_loop()
            self._task = asyncio.create_task(serve(self._plan, on_ready=self._on_ready))
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._failure = self._task.exception()
            self._ready.set()

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    def _on_ready(self, running: RunningCity) -> None:
        self.running = running
        self._ready.set()

    def url(self, name: str = "cam-001", profile: str = "main", *, password: str = "p%3Ass%22w%C3%B6rd") -> str:
        return f"rtsp://{USER}:{password}@127.0.0.1:{self.running.rtsp_port}/{name}/{profile}"

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)
        assert not self._thread.is_alive()


StartCity = Callable[..., CityInThread]


@pytest.fixture(scope="module")
def start_city(
    clip_cache: Path, tmp_path_factory: pytest.TempPathFactory, make_clip: Callable[[ClipRecipe], Path]
) -> Iterator[StartCity]:
    """Start cities that end with the module; control files go to a folder of their own."""
    cities: list[CityInThread] = []
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))

    def start(
        clip: Path | None = None, *, mounts: int = 1, first_rtp: int | None = None, options: ClipOptions | None = None
    ) -> CityInThread:
        plan = ServePlan(
            mounts=tuple(
                MountPlan(
                    name=MountName(f"cam-{number + 1:03d}"),
                    clip=clip or make_clip(ClipRecipe()),
                    credentials=Credentials(user=USER, password=PASSWORD),
                    phase_s=number * 0.37,
                    first_rtp_timestamp=first_rtp,
                )
                for number in range(mounts)
            ),
            cache=clip_cache,
            clip_options=options or ClipOptions(),
        )
        cities.append(CityInThread(plan))
        return cities[-1]

    yield start
    for city in cities:
        city.stop()
    patch.undo()


def open_stream(url: str, transport: str = "tcp", *, timeout_s: float = 10.0) -> av.container.InputContainer:
    """FFmpeg's RTSP client, opened as SafeCity's recorder opens it."""
    options = {
        "rtsp_transport": transport,
        "analyzeduration": "0",
        "probesize": "32",
        "fpsprobesize": "0",
        "timeout": str(round(timeout_s * 1e6)),
    }
    return av.open(url, options=options, timeout=(timeout_s, timeout_s))


def wait_until(condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """Poll a fact that another thread brings about."""
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come about in time"
        time.sleep(0.02)
