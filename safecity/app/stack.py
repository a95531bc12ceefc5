"""What `safecity demo` and `safecity run` share: one machine's roles under one supervisor."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from safecity.app.slots import SlotLock
from safecity.app.supervisor import SUPERVISOR, RoleSpec, Supervisor
from safecity.platform.errors import Invalid
from safecity.platform.files import write_whole
from safecity.platform.logs import configure_logging
from safecity.platform.settings import Settings

TICK_S = 1.0


def role_specs(settings: Settings) -> list[RoleSpec]:
    """The processes of one machine, in the order in which they start: the page first, so that it can tell the rest."""
    virtual = [RoleSpec(role="virtual", slot="virtual")] if settings.virtual.enabled else []
    intake = [RoleSpec(role="intake", slot="intake")] if settings.intake.enabled else []
    recorders = [
        RoleSpec(role="recorder", slot=f"recorder-{n + 1}", has_nursery=True) for n in range(settings.video.recorders)
    ]
    analysers = [RoleSpec(role="analyser", slot=f"analyser-{n + 1}") for n in range(settings.analytics.analysers)]
    keeper = RoleSpec(role="keeper", slot="keeper")
    if settings.edge.centre is not None:
        seeing = [RoleSpec(role="analyser", slot=f"analyser-{n + 1}") for n in range(settings.edge.analysers)]
        return [*recorders, keeper, RoleSpec(role="edge", slot="edge"), *seeing]
    others = [RoleSpec(role=role, slot=role) for role in ("web", "gateway")]
    field = [RoleSpec(role="field", slot="field")] if settings.virtual.enabled else []
    keepers = [
        RoleSpec(role=role, slot=role) for role in ("keeper", "copier") if role == "keeper" or settings.video.copies
    ]
    return [*others, *intake, *virtual, *recorders, *keepers, *analysers, *field]


def check_addresses(settings: Settings) -> None:
    """Raise Invalid where browsers could not use the page: bound to other addresses, it must know its own."""
    is_loopback = settings.web.host in {"127.0.0.1", "::1", "localhost"}
    if not is_loopback and not (settings.web.public_url and settings.web.gateway_url):
        raise Invalid(
            f"web.host is {settings.web.host}: set web.public_url and web.gateway_url too, the addresses under "
            "which browsers reach the page and the gateway",
            code="settings.no_public_url",
        )


def prepare_data_dir(settings: Settings) -> None:
    """Make the data folder for its owner alone: pictures, passwords' hashes and who looked at what lie there.

    A folder that others may read is closed to them if it is ours already; one that holds anything else is left alone.
    """
    folder = settings.platform.data_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.stat()
    if found.st_uid == os.getuid() and found.st_mode & 0o077 and (folder / "run").is_dir():
        folder.chmod(0o700)


def write_settings(settings: Settings) -> Path:
    """The settings as the roles read them; owner only, because a database URL may hold a password."""
    path = settings.platform.data_dir.absolute() / "run" / "settings.json"
    write_whole(path, settings.model_dump_json(indent=1).encode(), mode=0o600)
    return path


def lock_supervisor(settings: Settings) -> SlotLock:
    """Make sure that one supervisor works on this data folder; raises Conflict at once when another does."""
    run_dir = settings.platform.data_dir.absolute() / "run"
    lock = SlotLock(run_dir, SUPERVISOR, role=SUPERVISOR, fingerprint="")
    lock.acquire(wait_s=0.0)
    return lock


def make_supervisor(settings: Settings) -> Supervisor:
    """A supervisor for these settings that stops on SIGINT and SIGTERM; its log goes beside those of its processes."""
    data_dir = settings.platform.data_dir.absolute()
    (data_dir / "logs").mkdir(parents=True, exist_ok=True)
    # Held open to the end of the process, which ends with the supervisor.
    output = (data_dir / "logs" / "supervisor.log").open("a", buffering=1, encoding="utf-8")
    configure_logging(level=settings.platform.log_level, role="supervisor", stream=output)
    supervisor = Supervisor(role_specs(settings), settings_file=write_settings(settings), data_dir=data_dir)

    def on_signal(_: int, __: FrameType | None) -> None:
        supervisor.request_stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    return supervisor


def run_stack(supervisor: Supervisor, *, tick: Callable[[], None], begin: Callable[[], None] | None = None) -> None:
    """Run until told to stop, then end every process; `begin` is done first, beside the processes that start."""
    try:
        if begin is not None:
            threading.Thread(target=begin, name="begin").start()
        supervisor.watch(every_s=TICK_S, tick=tick)
    finally:
        supervisor.stop()
