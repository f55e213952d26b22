#!/usr/bin/env python3
"""Makes the sets anew if the change touches them, and says what else has to be made.

Outputs: `commit` (what this run starts from), `branch` (where its results go), and whether there
is something to `train`, to `evaluate`, or `changed` at all.
"""

import os

from shared import dvc, main, output, tell

from unpaired.sharing import push

DATA = ["search", "fetch", "clean", "split"]


def data() -> None:
    # Unpulled, these folders would be empty ones, and the stages would believe it.
    dvc("pull", "-q", "-R", "data/added", "weights")
    lost = absent()
    # Without its data, a stage that did not change is skipped, unless nobody has that data.
    dvc("repro", "--pull", *([] if lost & {*DATA} else ["--allow-missing"]), "split")
    push(DATA)
    stale = planned() | lost - {*DATA}
    tell("commit", output("git", "rev-parse", "HEAD"))
    number = os.environ["GITHUB_RUN_NUMBER"]
    tell("branch", f"retrain/{number}" if os.environ.get("OVERRIDES", "").strip() else "main")
    tell("changed", bool(stale or output("git", "status", "--porcelain")))
    tell("train", "train" in stale)
    tell("evaluate", bool(stale))


def absent() -> set[str]:
    """Stages whose results dvc.lock names and the remote does not have."""
    from dvc.repo import Repo

    with Repo() as repo:
        remote = repo.cloud.get_remote_odb()
        return {
            stage.addressing
            for stage in repo.index.stages
            for out in stage.outs
            # A folder's list is written after its files: where it is, they are.
            if out.use_cache and out.hash_info and not remote.exists(out.hash_info.value)
        }


def planned() -> set[str]:
    """Stages that changed; what is missing here alone does not count. (`dvc repro --dry` fails on a
    stage that never ran.)"""
    from dvc.repo import Repo

    with Repo() as repo, repo.lock:
        graph = repo.index.graph
        return {
            stage.addressing
            for stage in repo.index.stages
            if stage.changed(allow_missing=True, upstream=[*graph.successors(stage)])
        }


if __name__ == "__main__":
    main(data)
