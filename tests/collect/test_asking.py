"""Keys for the web's sources: where they come from, and what is said where one is missing."""

import os

import pytest
from fakes import GOOGLE_CX, GOOGLE_KEY

from unpaired.collect import asking
from unpaired.errors import Problem


def test_keys_come_from_a_file_too_and_the_environment_wins(place, monkeypatch):
    (place / ".env").write_text(f"GOOGLE_API_KEY=from-the-file\nGOOGLE_CSE_ID='{GOOGLE_CX}'\n")
    monkeypatch.setenv("GOOGLE_API_KEY", GOOGLE_KEY)
    told = {"GOOGLE_API_KEY": GOOGLE_KEY, "GOOGLE_CSE_ID": GOOGLE_CX}
    assert asking.secrets("google") == told
    assert "GOOGLE_CSE_ID" not in os.environ


def test_missing_keys_are_named(place, monkeypatch):
    monkeypatch.setenv("GOOGLE_CSE_ID", " ")
    with pytest.raises(
        Problem, match=r"google needs GOOGLE_API_KEY and GOOGLE_CSE_ID, .*docs/coll"
    ):
        asking.secrets("google")
    with pytest.raises(Problem, match=r"serpapi needs SERPAPI_API_KEY, in the environment or in"):
        asking.secrets("serpapi")
    assert asking.secrets("openverse") == {"OPENVERSE_TOKEN": ""}
