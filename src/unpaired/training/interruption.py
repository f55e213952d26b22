"""Being asked to stop: a training then saves its state first."""

import os
import signal
import threading
from types import FrameType
from typing import Any


class Interruption:
    """While it is entered, the first SIGINT or SIGTERM is only noted, in `reason`; a second one
    acts as ever. That DVC, which started this process, is gone counts as well: whoever comes
    next would else find an orphan at work."""

    def __init__(self) -> None:
        self._signal: str | None = None
        self._before: dict[int, Any] = {}
        self._parent = os.getppid() if "DVC_STAGE" in os.environ else None

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._signal = signal.Signals(number).name
        self.__exit__()

    @property
    def reason(self) -> str | None:
        """Why to stop, or None."""
        if self._parent and os.getppid() != self._parent:
            return "dvc is gone"
        return self._signal
