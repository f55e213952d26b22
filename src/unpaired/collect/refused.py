"""Why nothing was brought from the web: one word of a closed list, and a line."""

REASONS = {
    "address": "the host is not a public one, or its name is no proper name",
    "scheme": "neither http nor https",
    "redirects": "more than five, in a circle, or to nowhere",
    "robots": "robots.txt forbids it, or cannot be had for now",
    "no_ai": "X-Robots-Tag keeps it from use by AI",
    "too_large": "more bytes than the limit",
    "too_slow": "not all there at the deadline",
    "cut_short": "fewer bytes than announced",
    "garbled": "the answer is no proper HTTP",
    "tls": "no proof that the host is who it says",
    "status": "an answer other than 200",
    "throttled": "asked to come back later than is worth waiting for",
    "unreachable": "no such host, or no connection",
}
LATER = 600.0  # seconds after which what failed for the time being is worth another try


class Refused(Exception):
    """reason: a key of REASONS; detail: one line, without a URL and thus without a key;
    status: of the answer, 0 if none; again: seconds after which to try again, None if never."""

    def __init__(self, reason: str, detail: str, status: int = 0, again: float | None = None):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.status = status
        self.again = again
