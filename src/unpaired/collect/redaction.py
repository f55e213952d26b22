"""Keys out of what people and files see."""

import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

# Parts of the names of query parameters that are secret; `cx` is Google's name for an engine.
SECRET = "[^=&;?#]*(?:key|token|secret|passw|auth|sig)[^=&;#]*|cx"
IN_URL = re.compile(f"(?i)(?<=[?&;])({SECRET})=[^&;#]*")
NAME = re.compile(f"(?i){SECRET}")


def redacted(url: str) -> str:
    """The URL with `…` for every value that may be a key."""
    return IN_URL.sub(r"\1=…", url)


def without_keys(text: str, params: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The text with `…` for what is secret in a request, however a URL would spell it."""
    keys = [value for name, value in params.items() if NAME.fullmatch(name)]
    keys += [word for value in headers.values() for word in (value, *value.split()[1:])]
    for key in filter(None, keys):
        for spelling in (key, quote(key), quote(key, safe=""), quote_plus(key), key.lower()):
            text = text.replace(spelling, "…")
    return text
