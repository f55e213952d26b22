"""`dvc repro` from nothing to both sets, against a Google that shows rendered pictures."""

import json
import os
import signal
import subprocess
import time
from collections import Counter

import pytest
from clone import ENVIRONMENT, tiny_clone
from fakes import GOOGLE_CX, GOOGLE_KEY, FakeGoogle
from ruamel.yaml import YAML

from unpaired.store import read_set, read_table

SECONDS = 600  # after which something that is waited for has gone wrong


@pytest.fixture
def shop(tmp_path, serve):
    """shop(fake, [(train, test), …]) → a clone with sets of these sizes whose search asks the fake,
    and whose stages may reach it."""

    def made(fake, counts):
        clone = tiny_clone(tmp_path / "unpaired")
        others = dict.fromkeys(
            ("serpapi", "google_html", "openverse", "commons"), "http://none.invalid"
        )
        asked = {"source": "google", "contact": "test@example.org"}
        clone.set(search=asked | {"endpoints": {"google": fake.endpoint} | others})
        yaml, path = YAML(), clone.folder / "params.yaml"
        values = yaml.load(path)
        for domain, (train, test) in zip(values["domains"], counts, strict=True):
            domain.update(train=train, test=test)
        yaml.dump(values, path)
        stages = clone.folder / "dvc.yaml"
        text = stages.read_text()
        for stage in ("search", "fetch"):
            text = text.replace(f"stages/{stage}.py\n", f"stages/{stage}.py --loopback\n", 1)
        stages.write_text(text)
        (clone.folder / ".env").write_text(
            f"GOOGLE_API_KEY={GOOGLE_KEY}\nGOOGLE_CSE_ID={GOOGLE_CX}\n"
        )
        clone.commit("ask Google")
        return clone

    return made


def sizes(clone):
    return {
        name: [
            len(read_set(clone.folder / f"data/sets/{side}", name)) for side in ("train", "test")
        ]
        for name in ("handbag", "backpack")
    }


def paid(fake):
    return Counter(json.dumps(request, sort_keys=True) for request in fake.answered)


def killed(clone, reached):
    """Runs `dvc repro split` until something is reached, then kills all of it at once."""
    process = subprocess.Popen(
        ["dvc", "repro", "split"],
        cwd=clone.folder,
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    end = time.monotonic() + SECONDS
    while not reached():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_from_nothing_to_both_sets(shop, serve):
    fake = serve(FakeGoogle(planted=0.1))
    clone = shop(fake, [(16, 8), (20, 9)])
    assert clone.repro("split") == ["search", "fetch", "clean", "split"]
    assert sizes(clone) == {"handbag": [16, 8], "backpack": [20, 9]}
    manifest = read_table(clone.folder / "data/raw/manifest.csv")
    assert set(manifest["source"]) == {"google"} and len(manifest) == 50 + 60
    assert clone.repro("split") == []
    assert set(fake.fetched.values()) == {1} and max(paid(fake).values()) == 1
    written = [path for path in clone.folder.rglob("*") if path.is_file()]
    told = [path for path in written if GOOGLE_KEY.encode() in path.read_bytes()]
    assert {str(path.relative_to(clone.folder)) for path in told} == {
        ".env",
        "tests/collect/fakes.py",
    }


@pytest.mark.slow
def test_the_real_size_killed_in_search_and_in_fetch(shop, serve):
    fake = serve(FakeGoogle(planted=0.1))
    clone = shop(fake, [(660, 100), (801, 149)])
    fake.seconds = 0.02
    killed(clone, lambda: len(fake.answered) >= 200)
    fake.seconds = 0.0
    killed(clone, lambda: len(fake.fetched) >= 1500)
    fetched = Counter(fake.fetched)
    assert clone.repro("split")[-1] == "split"
    assert sizes(clone) == {"handbag": [660, 100], "backpack": [801, 149]}
    # In flight at each kill: one query, and a picture a connection.
    assert sum(count - 1 for count in paid(fake).values()) <= 1
    assert sum(count - 1 for count in fake.fetched.values()) <= 4
    assert len(fetched) >= 1500
    manifest = clone.folder / "data/raw/manifest.csv"
    first = manifest.read_bytes()
    clone.run("dvc", "repro", "-f", "search", "fetch")
    assert manifest.read_bytes() == first
    assert sum(count - 1 for count in fake.fetched.values()) <= 4
