"""Asks web sources, once each thing: what was answered before is kept, and counts."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

from dotenv import dotenv_values

from unpaired.collect.answers import Found, Gone, Quota, Request, keep, kept
from unpaired.collect.client import NO_CONTACT, Client
from unpaired.collect.planning import WEB
from unpaired.collect.refused import Refused
from unpaired.errors import Problem
from unpaired.params import Search
from unpaired.places import ROOT

PATIENCE = 120  # seconds that a quota a minute may take to come back
TRIES = 5


class Web:
    """names: of the web sources that are chosen; over: those that answer no more in this run, and
    why."""

    def __init__(self, settings: Search, loopback: bool = False):
        """Raises Problem where a web source is chosen and nobody is named as the contact."""
        self.settings = settings
        self.names = [source for source in settings.sources if source in WEB]
        if self.names and not settings.contact:
            raise Problem(NO_CONTACT)
        self.client = Client(settings.contact, loopback)
        self.over: dict[str, str] = {}

    def __enter__(self) -> "Web":
        return self

    def __exit__(self, *_: Any) -> None:
        self.client.close()

    def ask(self, source: str, request: Request) -> Found | None:
        """The answer, which is on disk by then; None if the source answers no more."""
        snapshot = self.settings.snapshot
        if found := kept(source, request, snapshot):
            return found
        if source in self.over:
            return None
        try:
            found = _patiently(lambda: self._ask(source, request))
        except Gone as gone:
            self.over[source] = str(gone)
            return None
        except Quota as quota:
            time = f"after {quota.until:%Y-%m-%d %H:%M} UTC" if quota.until else "once renewed"
            self.over[source] = (
                f"{source}'s quota ({quota}) is used up: go on {time} by running this again, what"
                " is answered is kept and not asked again"
            )
            return None
        return keep(source, request, snapshot, found, datetime.now(UTC))

    def _ask(self, source: str, request: Request) -> Found:
        endpoint = getattr(self.settings.endpoints, source)
        keys = secrets(source)
        try:
            return WEB[source].ask(request, self.client, endpoint, keys)
        except Problem as problem:  # some services repeat a wrong key in their answer
            text = str(problem)
            for key in filter(None, keys.values()):
                text = text.replace(key, "…")
            raise Problem(text) from None
        except Refused as refused:
            if refused.reason == "throttled" and refused.again:
                wait = timedelta(seconds=refused.again)
                raise Quota("requests", datetime.now(UTC) + wait) from None
            raise Problem(
                f"{source} cannot be asked: {refused.detail}; what is answered already is kept"
            ) from None


def secrets(source: str) -> dict[str, str]:
    """The source's keys, from the environment or else from `.env` at the repository's root.

    Raises Problem where one is missing that the source cannot do without: those of sources that
    cost nothing only widen quotas.
    """
    names = WEB[source].SECRETS
    told = dotenv_values(ROOT / ".env") | os.environ
    values = {name: (told.get(name) or "").strip() for name in names}
    missing = [name for name, value in values.items() if not value]
    if missing and WEB[source].DOLLARS:
        raise Problem(
            f"{source} needs {' and '.join(missing)}, in the environment or in .env"
            " (docs/collecting.md says how to come by them)"
        )
    return values


def _patiently(ask: Callable[[], Found]) -> Found:
    """Waits where it is a matter of a minute or two."""
    for _ in range(TRIES - 1):
        try:
            return ask()
        except Quota as quota:
            if not quota.until:
                raise
            seconds = (quota.until - datetime.now(UTC)).total_seconds()
            if seconds > PATIENCE:
                raise
            sleep(max(seconds, 0))
    return ask()
