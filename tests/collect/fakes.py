"""Servers on this machine that speak the picture searches' APIs, and hold the pictures too.

Each counts what it is asked, refuses wrong keys as its original does, and can be told to fail.
"""

import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from unpaired.collect.sources import synthetic

GOOGLE_KEY, GOOGLE_CX, SERPAPI_KEY = "AIzaSecretOfGoogle", "cx-secret-1234", "serp-secret-5678"
TOKEN = "openverse-secret-9012"
COLOURS = ["black", "blue", "brown", "gray", "green", "orange"]
COLOURS += ["pink", "purple", "red", "teal", "white", "yellow"]
SIZES = ["medium", "large", "xlarge", "huge", "m", "l", "2mp", "10mp"]


class Fake:
    """pictures: how many there are of a kind; planted: share of them that is flawed; overlap: share
    of a variation's answers that the next one has too.
    """

    path = "/"

    def __init__(self, pictures=5000, overlap=0.1, planted=0.0):
        self.pictures, self.overlap, self.planted = pictures, overlap, planted
        self.asked: list[dict[str, str]] = []  # every request to the API
        self.answered: list[dict[str, str]] = []  # those that cost something
        self.agents: Counter = Counter()
        self.fetched: Counter = Counter()  # pictures, by path
        self.errors: list[tuple[int, dict]] = []  # answers to the next requests
        self.quota = 10**9
        self.seconds = 0.0  # that an answer takes
        self.most_at_once = self._at_once = 0
        self._offers: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    @property
    def endpoint(self):
        return self.url + self.path

    def results(self, words, variation, first, count, most):
        """(number, URL) of a page of a variation's answers."""
        step = round(most * (1 - self.overlap))
        last = min(first + count, most, max(self.pictures - variation * step, 0))
        kind = "backpack" if "backpack" in words else "handbag"
        for rank in range(first, last):
            number = variation * step + rank
            yield rank + 1, f"{self.url}/pictures/{kind}/{number}.jpg"

    def picture(self, kind, number):
        if kind not in self._offers:
            self._offers[kind] = synthetic.offer(kind, self.pictures, 7, self.planted)
        return synthetic.render(self._offers[kind][number])

    def handle(self, path, params, headers):
        with self._lock:
            self.agents[headers.get("User-Agent", "")] += 1
        if path == self.path:
            return self._ask(params, headers)
        if not path.startswith("/pictures/"):
            return 404, b""
        with self._lock:
            self.fetched[path] += 1
        _, _, kind, name = path.split("/")
        return 200, self.picture(kind, int(name.removesuffix(".jpg")))

    def _ask(self, params, headers):
        with self._lock:
            self.asked.append(params)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        time.sleep(self.seconds)
        status, content = self.errors.pop(0) if self.errors else self._answer(params, headers)
        with self._lock:
            self._at_once -= 1
            if status == 200:
                self.answered.append(params)
        return status, content if isinstance(content, bytes) else json.dumps(content).encode()

    def _answer(self, params, headers):
        if refusal := self.refusal(params, headers):
            return refusal
        if len(self.answered) >= self.quota:
            return self.over
        return 200, self.page(params)

    def refusal(self, params, headers):
        return None


class FakeGoogle(Fake):
    path = "/customsearch/v1"

    @staticmethod
    def error(code, message, reason, status):
        told = {"code": code, "message": message, "status": status}
        return code, {"error": told | {"errors": [{"domain": "global", "reason": reason}]}}

    @property
    def over(self):
        return self.too_many("day")

    @classmethod
    def too_many(cls, span):
        message = f"Quota exceeded for quota metric 'Queries' and limit 'Queries per {span}' of"
        return cls.error(429, f"{message} service", "rateLimitExceeded", "RESOURCE_EXHAUSTED")

    @classmethod
    def no_access(cls):
        message = "This project does not have the access to Custom Search JSON API."
        return cls.error(403, message, "forbidden", "PERMISSION_DENIED")

    def refusal(self, params, headers):
        if params.get("key") != GOOGLE_KEY or params.get("cx") != GOOGLE_CX:
            return self.error(400, "API key not valid.", "badRequest", "INVALID_ARGUMENT")
        start, num = int(params.get("start", 1)), int(params.get("num", 10))
        known = params.get("imgDominantColor", "red") in COLOURS
        fits = params.get("searchType") == "image" and 1 <= num <= 10 and 1 <= start <= 91
        if not (fits and known and params.get("imgSize", "large") in SIZES):
            message = "Request contains an invalid argument."
            return self.error(400, message, "invalid", "INVALID_ARGUMENT")
        return None

    def page(self, params):
        start = int(params["start"])
        found = list(self.results(params["q"], _variation(params), start - 1, 10, 100))
        answer = {
            "queries": {"request": [{"startIndex": start}]},
            "searchInformation": {"totalResults": "17900" if found else "0"},
        }
        if len(found) == 10 and start < 91:
            answer["queries"]["nextPage"] = [{"startIndex": start + 10}]
        if found:
            answer["items"] = [self._item(rank, url) for rank, url in found]
        return answer

    def _item(self, rank, url):
        image = {"contextLink": f"{url}.html", "height": 360, "width": 300, "thumbnailLink": url}
        shown = {"title": f"Bag <b>{rank}</b>", "link": url, "displayLink": "shop.example"}
        return shown | {"mime": "image/jpeg", "fileFormat": "image/jpeg", "image": image}


class FakeSerpApi(Fake):
    path = "/search.json"
    over = 429, {"error": "Your account has run out of searches."}

    def refusal(self, params, headers):
        if params.get("api_key") != SERPAPI_KEY:
            return 401, {"error": f"Invalid API key: {params.get('api_key')}."}
        if params.get("engine") != "google_images":
            return 400, {"error": "Unsupported engine."}
        return None

    def page(self, params):
        first = int(params["ijn"]) * 100
        found = list(self.results(params["q"], _variation(params), first, 100, 300))
        if not found:
            told = "Google hasn't returned any results for this query."
            return {"search_metadata": {"status": "Success"}, "error": told}
        return {"images_results": [self._result(rank - first, url) for rank, url in found]}

    def _result(self, position, url):
        if position % 25 == 0:
            url = "x-raw-image:///0123456789"
        told = {"position": position, "title": f"Bag {position}", "source": "Shop"}
        told |= {"thumbnail": f"{url}?small", "link": "https://shop.example/bag", "original": url}
        return told | {"original_width": 600, "original_height": 720, "is_product": True}


class FakeOpenverse(Fake):
    path = "/v1/images/"
    wait = 86_400

    @property
    def over(self):
        detail = f"Request was throttled. Expected available in {self.wait} seconds."
        return 429, {"detail": detail}

    def refusal(self, params, headers):
        token = headers.get("Authorization")
        if token and token != f"Bearer {TOKEN}":
            return 401, {"detail": "Invalid token."}
        size = int(params.get("page_size", 20))
        if size > (50 if token else 20) or int(params["page"]) * size > 240:
            detail = {"page_size": ["Ensure this value is less than or equal to 20."]}
            return 400, {"error": "InputError", "detail": "Invalid input", "fields": detail}
        return None

    def page(self, params):
        page, kinds = int(params["page"]), ["by", "by-sa", "by-nc", "cc0", "by-nd"]
        words = params["q"].split()
        variation = COLOURS.index(words[0]) + 1 if words[0] in COLOURS else 0
        found = list(self.results(params["q"], variation, (page - 1) * 20, 20, 240))
        results = [self._result(rank, url, kinds[rank % 5]) for rank, url in found]
        kept = {"commercial": "nc", "modification": "nd"}
        unwanted = {kept[name] for name in params.get("license_type", "").split(",") if name}
        results = [r for r in results if not unwanted & set((r["license"] or "").split("-"))]
        count = {"result_count": 240, "page_count": 12, "page_size": 20, "page": page}
        return count | {"results": results}

    def _result(self, rank, url, licence):
        told = {"id": str(rank), "title": f"Bag {rank}", "url": url, "creator": "Zoë"}
        told |= {"foreign_landing_url": f"{url}.html", "license": licence, "filetype": None}
        told |= {"license_version": "1.0" if licence == "cc0" else "4.0", "license_url": ""}
        told |= {"provider": "flickr", "filesize": None, "attribution": "…", "thumbnail": url}
        return told | {"height": 720, "width": 600}


class FakeCommons(Fake):
    path = "/w/api.php"
    over = 200, {"error": {"code": "ratelimited", "info": "You've exceeded your <b>limit</b>."}}

    def refusal(self, params, headers):
        if "@" not in headers.get("User-Agent", "") and "http" not in headers["User-Agent"]:
            return 403, {"error": {"code": "blocked", "info": "Set a user-agent with a contact."}}
        if params.get("generator") != "search" or params.get("iiurlwidth") != "960":
            return 200, {"error": {"code": "badvalue", "info": "Unrecognized value."}}
        return None

    def page(self, params):
        first = int(params["gsroffset"])
        found = list(self.results(params["gsrsearch"], 0, first, 50, min(self.pictures, 120)))
        if not found:
            return {"batchcomplete": True}
        answer = {"query": {"pages": [self._page(rank, url) for rank, url in reversed(found)]}}
        if len(found) == 50:
            answer["continue"] = {"gsroffset": first + 50, "continue": "gsroffset||"}
        return answer

    def _page(self, rank, url):
        info = {"url": f"{url}?whole", "thumburl": url, "descriptionurl": f"{url}.html"}
        info |= {"width": 4000, "height": 3000, "size": 9, "mime": "image/jpeg", "sha1": "0"}
        info["extmetadata"] = {
            "LicenseShortName": {"value": "CC BY-SA 4.0" if rank % 2 else "CC BY 2.0"},
            "Artist": {"value": '<a href="//x">Zoë</a> &amp; <script>alert(1)</script>Co'},
        }
        page = {"pageid": rank, "title": f"File:Bag {rank}.jpg", "index": rank}
        return page | {"imageinfo": [info]}


class FakeGooglePages(Fake):
    """What Google sends to those who are no browser: pages, or a shell that is all script."""

    path = "/search"
    shell = False

    def page(self, params):
        found = list(self.results(params["q"], 0, int(params["start"]), 100, 150))
        urls = json.dumps([[url, 360, 300] for _, url in found])
        text = "" if self.shell else f"AF_initDataCallback({{key: 'ds:1', data: {urls}}});"
        return f"<html><script>{text}</script><noscript>Enable it</noscript></html>".encode()


@contextmanager
def serving(fake):
    """The fake, reachable at fake.url."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            parts = urlsplit(self.path)
            params = dict(parse_qsl(parts.query, keep_blank_values=True))
            status, body = fake.handle(parts.path, params, self.headers)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _variation(params):
    """A number of its own for every colour, size and year."""
    colour = params.get("imgDominantColor") or params.get("image_color")
    size = params.get("imgSize") or params.get("imgsz")
    year = (params.get("sort") or params.get("start_date") or "0").removeprefix("date:r:")[:4]
    place = COLOURS.index(colour) + 1 if colour else 0
    place += 13 * (SIZES.index(size) % 4 + 1) if size else 0
    return place + 65 * (int(year) % 10)
