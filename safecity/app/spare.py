"""A process that has loaded a role's code and waits to be it: a recorder's return then costs no second of imports.

Run as `python -m safecity.app.spare PACKAGE.ROLE`; started by the supervisor, which writes one order (a JSON line) to
its standard input. The end of that input, the supervisor's death say, ends it.
"""

import importlib
import json
import os
import runpy
import sys
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a spare is told: its slot, its settings file, and the file its output goes to from now on."""

    slot: str
    settings: str
    output: str

    def to_line(self) -> bytes:
        """One line for the spare's standard input."""
        return json.dumps(asdict(self)).encode() + b"\n"


def main() -> None:
    """Load the role, wait for the order, become the process of its slot."""
    module = sys.argv[1]
    importlib.import_module(module)
    # The module is run once more as a program; all that it imports is here by now.
    del sys.modules[module]
    line = sys.stdin.buffer.readline()
    if not line:
        return
    order = Order(**json.loads(line))
    output = os.open(order.output, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.argv = [module, "--slot", order.slot, "--settings", order.settings]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
