"""Opening an ONNX model for one thread of one core, and saying in a sentence why it cannot be used."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as native  # pyright: ignore[reportAttributeAccessIssue]

from safecity.platform.errors import DataLoss, Internal, Invalid

F32: TypeAlias = NDArray[np.float32]
U8: TypeAlias = NDArray[np.uint8]

_ERRORS_ONLY = 3
# ONNX Runtime's errors have no common base.
_REFUSALS: Final[tuple[type[Exception], ...]] = (
    native.Fail,
    native.InvalidArgument,
    native.InvalidGraph,
    native.InvalidProtobuf,
    native.NoSuchFile,
    native.NotImplemented,
    native.RuntimeException,
    native.EPFail,
    native.NoModel,
)


class Node(Protocol):
    """What ONNX Runtime says of an input or output."""

    name: str
    shape: Sequence[int | str]
    type: str


class ModelSession:
    """A loaded model with one picture input; not safe to share between threads.

    One intra-op thread that does not spin: a core has many cameras, and batching was measured not to help on a CPU.
    """

    def __init__(self, path: Path) -> None:
        """Raises DataLoss for a file that is not a model, Invalid for a model with other inputs than a picture."""
        self.path = path
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except _REFUSALS as error:
            raise DataLoss(
                f"{path} is not a readable ONNX model; fetch it again with `safecity models pull`",
                code="models.unreadable",
            ) from error
        inputs: Sequence[Node] = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type != "tensor(float)":
            raise self.unexpected("one input of 1 x 3 x height x width floats")
        batch, channels, height, width = inputs[0].shape
        if channels != 3 or (isinstance(batch, int) and batch != 1):
            raise self.unexpected("one picture of three channels at a time")
        self._input_name = inputs[0].name
        self.input_px: tuple[int, int] | None = (
            (height, width) if isinstance(height, int) and isinstance(width, int) else None
        )
        self.outputs = len(self._session.get_outputs())

    def unexpected(self, wanted: str) -> Invalid:
        """The problem of a model that is built in another way than its family."""
        return Invalid(
            f"{self.path.name} is not built as its family is: expected {wanted}; choose another model "
            "(`safecity models list`)",
            code="models.wrong_shape",
        )

    def run(self, blob: F32) -> Sequence[F32]:
        """The outputs for one picture. Raises Internal when the model refuses a picture that it said it takes."""
        try:
            return [np.asarray(one) for one in self._session.run(None, {self._input_name: blob})]
        except _REFUSALS as error:
            raise Internal(
                f"the model {self.path.name} failed on a picture; choose another one", code="models.failed"
            ) from error

    def try_out(self, blob: F32, *, shapes: Sequence[tuple[int, ...]]) -> None:
        """Run once on nothing, so that a wrong model is found at its loading; raises Invalid."""
        try:
            found = [tuple(one.shape) for one in self.run(blob)]
        except Internal as problem:
            raise self.unexpected("that it runs on a picture of its own size") from problem
        if found != list(shapes):
            raise self.unexpected(f"outputs {list(shapes)}, found {found}")
