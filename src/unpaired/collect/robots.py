"""What a site says about machines that read it: robots.txt (RFC 9309) and X-Robots-Tag."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from protego import Protego

from unpaired.collect.addresses import Place
from unpaired.collect.politeness import Clock
from unpaired.collect.refused import LATER, Refused

TOKEN = "unpaired"  # what robots.txt calls us
SIZE = 512_000  # bytes of robots.txt that are read
KEPT = 4_000_000  # characters of all of them whose rules are remembered; each becomes 30 bytes
GROUP = re.compile(r"(?i)^(user[\s-]*agent[\s:]+)([*\w-]*).*")
AGENT = re.compile(r"([\w.*-]+)\s*:\s*(.*)")
# Directives that have a colon themselves: https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag
VALUED = {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}


@dataclass
class Rules:
    """Of one origin. `known` until a time; either the rules or why there are none."""

    lock: Lock = field(default_factory=Lock)
    until: float = 0.0
    size: int = 100  # characters, and what an entry costs by itself
    rules: Protego | None = None
    refused: Refused | None = None


class Robots:
    """The rules of every origin, read once a day. read: URL → status and text of a robots.txt, or
    raises Refused."""

    def __init__(self, read: Callable[[str], tuple[int, bytes]], clock: Clock):
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._origins: dict[str, Rules] = {}

    def check(self, place: Place) -> None:
        """Raises Refused unless the place may be asked for."""
        with self._lock:
            rules = self._origins.setdefault(place.origin, Rules())
        with rules.lock:  # many ask for the same host at first; one of them reads
            if rules.until <= self._clock.now():
                self._update(rules, place)
                self._forget()
        if rules.refused:
            again = None if rules.refused.again is None else rules.until - self._clock.now()
            raise Refused(rules.refused.reason, rules.refused.detail, rules.refused.status, again)
        if rules.rules and not rules.rules.can_fetch(place.url, TOKEN):
            raise Refused("robots", f"{place.host}: robots.txt forbids it")

    def _update(self, rules: Rules, place: Place) -> None:
        rules.rules = rules.refused = None
        try:
            status, text = self._read(f"{place.origin}/robots.txt")
            if status == 429 or status >= 500:
                detail = f"{place.host}: robots.txt cannot be had (status {status})"
                raise Refused("robots", detail, status, LATER)
            if status == 200:
                ours = _our_groups(text.decode("utf-8-sig", "replace"))
                rules.rules, rules.size = Protego.parse(ours), 100 + len(ours)
            rules.until = self._clock.now() + 86_400
        except Refused as refused:
            rules.refused = refused
            rules.until = self._clock.now() + (refused.again or LATER)

    def _forget(self) -> None:
        """The oldest, while they are too many."""
        with self._lock:
            total = sum(rules.size for rules in self._origins.values())
            while total > KEPT and len(self._origins) > 1:
                total -= self._origins.pop(next(iter(self._origins))).size


def _our_groups(text: str) -> str:
    """The text with one name for all other agents: protego keeps each rule of a group for each
    of its agents, so that 12,000 names before 20,000 rules would fill any memory."""

    def named(match: re.Match) -> str:
        agent = match[2].lower().rstrip("*") or "*"
        return match[1] + (agent if agent in (TOKEN, "*") else "others")

    return "\n".join(GROUP.sub(named, line.strip()) for line in text.splitlines())


def against_ai(lines: list[str]) -> bool:
    """Whether one of the X-Robots-Tag lines says noai or noimageai, to all or to us. An agent's
    name holds for the rest of its line, up to the next one."""
    for line in lines:
        agent = "*"
        for part in line.lower().split(","):
            directive = part.strip()
            if (match := AGENT.fullmatch(directive)) and match[1] not in VALUED:
                agent, directive = match[1], match[2]
            if directive in ("noai", "noimageai") and agent in ("*", TOKEN):
                return True
    return False
