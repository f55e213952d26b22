"""Data, models and run cache on S3: there and back, interrupted, and with what can be wrong."""

import hashlib
import json
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from urllib.request import Request, urlopen

import boto3
import pytest
from clone import Clone
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


class S3:
    """A moto server on a free port, which can hold what comes after so many requests."""

    def __init__(self):
        self.app = DomainDispatcherApplication(create_backend_app)
        self.method, self.left, self.lock = "", 0, Lock()
        self.reached, self.released = Event(), Event()
        self.server = make_server("127.0.0.1", 0, self, True, 1, MotoRequestHandler)
        self.url = f"http://127.0.0.1:{self.server.port}"
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.bucket = boto3.resource("s3", endpoint_url=self.url).create_bucket(Bucket="bucket")

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == self.method and "/files/md5" in environ["PATH_INFO"]:
            with self.lock:
                self.left -= 1
            if self.left < 0:
                self.reached.set()
                self.released.wait()
                start_response("503 Slow Down", [])
                return []
        return self.app(environ, start_response)

    @contextmanager
    def held(self, method: str, answered: int = 0) -> Iterator[None]:
        """Answers so many requests for files, and leaves the others waiting."""
        self.method, self.left = method, answered
        self.reached.clear()
        self.released.clear()
        yield
        self.method = ""
        self.released.set()

    def kill_at(self, clone: Clone, method: str, answered: int, *command: str) -> None:
        """Kills the command when so many of its requests have been answered, and others wait."""
        with self.held(method, answered), clone.start(*command) as process:
            while not self.reached.wait(0.2):
                assert process.poll() is None, process.stdout.read()
            process.kill()

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Key below the prefix → content."""
        found = self.bucket.objects.filter(Prefix=f"{prefix}/")
        return {one.key.removeprefix(f"{prefix}/"): one.get()["Body"].read() for one in found}

    @contextmanager
    def strict(self) -> Iterator[None]:
        """Asks who it is and what they may do; moto lets everybody do everything otherwise."""
        self._unchecked_requests(b"0")
        yield
        self._unchecked_requests(b"inf")

    def reader(self) -> dict[str, str]:
        """The environment of somebody who may read and not write."""
        iam = boto3.client("iam", endpoint_url=self.url)
        iam.create_user(UserName="reader")
        rights = {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
        iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=policy)
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def _unchecked_requests(self, count: bytes) -> None:
        request = Request(f"{self.url}/moto-api/reset-auth", count, {"Content-Type": "text/plain"})
        urlopen(request).close()


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    nothing = tmp_path_factory.mktemp("aws") / "empty"
    nothing.touch()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, str(nothing))  # not a person's own
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_PROFILE", raising=False)
        server = S3()
        yield server
        server.server.shutdown()


@pytest.fixture(scope="module")
def clone(reproduced, tmp_path_factory):
    return reproduced.copied(tmp_path_factory.mktemp("remotes") / "unpaired")


def use(clone: Clone, url: str, endpoint: str, **settings: str) -> Clone:
    """Makes s3://… at an endpoint the clone's default remote."""
    clone.run("dvc", "remote", "add", "-q", "--local", "-f", "-d", "s3", url)
    for name, value in {"endpointurl": endpoint, **settings}.items():
        clone.run("dvc", "remote", "modify", "--local", "s3", name, value)
    return clone


def cached(clone: Clone) -> set[str]:
    """What DVC keeps here, as paths below its cache; without the metrics, which git keeps too."""
    cache = clone.folder / ".dvc/cache"
    files = {str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file()}
    metrics = [md5(path.read_bytes()) for path in (clone.folder / "metrics").glob("*.json")]
    return files - {f"files/md5/{one[:2]}/{one[2:]}" for one in metrics}


def assert_whole(clone: Clone) -> None:
    assert "up to date" in clone.run("dvc", "status")
    assert clone.repro() == []


def test_a_fresh_clone_pulls_everything_and_runs_nothing(s3, clone, tmp_path):
    use(clone, "s3://bucket/whole", s3.url)
    clone.run("dvc", "push", "--run-cache")
    assert set(s3.objects("whole")) == cached(clone)
    assert "in sync" in clone.run("dvc", "status", "--cloud")

    fresh = use(clone.cloned(tmp_path / "fresh"), "s3://bucket/whole", s3.url)
    fresh.run("dvc", "pull")
    assert_whole(fresh)
    for path in ("models/generators.safetensors", "models/export/generator_ab.onnx"):
        assert (fresh.folder / path).read_bytes() == (clone.folder / path).read_bytes()


def test_what_was_run_elsewhere_is_not_run_again(s3, clone, tmp_path):
    use(clone, "s3://bucket/runs", s3.url)
    clone.run("unpaired", "push")
    fresh = use(clone.cloned(tmp_path / "fresh"), "s3://bucket/runs", s3.url)
    recorded = (fresh.folder / "dvc.lock").read_text()
    (fresh.folder / "dvc.lock").unlink()
    assert fresh.repro("--pull") == []
    assert (fresh.folder / "dvc.lock").read_text() == recorded


def test_a_push_that_was_killed_goes_on(s3, clone, tmp_path):
    use(clone, "s3://bucket/push", s3.url)
    s3.kill_at(clone, "PUT", 10, "dvc", "push")
    half = s3.objects("push")
    clone.run("dvc", "push")
    whole = s3.objects("push")
    assert set(half) < set(whole)
    assert set(whole) == {path for path in cached(clone) if path.startswith("files/")}
    for key, content in whole.items():
        name = key.removeprefix("files/md5/").replace("/", "").removesuffix(".dir")
        assert md5(content) == name
    fresh = use(clone.cloned(tmp_path / "fresh"), "s3://bucket/push", s3.url)
    fresh.run("dvc", "pull")
    assert_whole(fresh)


def test_a_pull_that_was_killed_goes_on(s3, clone, tmp_path):
    use(clone, "s3://bucket/pull", s3.url).run("dvc", "push")
    fresh = use(clone.cloned(tmp_path / "fresh"), "s3://bucket/pull", s3.url)
    s3.kill_at(fresh, "GET", 30, "dvc", "pull")
    assert len(cached(fresh)) < len(cached(clone))
    fresh.run("dvc", "pull")
    assert_whole(fresh)


def errors(output: str) -> list[str]:
    assert "Traceback" not in output
    return [line for line in output.splitlines() if line.startswith("ERROR")]


@pytest.mark.parametrize(
    ("command", "told"), [("push", "no remote specified"), ("pull", "no default remote set")]
)
def test_without_a_remote_that_is_said(clone, tmp_path, command, told):
    output = clone.cloned(tmp_path / "fresh").run("dvc", command, code=1)
    assert told in output and len(errors(output)) == 1


def test_what_cannot_be_pushed_is_one_line(s3, clone, tmp_path):
    fresh = clone.cloned(tmp_path / "fresh")
    assert "no remote specified" in fresh.run("unpaired", "push", code=1).splitlines()[-1]
    output = use(clone, "s3://elsewhere/x", s3.url).run("unpaired", "push", code=1)
    (line,) = [text for text in output.splitlines() if text.startswith("error")]
    assert "bucket does not exist" in line and "Traceback" not in output


@pytest.mark.parametrize("command", ["push", "pull"])
def test_a_bucket_that_is_not_there(s3, clone, tmp_path, command):
    place = clone if command == "push" else clone.cloned(tmp_path / "fresh")
    output = use(place, "s3://elsewhere/x", s3.url).run("dvc", command, code=1)
    assert "bucket does not exist" in errors(output)[0] and len(errors(output)) == 1


@pytest.mark.parametrize("command", ["push", "pull"])
def test_credentials_that_nobody_knows(s3, clone, tmp_path, command):
    place = clone if command == "push" else clone.cloned(tmp_path / "fresh")
    use(place, "s3://bucket/x", s3.url)
    with s3.strict():
        output = place.run("dvc", command, code=1)
    assert "Forbidden" in errors(output)[0] and len(errors(output)) <= 2


def test_who_may_only_read_cannot_push(s3, clone, monkeypatch):
    use(clone, "s3://bucket/closed", s3.url)
    for name, value in s3.reader().items():
        monkeypatch.setenv(name, value)
    with s3.strict():
        output = clone.run("dvc", "push", code=1)
    assert "Access Denied" in errors(output)[0] and "failed to push" in errors(output)[-1]
    assert s3.objects("closed") == {}


def test_a_server_that_is_away(s3, clone, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # by default some minutes
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        fresh = use(clone.cloned(tmp_path / "fresh"), "s3://bucket/x", url)
        output = fresh.run("dvc", "pull", code=1)
    assert "Could not connect" in errors(output)[0] and len(errors(output)) == 2
    assert fresh.run("git", "status", "--porcelain") == ""


def test_a_server_that_does_not_answer(s3, clone, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    fresh = use(clone.cloned(tmp_path / "fresh"), "s3://bucket/x", s3.url, read_timeout="1")
    with s3.held("HEAD"):
        output = fresh.run("dvc", "pull", "models/run.json", code=1)
    assert "Read timeout" in errors(output)[0] and len(errors(output)) == 2
