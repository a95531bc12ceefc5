"""Running a virtual city: for the command line, and for the role `virtual` of the running system."""

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop

from safecity.platform.errors import Invalid
from safecity.virtual.control import ControlServer
from safecity.virtual.control_files import remove_control_file, write_control_file
from safecity.virtual.mounts import MountName, MountPlan
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.serving import ServePlan, VirtualCity

STOP_POLL_S = 0.2
"""How soon a set stop event is noticed."""
PHASE_STEP_S = 1.37
"""How much further into its clip each camera begins; no multiple of a key interval."""


class RunningCity:
    """A city that is being served: what the ready callback is given."""

    def __init__(self, city: VirtualCity, *, control_port: int, control_token: str) -> None:
        self.city = city
        self.rtsp_port = city.rtsp_port
        self.control_port = control_port
        self.control_token = control_token


async def serve(
    plan: ServePlan,
    *,
    on_ready: Callable[[RunningCity], None],
    on_progress: Callable[[Path, float], None] | None = None,
    control_token: str | None = None,
) -> None:
    """Serve until cancelled; `on_ready` is called once, when every camera can be played.

    The control token goes into a file only this user can read, so that `safecity virtual fault` finds it.
    Raises Invalid for a clip that cannot be played, Unavailable for a port that cannot be opened.
    """
    city = VirtualCity(plan)
    token = control_token or secrets.token_urlsafe(24)
    control = ControlServer(city, token=token)
    port = 0
    try:
        port = await control.start(plan.control_port)
        write_control_file(port, token)
        await city.start(on_progress)
        on_ready(RunningCity(city, control_port=port, control_token=token))
        await asyncio.Event().wait()
    finally:
        if port:
            remove_control_file(port)
        await control.close()
        await city.close()


def run_city(
    plan: ServePlan,
    *,
    stop: threading.Event,
    on_ready: Callable[[RunningCity], None],
    on_progress: Callable[[Path, float], None] | None = None,
    control_token: str | None = None,
) -> None:
    """`serve` for a process of its own: returns after `stop` is set (by a signal handler, say). Raises as `serve`."""

    async def main() -> None:
        serving = asyncio.create_task(
            serve(plan, on_ready=on_ready, on_progress=on_progress, control_token=control_token)
        )
        while not stop.is_set() and not serving.done():
            await asyncio.wait([serving], timeout=STOP_POLL_S)
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def plan_mounts(count: int, clips: Sequence[Path], *, credentials: Credentials | None) -> tuple[MountPlan, ...]:
    """`cam-001` and so on over the clips in turn, each a little further into its clip. Raises Invalid without clips."""
    if not clips:
        raise Invalid("Give at least one clip with --clip.", code="virtual.no_clip")
    return tuple(
        MountPlan(
            name=MountName(f"cam-{number + 1:03d}"),
            clip=clips[number % len(clips)],
            credentials=credentials,
            phase_s=number * PHASE_STEP_S,
        )
        for number in range(count)
    )


def fresh_credentials(user: str = "viewer") -> Credentials:
    """A user with a password nobody has seen before."""
    return Credentials(user=user, password=secrets.token_urlsafe(12))
