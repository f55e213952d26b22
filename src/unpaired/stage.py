"""What every script in stages/ shares: checked parameters, one-line errors, its time kept."""

import json
import sys
import time
from collections.abc import Callable, Mapping

import psutil

from unpaired import params
from unpaired.errors import Problem
from unpaired.places import CACHE
from unpaired.store import write_text

TIMES = CACHE / "times"


def run(body: Callable[[params.Params], None]) -> None:
    """Runs a stage on params.yaml. What the user can mend, a file that cannot be read or written
    included, ends the process with one line and exit code 1."""
    try:
        body(params.load())
    except (Problem, OSError) as error:
        sys.exit(f"error in {body.__name__}: {error}")
    except KeyboardInterrupt as interruption:
        sys.exit(f"{body.__name__}: {str(interruption) or 'interrupted'}")
    seconds = time.time() - psutil.Process().create_time()
    TIMES.mkdir(parents=True, exist_ok=True)
    (TIMES / f"{body.__name__}.json").write_text(json.dumps({"seconds": round(seconds, 1)}))


def write_figures(path: str, figures: Mapping) -> None:
    """JSON that `dvc metrics` shows, atomically."""
    write_text(path, json.dumps(figures, indent=2) + "\n")
