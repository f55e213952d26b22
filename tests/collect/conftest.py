import fakes
import pytest
from hostile import Server
from servers import Web
from web import quick_client

from unpaired.collect import answers, asking
from unpaired.collect.client import Client
from unpaired.collect.planning import WEB
from unpaired.params import Domain

KEYS = {
    "GOOGLE_API_KEY": fakes.GOOGLE_KEY,
    "GOOGLE_CSE_ID": fakes.GOOGLE_CX,
    "SERPAPI_API_KEY": fakes.SERPAPI_KEY,
}


@pytest.fixture
def server():
    """The hostile one, which can be told what to say."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def client(monkeypatch):
    """A client whose pauses take no time."""
    with quick_client(monkeypatch, seconds=5) as client:
        yield client


@pytest.fixture
def web():
    """A server of pictures that counts what is asked of it."""
    web = Web()
    yield web
    web.close()


@pytest.fixture
def serve():
    """serve(fake) → the fake, reachable until the test ends."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda fake: stack.enter_context(fakes.serving(fake))


@pytest.fixture
def ask(monkeypatch):
    """ask(source, fake, request) → (candidates, whether a next page is worth asking)."""
    with Client("test@example.org", loopback=True) as client:
        monkeypatch.setattr(client.clock, "sleep", lambda seconds: None)

        def asked(source, fake, request, secrets=KEYS):
            return WEB[source].ask(request, client, fake.endpoint, secrets)

        yield asked


@pytest.fixture
def place(monkeypatch, tmp_path):
    """A folder of the test's own for kept answers and .env, and no key in the environment."""
    monkeypatch.setattr(answers, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(asking, "ROOT", tmp_path)
    for name in (*KEYS, "OPENVERSE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def keys(place, monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def rules(tiny_params, tmp_path):
    """rules(source=…, …) → parameters with these in the search section, its folder empty."""
    (tmp_path / "added").mkdir()

    def changed(domains=None, **changes):
        changes = {"watch": str(tmp_path / "added"), "contact": "test@example.org"} | changes
        changes = {f"search.{key.replace('__', '.')}": value for key, value in changes.items()}
        params = tiny_params(changes)
        return params.model_copy(update={"domains": domains}) if domains else params

    return changed


@pytest.fixture
def bags():
    """bags("handbag", …, train=6, test=2) → a domain with these queries."""

    def domain(*queries, name="handbag", train=30, test=10):
        return Domain(name=name, queries=list(queries) or [name], train=train, test=test)

    return domain
