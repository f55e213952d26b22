"""What a search would ask and cost, before it does (`unpaired search --dry-run`)."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from math import ceil

from rich.console import Console
from rich.table import Table

from unpaired.collect.answers import Found, Request, kept
from unpaired.collect.candidates import Candidate
from unpaired.collect.planning import WEB, gather, series, share, wanted
from unpaired.collect.searching import local
from unpaired.params import Domain, Params


@dataclass
class Course:
    """The requests of a search that has not been made.

    full: whether every answer that is not known brings as many new candidates as it can, or none.
    """

    snapshot: str
    full: bool
    asked: list[tuple[str, Request]] = field(default_factory=list)
    known: list[tuple[str, Request]] = field(default_factory=list)  # those answered already
    _numbers: count = field(default_factory=count)

    def ask(self, source: str, request: Request) -> Found:
        self.asked.append((source, request))
        if answer := kept(source, request, self.snapshot):
            self.known.append((source, request))
            return answer
        new = range(WEB[source].PAGE if self.full else 0)
        return [self._unheard_of(source) for _ in new], True

    def _unheard_of(self, source: str) -> Candidate:
        url = f"https://example.invalid/{next(self._numbers)}"
        return Candidate(url, source, query="", rank=0, licence="CC0-1.0")


def foresee(domain: Domain, params: Params, full: bool) -> Course:
    """The course that the search of a domain takes at best (full) or at worst."""
    course = Course(params.search.snapshot, full)
    paid = share(domain, params.domains, params.search)
    gather(domain, params.search, local(domain, params.search), paid, course.ask)
    return course


def show(params: Params) -> None:
    """Prints what every domain asks of each source, and what that costs at most. Asks nobody."""
    console = Console(highlight=False)
    new: Counter[str] = Counter()
    for domain in params.domains:
        best, worst = foresee(domain, params, full=True), foresee(domain, params, full=False)
        if not worst.asked:
            console.print(f"{domain.name}: nothing is asked of the web")
            continue
        console.print(_table(domain, params, best, worst))
        new += Counter(source for source, _ in worst.asked)
        new -= Counter(source for source, _ in worst.known)
    for source, requests in new.items():
        console.print(f"{source}: {_bill(source, requests)}")


def _table(domain: Domain, params: Params, best: Course, worst: Course) -> Table:
    title = f"{domain.name}: {wanted(domain, params.search)} candidates wanted"
    table = Table("source", "asked for", title=title, title_justify="left", show_lines=True)
    for name in ("variations", "queries", "answered\nalready", "the rest\nat most"):
        table.add_column(name, justify="right")
    for source in dict.fromkeys(source for source, _ in worst.asked):
        least, most, known = (
            [request for one, request in steps if one == source]
            for steps in (best.asked, worst.asked, worst.known)
        )
        variations = {series(source, request) for request in most}
        queries = str(len(most)) if len(least) == len(most) else f"{len(least)} to {len(most)}"
        dollars = f"${(len(most) - len(known)) * WEB[source].DOLLARS:.2f}"
        words = _values(most, WEB[source].PAGED)
        table.add_row(source, words, str(len(variations)), queries, str(len(known)), dollars)
    return table


def _values(requests: list[Request], paged: str) -> str:
    """What each key of some requests is set to, a line a key."""
    values: dict[str, dict[str, None]] = {}
    for request in requests:
        for key, value in request.items():
            values.setdefault(key, {})[value] = None
    return "\n".join(f"{key}: {', '.join(told)}" for key, told in values.items() if key != paged)


def _bill(source: str, requests: int) -> str:
    free, dollars = WEB[source].FREE_A_DAY, WEB[source].DOLLARS
    text = f"at most {requests} new queries, "
    days = ceil(requests / free) if free else 0
    over = f"{days} day{'s' * (days > 1)} ({free} a day are free)"
    if not dollars:
        return text + (f"free, over {over}" if free else "free")
    text += f"at most ${max(requests - free, 0) * dollars:.2f}"
    return f"{text} in one day, or nothing over {over}" if free else text
