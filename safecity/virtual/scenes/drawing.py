"""From a request to a folder with main.mp4, sub.mp4 and truth.json; several scenes in several processes."""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from threading import Thread

import cv2
import structlog

from safecity.platform.errors import Conflict, Internal, Invalid, Unavailable
from safecity.platform.files import sync_directory
from safecity.virtual.scenes.encoder import Encoder
from safecity.virtual.scenes.model import SceneRequest
from safecity.virtual.scenes.scene import Scene
from safecity.virtual.scenes.truth import TruthRecorder

log = structlog.get_logger()

REPORT_EACH = 10
"""Frames between two reports of progress."""
MAX_SCENES = 500
MAX_PROCESSES = 32
POLL_S = 0.2

Job = tuple[int, SceneRequest, Path]
FrameProgress = Callable[[int, int], None]
"""Called with frames done and frames in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFiles:
    """A finished scene's folder."""

    folder: Path

    @property
    def main(self) -> Path:
        """The picture at 1280x720."""
        return self.folder / "main.mp4"

    @property
    def sub(self) -> Path:
        """The picture at 640x360."""
        return self.folder / "sub.mp4"

    @property
    def truth(self) -> Path:
        """What is true of it."""
        return self.folder / "truth.json"

    @property
    def is_finished(self) -> bool:
        """Whether the folder holds a whole scene (a folder gets its name only when it does)."""
        return self.main.is_file() and self.sub.is_file() and self.truth.is_file()


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneProgress:
    """How far one of several scenes has come."""

    index: int
    frames_done: int
    frames: int
    is_reused: bool = False


def draw_scene(request: SceneRequest, out_dir: Path, *, progress: FrameProgress | None = None) -> SceneFiles:
    """Draw a scene into a folder that is new or empty.

    The folder appears whole: everything is written beside it first and renamed at the end, so that an interruption
    leaves nothing half. Raises Conflict where the folder holds something already.
    """
    out_dir = out_dir.absolute()
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise Conflict(
            f"{out_dir} is not empty; choose a new folder or empty it first", code="virtual.folder_not_empty"
        )
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    sweep_leftovers(out_dir)
    unfinished = out_dir.with_name(f".{out_dir.name}.{os.getpid()}.part")
    unfinished.mkdir()
    try:
        write_scene(request, unfinished, progress=progress)
        unfinished.replace(out_dir)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    sync_directory(out_dir.parent)
    return SceneFiles(folder=out_dir)


def write_scene(request: SceneRequest, folder: Path, *, progress: FrameProgress | None) -> None:
    """Draw, encode and take down the truth of a scene into an existing folder."""
    scene = Scene(request)
    recorder = TruthRecorder(scene)
    total = request.frames
    with Encoder(folder, request.fps) as encoder:
        for frame in scene.frames():
            encoder.add(frame.picture)
            recorder.observe(frame)
            done = frame.number + 1
            if progress is not None and (done % REPORT_EACH == 0 or done == total):
                progress(done, total)
    text = recorder.finish().model_dump_json(by_alias=True)
    (folder / "truth.json").write_text(text, encoding="utf-8")


def sweep_leftovers(out_dir: Path) -> None:
    """Remove what an earlier, killed drawing of the same folder left beside it."""
    for left in out_dir.parent.glob(f".{out_dir.name}.*.part"):
        writer = left.name.removesuffix(".part").rpartition(".")[2]
        if writer.isdigit() and not Path(f"/proc/{writer}").exists():
            shutil.rmtree(left, ignore_errors=True)


def draw_scenes(
    requests: Sequence[SceneRequest],
    out_root: Path,
    *,
    processes: int,
    progress: Callable[[SceneProgress], None] | None = None,
) -> list[SceneFiles]:
    """Draw several scenes at once, each into `out_root/<digest>`; those that are there already are taken as they are.

    Results stand in the order of the requests. `progress` is called in this process only. Raises Invalid for a count
    out of range, Unavailable where a drawing process died (for want of memory, usually).
    """
    if not 1 <= processes <= MAX_PROCESSES or len(requests) > MAX_SCENES:
        raise Invalid(
            f"ask for 1 to {MAX_PROCESSES} processes and at most {MAX_SCENES} scenes", code="virtual.too_many_scenes"
        )
    out_root.mkdir(parents=True, exist_ok=True)
    files = [SceneFiles(folder=out_root / request.digest()) for request in requests]
    missing: dict[Path, int] = {}
    for index, (request, target) in enumerate(zip(requests, files, strict=True)):
        if not target.is_finished:
            missing.setdefault(target.folder, index)
        elif progress is not None:
            progress(SceneProgress(index=index, frames_done=request.frames, frames=request.frames, is_reused=True))
    if missing:
        draw_missing(
            [(index, requests[index], folder) for folder, index in missing.items()],
            processes=processes,
            progress=progress,
        )
    return files


def draw_missing(jobs: list[Job], *, processes: int, progress: Callable[[SceneProgress], None] | None) -> None:
    """Draw scenes in worker processes and pass their progress on."""
    context = get_context("spawn")
    reports: Queue[SceneProgress] = context.Queue()
    workers = min(processes, len(jobs))
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=begin_worker, initargs=(reports,))
    try:
        pending: set[Future[None]] = {pool.submit(draw_in_worker, job) for job in jobs}
        while pending:
            done, pending = wait(pending, timeout=POLL_S, return_when=FIRST_COMPLETED)
            drain(reports, progress)
            for future in done:
                future.result()
        drain(reports, progress)
    except BrokenProcessPool as broken:
        raise Unavailable(
            "a process that draws scenes died, probably for want of memory; ask for fewer processes",
            code="virtual.drawing_died",
        ) from broken
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        reports.close()
    log.info("virtual.scenes_drawn", scenes=len(jobs), processes=workers)


def drain(reports: "Queue[SceneProgress]", progress: Callable[[SceneProgress], None] | None) -> None:
    """Hand on what the workers have reported."""
    while True:
        try:
            report = reports.get_nowait()
        except Empty:
            return
        if progress is not None:
            progress(report)


_reports: "Queue[SceneProgress] | None" = None
"""In a worker process: where it reports."""


def begin_worker(reports: "Queue[SceneProgress]") -> None:
    """Prepare a worker process: one scene keeps one core busy, no more."""
    global _reports
    _reports = reports
    cv2.setNumThreads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed told nobody; without this the scene would be drawn to its end for nobody."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def draw_in_worker(job: Job) -> None:
    """Draw one scene in a worker process."""
    index, request, folder = job
    queue = _reports
    if queue is None:
        raise Internal("a drawing process was not prepared", code="virtual.worker_unprepared")

    def report(done: int, total: int) -> None:
        queue.put(SceneProgress(index=index, frames_done=done, frames=total))

    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
    draw_scene(request, folder, progress=report)
