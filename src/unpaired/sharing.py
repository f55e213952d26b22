"""Results for others, on the DVC remote."""

from dvc.exceptions import DvcException
from dvc.repo import Repo

from unpaired.errors import Problem


def push(stages: list[str]) -> int:
    """Pushes the results of these stages (of all, if none is named) and what lets another machine
    know that it need not make them.

    `dvc push --run-cache` leaves out what git keeps, the metrics, without which DVC takes a stage
    out of its run cache on the machine alone that ran it. Returns how many files were pushed.

    Raises:
        Problem: no remote, or it cannot be written.
    """
    try:
        with Repo() as repo:
            pushed = repo.push(stages or None, run_cache=True)
            mine = [s for s in repo.index.stages if not stages or s.addressing in stages]
            hashes = [out.hash_info for stage in mine for out in stage.outs if not out.use_cache]
            known = [one for one in hashes if one and repo.cache.local.exists(one.value)]
            return pushed + len(repo.cloud.push(known).transferred)
    except DvcException as error:
        raise Problem(f"not all was pushed: {' '.join(str(error).split())}") from None
