"""How often a host is asked: two connections at a time, pauses as it wishes, growing back-off."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import uniform
from threading import BoundedSemaphore, Event

from unpaired.collect.refused import LATER, Refused

CONNECTIONS = 2  # to one host at a time
TRIES = 3
TRANSIENT = {408, 429, 500, 502, 503, 504}  # statuses worth another try
WAIT = 60.0  # seconds that a pause may last; those asked to wait longer give up


class Clock:
    """Time as the pauses see it; tests have one of their own."""

    def __init__(self) -> None:
        self.stopped = Event()

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Ends at once when the client is closed."""
        self.stopped.wait(seconds)


@dataclass
class Host:
    slots: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(CONNECTIONS))
    paused: float = 0.0  # until then


class Manners:
    """What is owed to each host. Safe to use from many threads."""

    def __init__(self, clock: Clock):
        self.clock = clock
        self._hosts: dict[str, Host] = {}

    @contextmanager
    def turn(self, host: str) -> Iterator[None]:
        """Waits for a free connection and the end of a pause. Raises Refused (`throttled`) if the
        pause is longer than WAIT."""
        owed = self._host(host)
        latest = self.clock.now() + WAIT
        while True:
            if owed.paused > latest:
                again = owed.paused - self.clock.now()
                raise Refused("throttled", f"{host} asks to wait {again:.0f} s", again=again)
            self._wait(owed.paused - self.clock.now())
            with owed.slots:
                if owed.paused <= self.clock.now():  # nobody was told to wait meanwhile
                    yield
                    return

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.clock.sleep(seconds + uniform(0, 1))  # those who wait do not all come at once
        if self.clock.stopped.is_set():
            raise Refused("unreachable", "the client is closed", again=LATER)

    def pause(self, host: str, told: str) -> float:
        """Lets the host rest as long as its Retry-After told. Returns seconds, 0 for nothing."""
        seconds = retry_after(told, self.clock.now())
        owed = self._host(host)
        owed.paused = max(owed.paused, self.clock.now() + seconds)
        return seconds

    def _host(self, name: str) -> Host:
        return self._hosts.setdefault(name, Host())  # atomic, unlike a defaultdict

    def back_off(self, tried: int) -> None:
        self.clock.sleep(uniform(0.5, 1) * 2.0 ** (tried - 1))


def retry_after(told: str, now: float) -> float:
    """Seconds from now, at least 0, of a Retry-After in seconds or as a date; 0 for neither."""
    if told.isascii() and told.isdigit():
        return float(told[:9])
    try:
        date = parsedate_to_datetime(told)
    except ValueError:
        return 0.0
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.fromtimestamp(now, UTC)).total_seconds())
