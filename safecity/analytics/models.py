"""Which detector models there are, where they come from, and which of them are installed.

A model is known by its SHA-256, never by its name alone: an ONNX file is a program, and one that nobody vouched for is
not run. All of them answer with the classes of COCO, of which SafeCity keeps the six of `CLASSES`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from safecity.platform.errors import Invalid, NotFound, Unavailable
from safecity.platform.settings import Settings

Family = Literal["yolox", "picodet", "fastestdet"]

# What is kept of COCO's 80 classes: its index and our word.
COCO_INDEX: Final[Mapping[str, int]] = {"person": 0, "bicycle": 1, "car": 2, "motorcycle": 3, "bus": 5, "truck": 7}
CLASSES: Final = tuple(COCO_INDEX)

MOTION = "motion"
AUTO = "auto"
MAX_FILES = 64  # of a models folder
MAX_MODEL_BYTES = 512 * 1024**2
_CHUNK_BYTES = 1024**2
_DEPTH = ("*.onnx", "*/*.onnx")

_YOLOX = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/"
_SEEN = "SHA-256 of the file that was tried here"
_TOLD = "SHA-256 as several independent projects pin the release's file; not tried here"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model file."""

    name: str
    family: Family
    url: str | None  # where `pull` gets exactly this file; None: it is brought with --from
    origin: str  # whose weights these are
    licence: str
    sha256: str | None  # None: not pinned, `pull` wants it said
    size_bytes: int | None
    input_px: tuple[int, int] | None  # height, width; None: follows the picture
    note: str

    @property
    def file_name(self) -> str:
        """What it is called in the models folder."""
        return f"{self.name}.onnx"


# In the order in which `auto` prefers them.
REGISTRY: Final[tuple[ModelSpec, ...]] = (
    ModelSpec(
        name="yolox-nano-dynamic",
        family="yolox",
        url=None,
        origin="Megvii YOLOX",
        licence="Apache-2.0",
        sha256="0fe143fbf9ef82e2645436decdb3d5927d2d8b863a79d9cfa63280d5a49d68f6",
        size_bytes=3_648_490,
        input_px=None,
        note=f"yolox-nano with its input size freed, weights untouched; 384x640 for a 16:9 picture; {_SEEN}",
    ),
    ModelSpec(
        name="yolox-nano",
        family="yolox",
        url="https://raw.githubusercontent.com/Kazuhito00/YOLOX-ONNX-TFLite-Sample/"
        "3d4f1119d0694200671c08069ecb847aa0d8495a/model/yolox_nano.onnx",
        origin="Megvii YOLOX, exported by Kazuhito00",
        licence="Apache-2.0",
        sha256="695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14",
        size_bytes=3_660_092,
        input_px=(416, 416),
        note=f"COCO AP 25.8; {_SEEN}",
    ),
    ModelSpec(
        name="yolox-nano-release",
        family="yolox",
        url=_YOLOX + "yolox_nano.onnx",
        origin="Megvii YOLOX, its own export",
        licence="Apache-2.0",
        sha256="c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d",
        size_bytes=3_659_407,
        input_px=(416, 416),
        note=f"COCO AP 25.8; {_TOLD}",
    ),
    ModelSpec(
        name="picodet-s-384x640",
        family="picodet",
        url=None,
        origin="PaddleDetection PP-PicoDet",
        licence="Apache-2.0",
        sha256="0139ed3e67ca2b95ea8d8e6fedc788d5ce10f719a0399e9a1dd40a9ded53fb4f",
        size_bytes=4_006_072,
        input_px=(384, 640),
        note=f"picodet-s with another input size, weights untouched; {_SEEN}",
    ),
    ModelSpec(
        name="picodet-s",
        family="picodet",
        url="https://raw.githubusercontent.com/hpc203/picodet-onnxruntime/"
        "dfe4d6cd0a18cd4126ee381e81df8a0b1e6ad97b/coco/picodet_s_416_coco.onnx",
        origin="PaddleDetection PP-PicoDet, carried by hpc203",
        licence="Apache-2.0",
        sha256="cdab77bdde16e4f76bec734c4e5791801d1739e4c7ec1995e0e110e04300d0c2",
        size_bytes=4_040_573,
        input_px=(416, 416),
        note=f"COCO AP 30.7; {_SEEN}",
    ),
    ModelSpec(
        name="fastestdet",
        family="fastestdet",
        url="https://raw.githubusercontent.com/dog-qiuqiu/FastestDet/"
        "50473cd155cb088aa4a99e64ff6a4b3c24fa07e1/example/onnx-runtime/FastestDet.onnx",
        origin="FastestDet, xuehao.ma",
        licence="BSD-3-Clause",
        sha256="31cb14c017fce347cb4c846ec62fdf00d76bb3beecdf4be21e7116ac67feb880",
        size_bytes=998_169,
        input_px=(352, 352),
        note=f"COCO AP50 25.3; fastest, and sees least; {_SEEN}",
    ),
    ModelSpec(
        name="yolox-tiny",
        family="yolox",
        url=_YOLOX + "yolox_tiny.onnx",
        origin="Megvii YOLOX, its own export",
        licence="Apache-2.0",
        sha256="427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7",
        size_bytes=20_219_662,
        input_px=(416, 416),
        note=f"COCO AP 32.8; about four times the cost of nano; never chosen by auto; {_TOLD}",
    ),
    ModelSpec(
        name="yolox-s",
        family="yolox",
        url=_YOLOX + "yolox_s.onnx",
        origin="Megvii YOLOX, its own export",
        licence="Apache-2.0",
        sha256="c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063",
        size_bytes=35_858_002,
        input_px=(640, 640),
        note=f"COCO AP 40.5; for a server with a GPU or few cameras; never chosen by auto; {_TOLD}",
    ),
)
AUTO_ORDER: Final = (
    "yolox-nano-dynamic",
    "yolox-nano",
    "yolox-nano-release",
    "picodet-s-384x640",
    "picodet-s",
    "fastestdet",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModel:
    """A known model and the file that it is in."""

    spec: ModelSpec
    path: Path


def get_spec(name: str, *, registry: Sequence[ModelSpec] = REGISTRY) -> ModelSpec:
    """The registry's entry; raises NotFound that lists the names."""
    found = next((one for one in registry if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in registry)
        raise NotFound(f"there is no model {name!r}; choose one of: {known}", code="models.unknown_name")
    return found


def find_spec_of(sha256: str) -> ModelSpec | None:
    """The registry's entry for a file with that hash."""
    return next((one for one in REGISTRY if one.sha256 == sha256), None)


def hash_file(path: Path) -> str:
    """SHA-256 of a file in hex; raises NotFound, or Unavailable where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFound(f"there is no model file {path}; see `safecity models list`", code="models.no_file") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}", code="models.unreadable") from error
    return digest.hexdigest()


def models_dir_of(settings: Settings) -> Path:
    """The folder of the models: the setting, or `models` of the data folder."""
    return settings.analytics.models_dir or settings.platform.data_dir / "models"


def list_files(folder: Path) -> list[Path]:
    """ONNX files of a folder and the folders in it, a bounded number."""
    found = sorted(path for pattern in _DEPTH for path in folder.glob(pattern) if path.is_file())
    return found[:MAX_FILES]


def find_model_file(folder: Path, spec: ModelSpec) -> Path | None:
    """The file with the model's very bytes, whatever it is called; the one with its name first."""
    if spec.sha256 is None:
        named = folder / spec.file_name
        return named if named.is_file() else None
    files = sorted(list_files(folder), key=lambda path: path.name != spec.file_name)
    for path in files:
        if spec.size_bytes in (None, path.stat().st_size) and hash_file(path) == spec.sha256:
            return path
    return None


def list_installed(folder: Path) -> list[InstalledModel]:
    """Every known model of a folder, verified by its hash, in the registry's order."""
    found = ((spec, find_model_file(folder, spec)) for spec in REGISTRY)
    return [InstalledModel(spec=spec, path=path) for spec, path in found if path is not None]


def find_auto(folder: Path) -> InstalledModel | None:
    """The model that `auto` takes: the first of AUTO_ORDER that is installed; None means motion alone."""
    for name in AUTO_ORDER:
        spec = get_spec(name)
        path = find_model_file(folder, spec)
        if path is not None:
            return InstalledModel(spec=spec, path=path)
    return None


def choose_model(wanted: str, folder: Path) -> InstalledModel | None:
    """The model for a setting: `auto`, `motion` (None), or a name. Raises NotFound, Invalid where it is not there."""
    if wanted == MOTION:
        return None
    if wanted == AUTO:
        return find_auto(folder)
    spec = get_spec(wanted)
    path = find_model_file(folder, spec)
    if path is None:
        raise Invalid(
            f"the model {wanted} is not installed in {folder}; run `safecity models pull {wanted}`, "
            "or set analytics.model to auto",
            code="models.not_installed",
        )
    return InstalledModel(spec=spec, path=path)
