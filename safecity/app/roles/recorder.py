"""The recorder process: about 100 cameras from RTSP to disk."""

import sys

from safecity.app.role import run_role
from safecity.video.recorder_process import run_recorder

if __name__ == "__main__":
    sys.exit(run_role("recorder", run_recorder))
