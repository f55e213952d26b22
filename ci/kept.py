"""The state of a training in progress, on the DVC remote.

One is enough: retrainings do not overlap. A state that fits no more (other data, settings or code)
is under another key, which the training does not look at; the next one takes its place.
"""

import os
import tarfile
import tempfile
from pathlib import Path

from shared import remote

from unpaired.places import CACHE

STATES = CACHE / "resume"


class KeptState:
    def __init__(self) -> None:
        self._fs, folder = remote()
        self._place = self._fs.join(folder, "training.tar")
        self._kept: float = 0

    def bring_back(self) -> None:
        """Unpacks what is there into the cache."""
        if not self._fs.exists(self._place):
            return
        STATES.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            archive = Path(folder, "training.tar")
            self._fs.get_file(self._place, str(archive))
            with tarfile.open(archive) as file:
                file.extractall(STATES, filter="data")
        self._kept = self._newest()[0]
        print(f"a training's state is there: {_name(self._newest()[1])}", flush=True)

    def keep(self) -> None:
        """Uploads the newest checkpoint and what belongs to it, if there is a new one. A remote
        that fails costs this one upload, not the training."""
        time, checkpoint = self._newest()
        if time <= self._kept:
            return
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            archive = Path(folder, "training.tar")
            with tarfile.open(archive, "w") as file:
                file.add(checkpoint.parent, _name(checkpoint), filter=_finished)
            part = f"{self._place}.{os.getpid()}.part"
            try:
                self._fs.put_file(str(archive), part)
                self._fs.move(part, self._place)
            except Exception as error:  # each kind of remote has its own
                print(f"the state was not kept this time: {error}", flush=True)
                return
        self._kept = time
        print(f"state kept: {_name(checkpoint)}", flush=True)

    def forget(self) -> None:
        if self._fs.exists(self._place):
            self._fs.remove(self._place)

    def _newest(self) -> tuple[float, Path]:
        found = [(path.stat().st_mtime, path) for path in STATES.glob("*/*/checkpoint.pt")]
        return max(found, default=(0, Path()))


def _name(checkpoint: Path) -> str:
    """Trajectory and epochs."""
    return checkpoint.parent.relative_to(STATES).as_posix()


def _finished(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    name = Path(entry.name).name
    return None if name == "lock" or name.endswith(".part") else entry
