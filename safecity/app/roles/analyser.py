"""The analyser process: sub-streams in, facts out."""

import sys

from safecity.analytics.worker import run_analyser
from safecity.app.role import run_role

if __name__ == "__main__":
    sys.exit(run_role("analyser", run_analyser))
