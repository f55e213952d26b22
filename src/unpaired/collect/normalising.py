"""One spelling of a web address, by which it is fetched once and told from others."""

import re

from unpaired.collect.addresses import place
from unpaired.collect.refused import Refused

TRACKING = re.compile(r"(utm_[a-z]+|gclid|dclid|fbclid|msclkid|yclid|mc_[ce]id|igshid)=", re.I)


def normalised(url: str) -> str:
    """The URL without what makes no difference: the case of the host, the default port, the
    fragment, and parameters that only track people. What is no URL of the web stays as it is."""
    try:
        plain = place(url)
    except Refused:
        return url
    path, _, query = plain.path.partition("?")
    query = "&".join(one for one in query.split("&") if not TRACKING.match(one))
    return plain.origin + path + (f"?{query}" if query else "")
