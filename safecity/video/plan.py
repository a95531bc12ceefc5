"""What a city of some size needs, reckoned from measured figures; pure arithmetic, each figure with its formula.

The measured figures stand in docs/measurements.md, or come from the trial before the building; what nobody measured
is an assumption and is called one in the notes. Units are decimal: 1 TB = 10^12 bytes.
"""

import math
from dataclasses import dataclass
from typing import Final

from safecity.platform.errors import Invalid

# Measured (docs/measurements.md, "Recording"): the dearer end of three runs, 4 Mbit/s over RTSP/TCP, hashes and sync.
RECORD_CPU_S_A_MINUTE: Final = 0.48
RECORD_MEASURED_MBIT: Final = 4.0
RECORD_MB_A_CAMERA: Final = 7.0
# Measured on the running analyser (docs/measurements.md, "Looking"), on sub-streams of 640x360 at 15 a second; a
# detection's share is that of each turn it may take, with turns left out and parts of pictures reckoned in.
IDLE_CPU_S_A_MINUTE: Final = 0.27
ACTIVE_CPU_S_A_MINUTE: Final = 1.2
DETECTION_CPU_S: Final = 0.0115
ANALYSE_MB_A_CAMERA: Final = 5.7
VIEWER_CPU_SHARE: Final = 0.0006
# Measured: the table of segments with its indexes, filled with a day of 1,400 cameras (2.0 million rows, SQLite).
SEGMENT_ROW_BYTES: Final = 460
# Assumptions.
CAMERAS_A_RECORDER: Final = 100
SUB_MBIT: Final = 0.4
FORMAT_OVERHEAD: Final = 1.02
FILL: Final = 0.9
DISK_TB: Final = 20
DATA_DISKS, PARITY_DISKS = 10, 2
ACTIVE_SHARE: Final = 0.3
DETECTOR_FPS: Final = 2.0
CONSOLES, TILES = 40, 16
SERVER_CORES, SERVER_LOAD = 32, 0.6
SYNC_S: Final = 0.05

MAX_CAMERAS: Final = 100_000
MAX_MBIT: Final = 100.0
MAX_DAYS: Final = 3650.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """How much of what, and how it was reckoned."""

    key: str
    value: float
    unit: str
    formula: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CityPlan:
    """The plan of one city."""

    cameras: int
    mbit: float
    days: float
    lines: tuple[Figure, ...]
    notes: tuple[str, ...]


def plan_city(cameras: int, *, mbit: float, days: float, fragment_s: float = 1.0, segment_s: float = 60.0) -> CityPlan:
    """Reckon the needs of so many cameras of so many Mbit/s, kept for so many days; raises Invalid out of range."""
    if not (1 <= cameras <= MAX_CAMERAS and 0 < mbit <= MAX_MBIT and 0 < days <= MAX_DAYS):
        raise Invalid(
            f"a plan is for 1 to {MAX_CAMERAS} cameras, up to {MAX_MBIT:.0f} Mbit/s and up to {MAX_DAYS:.0f} days",
            code="plan.out_of_range",
        )
    storage = _storage(cameras, mbit=mbit, days=days)
    cores = _cores(cameras, mbit=mbit)
    disks = storage[-1].value  # of two copies
    return CityPlan(
        cameras=cameras,
        mbit=mbit,
        days=days,
        lines=(
            *storage,
            *_network(cameras, mbit=mbit),
            *cores,
            *_memory(cameras),
            *_database(cameras, days=days, segment_s=segment_s),
            *_power_loss(cameras, fragment_s=fragment_s),
            *_drivers(disks, cores=sum(one.value for one in cores if one.unit == "cores")),
        ),
        notes=NOTES,
    )


def _figure(key: str, value: float, *, unit: str, formula: str) -> Figure:
    return Figure(key=key, value=float(f"{value:.4g}") if value < 1e4 else round(value), unit=unit, formula=formula)


def _storage(cameras: int, *, mbit: float, days: float) -> list[Figure]:
    raw_tb = cameras * mbit / 8 * 86_400 * days / 1e6
    stored_tb = raw_tb * FORMAT_OVERHEAD
    groups = math.ceil(stored_tb / FILL / (DISK_TB * DATA_DISKS))
    group = DATA_DISKS + PARITY_DISKS
    return [
        _figure(
            "storage_raw", raw_tb, unit="TB", formula=f"{cameras} x {mbit:g} Mbit/s / 8 x 86 400 s x {days:g} days"
        ),
        _figure("storage_with_overhead", stored_tb, unit="TB", formula=f"raw x {FORMAT_OVERHEAD} (boxes, file system)"),
        _figure("storage_two_copies", 2 * stored_tb, unit="TB", formula="with overhead x 2 (second copy elsewhere)"),
        _figure(
            "disks_one_copy", groups * group, unit="disks",
            formula=f"with overhead / {FILL} full / ({DATA_DISKS} x {DISK_TB} TB), whole groups of "
            f"{DATA_DISKS} data + {PARITY_DISKS} parity disks",
        ),
        _figure("disks_two_copies", 2 * groups * group, unit="disks", formula="disks of one copy x 2"),
    ]  # fmt: skip


def _network(cameras: int, *, mbit: float) -> list[Figure]:
    arriving = cameras * (mbit + SUB_MBIT)
    return [
        _figure(
            "network_in", arriving / 1000, unit="Gbit/s", formula=f"{cameras} x ({mbit:g} main + {SUB_MBIT} sub) Mbit/s"
        ),
        _figure(
            "network_live_out", CONSOLES * (TILES * SUB_MBIT + mbit) / 1000, unit="Gbit/s",
            formula=f"{CONSOLES} consoles x ({TILES} tiles x {SUB_MBIT} + 1 large x {mbit:g}) Mbit/s",
        ),
        _figure(
            "write_bandwidth", cameras * mbit / 8 * FORMAT_OVERHEAD, unit="MB/s",
            formula=f"{cameras} x {mbit:g} / 8 x {FORMAT_OVERHEAD}, each copy",
        ),
    ]  # fmt: skip


def _cores(cameras: int, *, mbit: float) -> list[Figure]:
    scale = max(1.0, mbit / RECORD_MEASURED_MBIT)
    recording = cameras * RECORD_CPU_S_A_MINUTE * scale / 60
    active = ACTIVE_CPU_S_A_MINUTE + DETECTOR_FPS * 60 * DETECTION_CPU_S
    analysis = cameras * ((1 - ACTIVE_SHARE) * IDLE_CPU_S_A_MINUTE + ACTIVE_SHARE * active) / 60
    live = CONSOLES * (TILES + 1) * VIEWER_CPU_SHARE
    servers = math.ceil((recording + analysis + live) / (SERVER_CORES * SERVER_LOAD))
    return [
        _figure(
            "cores_recording", recording, unit="cores",
            formula=f"{cameras} x {RECORD_CPU_S_A_MINUTE} CPU-s a camera-minute x {scale:g} (bit rate) / 60",
        ),
        _figure(
            "recorder_processes", math.ceil(cameras / CAMERAS_A_RECORDER), unit="processes",
            formula=f"{cameras} / {CAMERAS_A_RECORDER}",
        ),
        _figure(
            "cores_analysis", analysis, unit="cores",
            formula=f"{cameras} x ({1 - ACTIVE_SHARE:g} x {IDLE_CPU_S_A_MINUTE} idle + {ACTIVE_SHARE} x ("
            f"{ACTIVE_CPU_S_A_MINUTE} motion + {DETECTOR_FPS:g} x 60 x {DETECTION_CPU_S} detections)) / 60",
        ),
        _figure(
            "cores_live", live, unit="cores",
            formula=f"{CONSOLES} x {TILES + 1} streams x {VIEWER_CPU_SHARE:.2%} of one",
        ),
        _figure(
            "servers", servers, unit="servers",
            formula=f"all cores / ({SERVER_CORES} cores x {SERVER_LOAD} load), one to spare not included",
        ),
    ]  # fmt: skip


def _memory(cameras: int) -> list[Figure]:
    mb = cameras * (RECORD_MB_A_CAMERA + ANALYSE_MB_A_CAMERA)
    formula = (
        f"{cameras} x ({RECORD_MB_A_CAMERA} recording + {ANALYSE_MB_A_CAMERA} analysis) MB, page cache not included"
    )
    return [_figure("memory", mb / 1000, unit="GB", formula=formula)]


def _database(cameras: int, *, days: float, segment_s: float) -> list[Figure]:
    rows = cameras * 86_400 / segment_s * days
    return [
        _figure(
            "database_rows", rows / 1e6, unit="million rows",
            formula=f"{cameras} x 86 400 s / {segment_s:g} s x {days:g} days",
        ),
        _figure("database", rows * SEGMENT_ROW_BYTES / 1e9, unit="GB", formula=f"rows x {SEGMENT_ROW_BYTES} bytes"),
    ]  # fmt: skip


def _power_loss(cameras: int, *, fragment_s: float) -> list[Figure]:
    bound_s = fragment_s + SYNC_S
    return [
        _figure(
            "power_loss_a_camera", bound_s, unit="s",
            formula=f"at most one fragment of {fragment_s:g} s + {SYNC_S} s to sync it",
        ),
        _figure("power_loss_total", cameras * bound_s, unit="camera-seconds", formula=f"{cameras} x that"),
    ]  # fmt: skip


def _drivers(disks: float, *, cores: float) -> list[Figure]:
    return [
        _figure("driver_disks_a_core", disks / cores, unit="x", formula="disks of two copies / all cores"),
        _figure("driver_half_bitrate", 0.5, unit="x", formula="disks and network at half the bit rate"),
        _figure("driver_one_copy", 0.5, unit="x", formula="disks without the second copy"),
        _figure("driver_double_days", 2.0, unit="x", formula="disks when kept twice as long"),
        _figure(
            "driver_detect_always", 1 / ACTIVE_SHARE, unit="x", formula=f"detections without the gate / {ACTIVE_SHARE}"
        ),
    ]


NOTES: Final = (
    "Recording cores and memory: docs/measurements.md, Recording (0.39 to 0.48 CPU-s a camera-minute at 4 Mbit/s with "
    "hashes and sync, two virtual cores, cameras on the same machine). Above 4 Mbit/s the cost is taken as "
    "proportional, which was not measured.",
    "Analysis cores: the trial before the building (640x360 sub-streams, ONNX detector on a processor); "
    f"that {ACTIVE_SHARE:.0%} of the cameras are active at once is an assumption.",
    f"Assumed, not measured: {SUB_MBIT} Mbit/s a sub-stream, {FORMAT_OVERHEAD - 1:.0%} overhead, disks of {DISK_TB} TB "
    f"filled to {FILL:.0%} in groups of {DATA_DISKS}+{PARITY_DISKS}, {CONSOLES} consoles, servers of {SERVER_CORES} "
    f"cores at {SERVER_LOAD:.0%} load.",
    f"Power loss: fdatasync was measured on one virtual disk alone; {SYNC_S} s is the limit at which `safecity doctor` "
    "calls a disk slow. Disks whose cache lies about syncing lose more.",
    "No GPU was measured, so none is planned: a GPU would take detections off the analysis cores and nothing else.",
    "No city of this size has been run: figures are extrapolated from 16 to 100 cameras. Spinning disks under this "
    "load, and a network between machines, were not measured.",
    "Cost drivers are ratios, because prices change: disks dominate, and they follow bit rate, days and copies one "
    "to one.",
)
