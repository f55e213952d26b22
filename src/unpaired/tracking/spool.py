"""What MLflow is to know of a training, kept in a folder until it is sent.

| file | |
|---|---|
| `journal.jsonl` | what is to be told, in order: a line each, only ever appended |
| `sent.json` | the run's id and how far the journal has been sent; written by who holds the lock |
| `samples/STEP/`, `checkpoints/STEP/` | files that wait; deleted once they are sent |
| `lock` | held by who sends: the trainer while it lives, else `unpaired sync` |

So the disk is the queue: a training waits for nobody, nothing of it grows in memory, and a kill at
any moment loses nothing.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock

from unpaired.store import write_text


class Spool:
    """A training's folder, whose name is the training's own (IDENTITY).

    A line of the journal has a time, in ms since 1970, and one of `begin` (tags, params, name),
    `row` (of losses.csv), `tag` (key and value), `kept` (kind and step of a file) and `status`
    (MLflow's; RUNNING also with the store's place).
    """

    def __init__(self, folder: Path):
        self.folder, self.identity = folder, folder.name
        self._journal, self._sent = folder / "journal.jsonl", folder / "sent.json"

    def lock(self, blocking: bool = True) -> FileLock:
        return FileLock(self.folder / "lock", blocking=blocking)

    def append(self, at: int | None = None, **entry: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"time": at or int(time.time() * 1000)} | entry)
        with open(self._journal, "ab", buffering=0) as file:
            file.write(f"\n{line}\n".encode())  # apart from one that a full disk has cut short

    def entries(self, offset: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
        """The lines from a place on, each with the place behind it."""
        with open(self._journal, "rb") as file:
            file.seek(offset)
            while (line := file.readline()).endswith(b"\n"):
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                yield entry, file.tell()

    def keep(self, kind: str, step: int, source: Path) -> None:
        """Copies a file, as its place soon holds the next one."""
        place = self.folder / kind / f"{step:06}" / source.name
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f"{kind}.part"
        shutil.copyfile(source, temporary)
        os.replace(temporary, place)
        self.append(kept=[kind, step])

    def files(self, kind: str) -> list[tuple[int, Path]]:
        """Those that wait, with their steps."""
        found = sorted((self.folder / kind).glob("*/*"))
        return [(int(path.parent.name), path) for path in found]

    @property
    def sent(self) -> tuple[str | None, int]:
        """The run's id in the store, and the place in the journal that it has all before."""
        if not self._sent.exists():
            return None, 0
        state = json.loads(self._sent.read_text())
        return state["run_id"], state["offset"]

    @sent.setter
    def sent(self, state: tuple[str, int]) -> None:
        write_text(self._sent, json.dumps({"run_id": state[0], "offset": state[1]}))

    @property
    def last_status(self) -> dict[str, Any]:
        told = [entry for entry, _ in self.entries() if "status" in entry]
        return told[-1] if told else {}

    def close(self) -> None:
        """Notes, with the lock held, the end of a training that was killed before it could."""
        if self.last_status.get("status") == "RUNNING":
            at = int(self._journal.stat().st_mtime * 1000)
            self.append(at, status="KILLED")

    def waiting(self) -> str:
        """What is not sent yet, in words; nothing is the empty text."""
        entries = [entry for entry, _ in self.entries(self.sent[1])]
        counts = {
            "row": sum("row" in entry for entry in entries),
            "sample": len(self.files("samples")),
            "checkpoint": len(self.files("checkpoints")),
        }
        told = ", ".join(f"{n} {what}{'s'[: n > 1]}" for what, n in counts.items() if n)
        return told or ("its state" if any("kept" not in entry for entry in entries) else "")
