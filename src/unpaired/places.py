"""Where things are that outlive a run."""

import os
from pathlib import Path

# The repository's root, also for a stage in a temporary workspace of `dvc exp run`: all of them
# share one MLflow store and one cache.
ROOT = Path(os.environ.get("DVC_ROOT", ".")).resolve()
CACHE = ROOT / ".cache"
