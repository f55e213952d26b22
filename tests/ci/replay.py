"""Runs a workflow's very steps, job after job, each in a clone of its own, as a runner would.

What GitHub does is emulated as far as the workflow uses it, and whatever else it comes to use
fails: a replay that skipped what it does not know would prove nothing.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expressions import evaluate, fill
from ruamel.yaml import YAML

BIN = Path(sys.executable).parent
# Stands for GitHub's API: knows one pull request, and keeps what it is told.
GH = """#!/usr/bin/env bash
echo "$*" >>"$GH_STUB/calls"
case "$*" in
  "api repos/"*/commits/*/pulls*) echo 7 ;;
  "pr comment 7 "*"--body-file comment.md"*) cp comment.md "$GH_STUB/comment.md" ;;
  *) echo "gh $*: unknown to the replay" >&2; exit 1 ;;
esac
"""


@dataclass
class Job:
    """result: success, failure or skipped; folder: its clone; log: all that its steps said."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    folder: Path = Path()
    log: str = ""

    @property
    def ran(self) -> list[str]:
        """The DVC stages that it ran, restored ones not among them."""
        lines = self.log.splitlines()
        return [line.split("'")[1] for line in lines if line.startswith("Running stage '")]

    @property
    def errors(self) -> list[str]:
        return [line for line in self.log.splitlines() if line.lower().startswith("error")]


class Replay:
    """A repository on a server, its runners, and what they share.

    variables: of the repository's settings; environment: of each runner, beside its own.
    """

    def __init__(self, folder: Path, origin: Path, variables: dict[str, str], **environment: str):
        self.folder, self.origin, self.variables = folder, origin, variables
        self.stub = folder / "gh"
        for made in ("gh", "home", "runs"):
            (folder / made).mkdir(parents=True)
        (self.stub / "gh").write_text(GH)
        (self.stub / "gh").chmod(0o755)
        self.environment = environment
        self.number = 0
        self.log = folder / "replay.log"

    def run(self, event: str = "push", inputs: dict[str, str] | None = None) -> dict[str, Job]:
        """All jobs of retrain.yml at the tip of main, in the order of their needs."""
        self.begin(event, inputs)
        jobs: dict[str, Job] = {}
        for name in self.workflow["jobs"]:
            jobs[name] = self.job(name, jobs)
        return jobs

    def begin(self, event: str = "push", inputs: dict[str, str] | None = None) -> None:
        """A new run of the workflow, of which `job` runs the jobs."""
        self.number += 1
        self.inputs = inputs or {}
        self.event = event
        self.sha = self.git("rev-parse", "main")
        text = self.git("show", "main:.github/workflows/retrain.yml")
        self.workflow = YAML(typ="safe").load(text)
        self._say(f"\n======== run {self.number}: {event} {self.inputs or ''} of {self.sha[:9]}\n")

    def job(self, name: str, jobs: dict[str, Job]) -> Job:
        """One job, given those before it."""
        job, folder = self.workflow["jobs"][name], self.prepare(name)
        needs = job.get("needs", [])
        needed = {need: jobs[need] for need in ([needs] if isinstance(needs, str) else needs)}
        context = self._context() | {
            "needs": {n: {"result": j.result, "outputs": j.outputs} for n, j in needed.items()}
        }
        failed = any(self._failed(job) for job in jobs.values())
        if not evaluate(job.get("if", "success()"), context, failed, self._went(needed)):
            self._say(f"\n==== {name}: skipped\n")
            return Job("skipped")
        self._say(f"\n==== {name} on {job['runs-on']}\n")
        done = Job("success", folder=folder / "work")
        steps: dict[str, dict[str, dict[str, str]]] = {}
        env = self.environment_of(folder) | self._filled(self.workflow.get("env"), context)
        env |= self._filled(job.get("env"), context)
        for step in job["steps"]:
            local = context | {"steps": steps}
            if not evaluate(step.get("if", "success()"), local, False, True):
                self._say(f"-- {step.get('uses', step.get('run'))}: skipped\n")
                continue
            code, said = self._step(step, folder, env, local)
            done.log += said
            if "id" in step:
                steps[step["id"]] = {"outputs": _pairs(folder / "output")}
            (folder / "output").write_text("")
            if code:
                self._say(f"-- failed with exit code {code}\n")
                done.result = "failure"
                return done
        done.outputs = self._filled(job.get("outputs"), context | {"steps": steps})
        return done

    def prepare(self, name: str) -> Path:
        """A runner's folders and files."""
        folder = self.folder / "runs" / f"{self.number}-{name}-{time.monotonic_ns()}"
        (folder / "temp").mkdir(parents=True)
        for file in ("output", "summary", "path"):
            (folder / file).touch()
        return folder

    def environment_of(self, folder: Path) -> dict[str, str]:
        """A runner's own: little of this process's goes in."""
        return {
            "PATH": f"{self.stub}:{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "CI": "true",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(folder / "work/src"),
            "PYTHONUNBUFFERED": "1",
            "GH_STUB": str(self.stub),
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": self.event,
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_PATH": str(folder / "path"),
            "GITHUB_REPOSITORY": "someone/unpaired",
            "GITHUB_RUN_ID": str(1000 + self.number),
            "GITHUB_RUN_NUMBER": str(self.number),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": self.sha,
            "RUNNER_TEMP": str(folder / "temp"),
        } | self.environment

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.origin), *arguments]
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip()

    def _step(self, step: dict[str, Any], folder: Path, env: dict, context: dict):
        given = self._filled(step.get("with"), context)
        if "run" in step:
            self._say(f"-- $ {step['run']}\n")
            return self._shell(step["run"], folder, env | self._filled(step.get("env"), context))
        self._say(f"-- {step['uses']} {given}\n")
        match step["uses"].partition("@")[0]:
            case "actions/checkout":
                self._checkout(folder / "work", given)
            case "actions/upload-artifact":
                self._upload(folder / "work", given)
            case "actions/download-artifact":
                artifact = self._artifact(given["name"])
                shutil.copytree(
                    artifact, folder / "work" / given.get("path", ""), dirs_exist_ok=True
                )
            case unknown:
                raise ValueError(f"the replay does not know {unknown}")
        return 0, ""

    def _shell(self, line: str, folder: Path, env: dict) -> tuple[int, str]:
        script = folder / "step.sh"
        script.write_text(line)
        added = (folder / "path").read_text().split()
        path = os.pathsep.join([*reversed(added), env["PATH"]])
        with open(self.log, "a+") as log:
            start = log.seek(0, os.SEEK_END)
            done = subprocess.run(
                ["bash", "-e", str(script)],
                cwd=folder / "work",
                env=env | {"PATH": path},
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=900,
            )
            log.seek(start)
            return done.returncode, log.read()

    def _checkout(self, work: Path, given: dict[str, str]) -> None:
        def git(*arguments: str) -> None:
            subprocess.run(["git", "-C", str(work), *arguments], check=True, capture_output=True)

        work.mkdir()
        git("init", "-q", "-b", "main")
        git("remote", "add", "origin", f"file://{self.origin}")
        git("fetch", "-q", "--depth", "1", "origin", given["ref"])
        git("checkout", "-q", "-B", "main", "FETCH_HEAD")
        if given["persist-credentials"] != "true":
            git("remote", "set-url", "--push", "origin", "/no/credentials")
        # `make setup` finds all installed.
        (work / ".venv").mkdir()
        for part in ("bin", "lib", "pyvenv.cfg"):
            (work / ".venv" / part).symlink_to(BIN.parent / part)
        (work / ".venv/.done").touch()

    def _upload(self, work: Path, given: dict[str, str]) -> None:
        assert given["overwrite"] == "true", "a job run again could not upload anew"
        target = self._artifact(given["name"])
        shutil.rmtree(target, ignore_errors=True)
        patterns = given["path"].split()
        if len(patterns) == 1 and (work / patterns[0]).is_dir():
            shutil.copytree(work / patterns[0], target)
            return
        files = [file for pattern in patterns for file in work.glob(pattern)]
        assert files, f"{patterns}: no such files"
        for file in files:
            place = target / file.relative_to(work)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)

    def _artifact(self, name: str) -> Path:
        return self.folder / "artifacts" / str(self.number) / name

    def _context(self) -> dict[str, Any]:
        github = {
            "ref": "refs/heads/main",
            "token": "a token",
            "event": {"repository": {"fork": False}},
        }
        return {"github": github, "vars": self.variables, "secrets": {}, "inputs": self.inputs}

    def _filled(self, values: dict[str, Any] | None, context: dict) -> dict[str, str]:
        return {key: fill(_text(value), context) for key, value in (values or {}).items()}

    @staticmethod
    def _failed(job: Job) -> bool:
        return job.result == "failure"

    @staticmethod
    def _went(needed: dict[str, Job]) -> bool:
        return all(job.result == "success" for job in needed.values())

    def _say(self, text: str) -> None:
        with open(self.log, "a") as log:
            log.write(text)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pairs(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())
