"""What the demo tells its virtual cameras: which mounts play which clip, and who may connect."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safecity.platform.errors import Invalid
from safecity.platform.files import write_whole

FILE = "virtual-mounts.json"


class MountSpec(BaseModel):
    """One virtual camera: its name in the address, its clip, and how far into the clip it starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    clip: Path
    phase_s: float


class VirtualSpec(BaseModel):
    """All virtual cameras with their credentials; on disk only for the owner."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mounts: tuple[MountSpec, ...]
    user: str
    password: str = Field(repr=False)
    token: str = Field(repr=False)


def write_spec(run_dir: Path, spec: VirtualSpec) -> bool:
    """Leave the mounts for the virtual process; tells whether they are others than before."""
    raw = spec.model_dump_json().encode()
    path = run_dir / FILE
    is_news = not path.exists() or path.read_bytes() != raw
    write_whole(path, raw, mode=0o600)
    return is_news


def read_spec(run_dir: Path) -> VirtualSpec:
    """The mounts; raises Invalid when the file is not there or not what it should be."""
    try:
        return VirtualSpec.model_validate_json((run_dir / FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise Invalid(f"{run_dir / FILE} is not readable: start the demo again", code="app.bad_mounts") from error
