"""stages/search.py as a process: killed, out of quota, and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from fakes import GOOGLE_CX, GOOGLE_KEY, FakeGoogle
from ruamel.yaml import YAML

from unpaired.collect.candidates import read_candidates

ROOT = Path(__file__).parents[2]


class Place:
    """A folder with parameters and keys in which the stage runs."""

    def __init__(self, folder, values):
        self.folder = folder
        (folder / "data/added").mkdir(parents=True)
        YAML().dump(values, folder / "params.yaml")
        (folder / ".env").write_text(f"GOOGLE_API_KEY={GOOGLE_KEY}\nGOOGLE_CSE_ID={GOOGLE_CX}\n")

    def start(self, *args):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "GOOGLE_"))}
        env |= {"PYTHONPATH": str(ROOT / "src")}
        return subprocess.Popen(
            [sys.executable, ROOT / "stages/search.py", *args],
            cwd=self.folder,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *args, code=0):
        process = self.start(*args)
        output = process.communicate(timeout=120)[0]
        assert process.returncode == code, output
        return output

    def urls(self):
        lists = sorted((self.folder / "data/candidates").glob("*.jsonl"))
        return {path.stem: [one.url for one in read_candidates(path)] for path in lists}


@pytest.fixture
def place(settings, serve, tmp_path):
    """place(name, fake) → a Place that asks the fake for some 40 pictures of each domain."""

    def made(name, fake):
        (tmp_path / name).mkdir()
        changes = {"source": "google", "contact": "test@example.org", "watch": "data/added"}
        changes |= {"endpoints.google": fake.endpoint, "oversampling": 4.0}
        counts = {"domains.0.train": 30, "domains.0.test": 10}
        counts |= {"domains.1.train": 40, "domains.1.test": 10}
        changes = {f"search.{key}": value for key, value in changes.items()} | counts
        return Place(tmp_path / name, settings(changes))

    return made


def paid(fake):
    return Counter(json.dumps(request, sort_keys=True) for request in fake.answered)


def test_killed_in_the_middle_it_pays_for_nothing_twice(place, serve):
    fake = serve(FakeGoogle())
    killed = place("killed", fake)
    fake.seconds = 0.05
    process = killed.start("--loopback")
    while len(fake.answered) < 12:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not list(killed.folder.glob("data/candidates/backpack.jsonl"))
    fake.seconds = 0.0
    before = len(fake.answered)
    killed.run("--loopback")
    # What was in flight when it died may have been paid and not kept: one query.
    again = sum(count - 1 for count in paid(fake).values())
    assert again <= 1 and max(paid(fake).values()) <= 2
    assert 12 <= before <= 20 and len(paid(fake)) == 36

    files = sorted((killed.folder / "data/candidates").iterdir())
    first, asked = [path.read_bytes() for path in files], len(fake.asked)
    killed.run("--loopback")
    assert [path.read_bytes() for path in files] == first and len(fake.asked) == asked

    whole = place("whole", fake)
    whole.run("--loopback")
    assert whole.urls() == killed.urls()
    assert {name: len(urls) for name, urls in whole.urls().items()} == {
        "handbag": 160,
        "backpack": 200,
    }


def test_out_of_quota_it_says_when_to_go_on_and_keys_are_nowhere(place, serve):
    fake = serve(FakeGoogle())
    one = place("one", fake)
    fake.quota = 19  # enough for the first domain, and 30 candidates of the second
    output = one.run("--loopback", code=1)
    last = output.strip().splitlines()[-1]
    assert last.startswith("error in search: backpack: 20 pictures short: 30 are found")
    assert "go on after" in last and "Traceback" not in output

    fake.quota = 10**9
    fake.errors = [(400, {"error": {"message": f"API key {GOOGLE_KEY} of {GOOGLE_CX} not valid."}})]
    output += one.run("--loopback", code=1)
    assert "API key … of … not valid" in output
    output += one.run("--loopback")
    assert len(paid(fake)) == 36 and max(paid(fake).values()) == 1

    written = [path for path in one.folder.rglob("*") if path.is_file() and path.name != ".env"]
    assert len(written) >= 36 + 2
    for key in (GOOGLE_KEY, GOOGLE_CX):
        assert key not in output
        assert not [path for path in written if key.encode() in path.read_bytes()]


def test_this_machine_is_asked_only_when_told_so(place, serve):
    fake = serve(FakeGoogle())
    output = place("one", fake).run(code=1)
    assert "error in search: google cannot be asked" in output and not fake.asked
