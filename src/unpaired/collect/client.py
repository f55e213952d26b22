"""The one HTTP client: it goes to public hosts alone, bounds all that comes back, and is polite.

Of libraries only the protocol (h11), the names (idna) and robots.txt (protego) are used. Filters
around `requests` guard the address; the total deadline, the decoded size, the pauses and the hops
would still be ours, and reach into its layers.
"""

import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode

import certifi

from unpaired.collect.addresses import Place, place
from unpaired.collect.bodies import SECONDS, Answer, beginning, decoded, paced, plain, whole
from unpaired.collect.partial import Partial
from unpaired.collect.politeness import TRANSIENT, TRIES, WAIT, Clock, Manners, retry_after
from unpaired.collect.redaction import redacted, without_keys
from unpaired.collect.refused import LATER, Refused
from unpaired.collect.robots import SIZE as ROBOTS_SIZE
from unpaired.collect.robots import TOKEN, Robots, against_ai
from unpaired.collect.transport import PIECE, Connection, Headers, Pool
from unpaired.errors import Problem

NO_CONTACT = (
    "search.contact is empty: every server is told whom to write to; give your mail address or page"
)
SIZE = 20_000_000  # bytes of an answer, decoded
REDIRECTS = 5
PUBLIC = {"Range", "If-Range"}  # headers that any host may see
MOVED = {301, 302, 303, 307, 308}
FLEETING = {"cut_short", "unreachable"}  # reasons that are worth another try


class Client:
    """Safe to use from many threads. contact: a mail address or page, told to every server;
    loopback: this machine's own servers may be asked too (for tests)."""

    def __init__(self, contact: str, loopback: bool = False):
        if not (contact.isprintable() and contact.isascii()):
            raise Problem(f"search.contact: {contact!r} is neither a mail address nor a page")
        self._agent = f"{TOKEN}/{version(TOKEN)} (+{contact})" if contact else ""
        self.clock = Clock()
        self.tls = ssl.create_default_context()
        self.tls.load_verify_locations(certifi.where())
        self.tls.set_alpn_protocols(["http/1.1"])
        self._pool = Pool(loopback, self.tls)
        self._manners = Manners(self.clock)
        self._robots = Robots(self._robots_txt, self.clock)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends pauses and unused connections."""
        self.clock.stopped.set()
        self._pool.close()

    def get(self, url: str) -> Answer:
        """A picture or file of at most SIZE bytes, if robots.txt and X-Robots-Tag let one have it.
        Raises Refused, also for any status but 200."""
        self._robots.check(place(url))

        def attempt() -> Answer:
            with self._opened(url, {}, polite=True) as (answer, connection):
                return replace(answer, body=whole(decoded(answer, connection, SIZE)))

        return self._wanted(self._patiently(attempt))

    def ask(self, url: str, params: Mapping[str, str], headers: Mapping[str, str] = {}) -> Answer:
        """An API's answer, of any status. What is secret in params or headers stands in no error
        and in none of the answer's URLs. Raises Refused if there is no answer."""
        asked = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}" if params else url

        def attempt() -> Answer:
            with self._opened(asked, headers, polite=False) as (answer, connection):
                return replace(answer, body=whole(decoded(answer, connection, SIZE)))

        try:
            answer = self._patiently(attempt)
        except Refused as refused:
            detail = without_keys(refused.detail, params, headers)
            raise Refused(refused.reason, detail, refused.status, refused.again) from None
        hops = tuple(map(redacted, answer.redirects))
        return replace(answer, url=redacted(answer.url), redirects=hops)

    def download(self, url: str, target: Path, limit: int) -> Answer:
        """A large file of at most `limit` bytes, written to target; the answer has no body. Each
        MB has the time that a picture has. Raises Refused as `get` does."""

        self._robots.check(place(url))
        part = Partial(target)

        def attempt() -> Answer:
            with self._opened(url, part.request(), polite=True) as (answer, connection):
                if answer.status in (206, 416) and not part.continued_by(answer.headers):
                    part.discard()
                    raise Refused("cut_short", f"{connection.host}: another file now", again=LATER)
                if answer.status in (200, 206):
                    begun = part.size() if answer.status == 206 else 0
                    pieces = decoded(answer, connection, limit - begun)
                    part.write(paced(pieces, connection), answer.status, answer.headers)
                    return replace(answer, status=200)
                return answer

        try:
            return self._wanted(self._patiently(attempt))
        except Refused as refused:
            if refused.again is None:
                part.discard()
            raise

    def _robots_txt(self, url: str) -> tuple[int, bytes]:
        def attempt() -> Answer:
            with self._opened(url, {}, polite=False) as (answer, connection):
                return replace(answer, body=beginning(plain(answer, connection), ROBOTS_SIZE))

        answer = self._patiently(attempt)
        return answer.status, answer.body

    def _patiently(self, attempt: Callable[[], Answer]) -> Answer:
        """The answer to the last of at most TRIES attempts."""
        tried = 0
        while True:
            tried += 1
            try:
                answer = attempt()
            except Refused as refused:
                if tried == TRIES or refused.reason not in FLEETING or refused.again is None:
                    raise
            else:
                if answer.status not in TRANSIENT:
                    return answer
                told = answer.headers.get("retry-after", "")
                pause = self._manners.pause(place(answer.url).host, told)
                if tried == TRIES or pause > WAIT:
                    return answer
            self._manners.back_off(tried)

    def _wanted(self, answer: Answer) -> Answer:
        """Raises Refused for any status but 200."""
        if answer.status == 200:
            return answer
        reason, again = "status", None
        if answer.status in TRANSIENT:
            told = retry_after(answer.headers.get("retry-after", ""), self.clock.now())
            reason = "throttled" if answer.status == 429 or told > WAIT else "status"
            again = told or LATER
        detail = f"{place(answer.url).host} answers {answer.status}"
        raise Refused(reason, detail, answer.status, again)

    @contextmanager
    def _opened(
        self, url: str, headers: Mapping[str, str], polite: bool
    ) -> Iterator[tuple[Answer, Connection]]:
        """The final answer without its body, which the connection gives. polite: X-Robots-Tag
        counts, and robots.txt from the first redirect on."""
        spent = 0.0
        hops: tuple[str, ...] = ()
        here = place(url)
        while True:
            with self._manners.turn(here.host):
                start = time.monotonic()
                connection, status, lines = self._exchange(here, headers, start + SECONDS - spent)
                try:
                    target = ", ".join(_lines(lines, "location"))
                    if status not in MOVED or not target:
                        if (
                            polite
                            and status in (200, 206)
                            and against_ai(_lines(lines, "x-robots-tag"))
                        ):
                            raise Refused("no_ai", f"{here.host}: X-Robots-Tag", status)
                        yield Answer(status, here.url, hops, _mapping(lines)), connection
                        return
                    beginning(connection.body(), PIECE)  # a short one leaves the connection usable
                finally:
                    self._pool.keep(connection)
                spent += time.monotonic() - start
            hops += (here.url,)
            there = place(target, here.url)
            if there.origin != here.origin:  # a key is for the one who was asked
                headers = {name: headers[name] for name in headers if name in PUBLIC}
            if len(hops) > REDIRECTS or there.url in hops:
                raise Refused("redirects", f"{here.host}: {len(hops)} redirects", status)
            if polite:
                self._robots.check(there)
            here = there

    def _exchange(
        self, here: Place, headers: Mapping[str, str], deadline: float
    ) -> tuple[Connection, int, Headers]:
        if not self._agent:
            raise Problem(NO_CONTACT)
        sent = [
            ("Host", here.origin.partition("://")[2]),
            ("User-Agent", self._agent),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            *headers.items(),
        ]
        fresh = False
        while True:
            connection = self._pool.connection(here, deadline, fresh)
            try:
                connection.send(here.path, sent)
                return connection, *connection.head()
            except BaseException as error:
                connection.close()
                # A server may end an unused connection at the moment at which it is used again.
                stale = connection.used and connection.silent and not fresh
                if not stale or not isinstance(error, Refused) or error.reason == "too_slow":
                    raise
                fresh = True


def _lines(headers: Headers, name: str) -> list[str]:
    return [value for key, value in headers if key == name]


def _mapping(headers: Headers) -> dict[str, str]:
    lines = defaultdict(list)
    for name, value in headers:
        lines[name].append(value)
    return {name: ", ".join(values) for name, values in lines.items()}
