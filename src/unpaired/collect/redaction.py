"""Keys out of what people and files see."""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

# Names of query parameters whose values are secret, `cx` being Google's name for an engine.
SECRET = re.compile(
    r"(?i)(?<=[?&;])([^=&;#]*(?:key|token|secret|passw|auth|sig)[^=&;#]*|cx)=[^&;#]*"
)


def redacted(url: str) -> str:
    """The URL with `…` for every value that may be a key."""
    return SECRET.sub(r"\1=…", url)


def without(secrets: Iterable[str], text: str) -> str:
    """The text with `…` for each of the secrets, however a URL would spell it."""
    for secret in secrets:
        for spelling in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)} - {""}:
            text = text.replace(spelling, "…")
    return text
