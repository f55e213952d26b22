"""The state of a training in progress, on the DVC remote.

One is enough: retrainings do not overlap. A state that fits no more (other data, settings or code)
is under another key, which the training does not look at; the next one takes its place.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

from shared import remote

from unpaired.places import CACHE

STATES = CACHE / "resume"


class KeptState:
    def __init__(self) -> None:
        self._fs, folder = remote()
        self._place = self._fs.join(folder, "training.zip")
        self._kept: float = 0

    def bring_back(self) -> None:
        """Unpacks what is there into the cache."""
        if not self._fs.exists(self._place):
            return
        STATES.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            archive = Path(folder, "training.zip")
            self._fs.get_file(self._place, str(archive))
            with ZipFile(archive) as file:
                file.extractall(STATES)  # which keeps whatever name there is below it
        self._kept = self._newest()[0]
        print(f"a training's state is there: {_name(self._newest()[1])}", flush=True)

    def keep(self) -> None:
        """Uploads the newest checkpoint and what belongs to it, if there is a new one. A remote
        that fails costs this one upload, not the training."""
        time, checkpoint = self._newest()
        if time <= self._kept:
            return
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            archive = Path(folder, "training.zip")
            with ZipFile(archive, "w") as file:
                for path in filter(_finished, sorted(checkpoint.parent.rglob("*"))):
                    with suppress(FileNotFoundError):  # what waited for MLflow has been sent
                        file.write(path, path.relative_to(STATES))
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


def _finished(path: Path) -> bool:
    return path.is_file() and path.name != "lock" and path.suffix != ".part"
