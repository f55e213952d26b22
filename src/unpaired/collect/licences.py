"""What a picture's licence allows, in one spelling whoever told it.

Spelt as SPDX has it, without the country: `CC0-1.0`, `CC-BY-SA-4.0`, `CC-BY-NC` (no version was
told); `PDM` is the public domain, `unknown` is no word at all. Other names stay as they are told.
"""

import re

URL = re.compile(r"creativecommons\.org/(?:licenses|publicdomain)/([a-z+-]+)(?:/(\d\.\d))?", re.I)
WORDS = {
    r"attribut\w*": "by",
    r"non[ -]?commercial": "nc",
    r"no[ -]?deriv\w*|nonderived": "nd",
    r"share[ -]?alike": "sa",
    r"creative ?commons": "cc",
    r"zero|cc0": "0",
    r"public ?domain( mark)?|pdm?\b|cc mark": "pd",
}
CONDITIONS = ("by", "nc", "nd", "sa")
# Of those that are none of Creative Commons': free to copy, change and sell.
NAMES = ("Attribution", "Copyrighted free use", "FAL", "GFDL", "No restrictions", "MIT")
FREE = {name.lower(): name for name in NAMES}


def normal(licence: str, url: str = "") -> str:
    """One spelling of what Openverse (`by-nc-sa 2.0`), Commons (`CC BY-SA 3.0 de`), Google
    (`cc_attribute|cc_sharealike`), people and Creative Commons' addresses say.

    The address counts more than the words. Of several licences in one line all conditions hold,
    since nobody says which of them is the picture's.
    """
    told = " ".join(licence.split())
    if told.lower() in FREE and not URL.search(url):
        return FREE[told.lower()]
    address = URL.search(url) or URL.search(told)
    text = f"cc {address[1]} {address[2] or ''}" if address else told
    text = re.sub(r"[\s_-]+", " ", text.lower().partition(".-")[0])
    for long, short in WORDS.items():
        text = re.sub(long, short, text)
    words = re.findall(r"[a-z0-9.+]+", text)
    conditions = [word for word in CONDITIONS if word in words]
    versions = [word for word in words if re.fullmatch(r"\d\.\d", word)]
    version = max(versions, default="")
    if not words or words == ["unknown"]:
        return "unknown"
    if conditions and _is_creative_commons(words):
        # Only of version 1.0 are there some without attribution.
        by = [] if version == "1.0" or "by" in conditions else ["by"]
        return "-".join(filter(None, ["cc", *by, *conditions, version])).upper()
    if words[0] == "0" or words[:2] == ["cc", "0"]:
        return "CC0-1.0"
    return "PDM" if words[0] == "pd" or words[:2] == ["cc", "pd"] else told or url


def allowed(licence: str, wanted: str) -> bool:
    """Whether a licence is enough for what is wanted.

    Args:
        wanted: `any`; `reusable`: to copy and change; `commercial`: for money as well. What is
            unknown, or no licence that this file knows, is enough for `any` only.
    """
    if wanted == "any":
        return True
    name = normal(licence)
    conditions = name.lower().split("-")
    if name in NAMES or name in ("PDM", "CC0-1.0"):
        return True
    if conditions[0] != "cc" or "nd" in conditions:
        return False
    return wanted == "reusable" or "nc" not in conditions


def _is_creative_commons(words: list[str]) -> bool:
    """`cc …`, or nothing but conditions and versions; not the sampling licences."""
    plain = all(word in CONDITIONS or re.fullmatch(r"\d\.\d", word) for word in words)
    return plain or (words[0] == "cc" and not any("sampling" in word for word in words))
