"""Detectors: a model file behind the small contract of `safecity.analytics.boxes.Detector`.

An ONNX file is a program, so one that the registry does not know by its SHA-256 is not run unless somebody says of
which family it is, and thereby that they trust it.
"""

from pathlib import Path

from safecity.analytics.boxes import Detector
from safecity.analytics.detectors.fastestdet import FastestdetDetector
from safecity.analytics.detectors.picodet import PicodetDetector
from safecity.analytics.detectors.session import ModelSession
from safecity.analytics.detectors.yolox import YoloxDetector
from safecity.analytics.models import Family, choose_model, find_spec_of, hash_file
from safecity.platform.errors import Denied

__all__ = ["find_detector", "load_detector"]

_ADAPTERS = {"yolox": YoloxDetector, "picodet": PicodetDetector, "fastestdet": FastestdetDetector}


def load_detector(path: Path, *, trusted_as: Family | None = None) -> Detector:
    """A detector from a model file; `trusted_as` names the family of a file that the registry does not know.

    Raises NotFound, Denied for an unknown file, DataLoss for one that is no model, Invalid for one built otherwise.
    """
    sha256 = hash_file(path)
    spec = find_spec_of(sha256)
    if spec is None and trusted_as is None:
        raise Denied(
            f"{path} is no model that SafeCity knows (SHA-256 {sha256}): see `safecity models list`, "
            "fetch it again if it should be one of them, or say of which family it is if you trust it",
            code="models.unknown_file",
        )
    family = trusted_as if spec is None else spec.family
    assert family is not None
    return _ADAPTERS[family](ModelSession(path), name=path.stem if spec is None else spec.name)


def find_detector(wanted: str, models_dir: Path) -> Detector | None:
    """The detector for the setting `analytics.model`: `auto`, a name, or `motion`, which has none."""
    chosen = choose_model(wanted, models_dir)
    return None if chosen is None else load_detector(chosen.path)
