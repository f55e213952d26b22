"""What the workflows may and may not: read from their YAML."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from expressions import evaluate, fill
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
HASH = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")
OUTPUTS = {"commit": "c0ffee", "branch": "main", "changed": "true", "train": "true"}


def load(path: Path) -> dict:
    return YAML(typ="safe").load(path)


RETRAIN = load(ROOT / ".github/workflows/retrain.yml")
STEPS = [
    pytest.param(path, name, step, id=f"{path.stem}-{name}-{place}")
    for path in WORKFLOWS
    for name, job in load(path)["jobs"].items()
    for place, step in enumerate(job["steps"])
]
JOBS = [
    pytest.param(job, id=f"{path.stem}-{name}")
    for path in WORKFLOWS
    for name, job in load(path)["jobs"].items()
]


@pytest.mark.parametrize(("path", "job", "step"), STEPS)
def test_a_step_is_a_pinned_action_or_one_line_without_an_expression(path, job, step):
    if "uses" in step:
        assert HASH.fullmatch(step["uses"])
        assert re.search(rf"uses: {step['uses']} # v\d+\.\d+\.\d+$", path.read_text(), re.M)
        return
    assert "\n" not in step["run"] and "${{" not in step["run"]
    script = step["run"].removeprefix("exec ").split()[0]
    assert script == "make" or (ROOT / script).stat().st_mode & 0o111, f"{script} cannot be run"


@pytest.mark.parametrize("job", JOBS)
def test_a_job_has_a_timeout_and_hands_on_no_credentials(job):
    assert 0 < job["timeout-minutes"] <= 2880
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            keeps = step["with"]["persist-credentials"]
            assert keeps is (job.get("permissions", {}).get("contents") == "write")


def test_only_what_needs_a_right_has_it():
    assert RETRAIN["permissions"] == {}
    rights = {name: job.get("permissions", {}) for name, job in RETRAIN["jobs"].items()}
    stores = {"contents": "read", "id-token": "write"}
    assert rights == {
        "data": stores,
        "train": stores,
        "evaluate": stores,
        "record": {"contents": "write"},
        "report": {"contents": "read", "pull-requests": "write"},
        "promote": stores,
    }
    assert load(ROOT / ".github/workflows/ci.yml")["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nobody_elses_code_meets_a_secret_or_a_runner_of_ours(path):
    workflow = load(path)
    assert "pull_request_target" not in workflow["on"] and "workflow_run" not in workflow["on"]
    if "pull_request" in workflow["on"]:
        assert "secrets." not in path.read_text()
        assert not any("self-hosted" in job["runs-on"] for job in workflow["jobs"].values())


def test_retraining_starts_on_main_alone_and_in_no_fork():
    assert set(RETRAIN["on"]) == {"push", "schedule", "workflow_dispatch"}
    assert RETRAIN["on"]["push"]["branches"] == ["main"]
    condition = RETRAIN["jobs"]["data"]["if"]

    def allowed(ref: str, fork: bool) -> bool:
        github = {"ref": ref, "event": {"repository": {"fork": fork}}}
        return evaluate(condition, {"github": github}, failed=False, went=True)

    assert allowed("refs/heads/main", False)
    assert not allowed("refs/heads/main", True)
    assert not allowed("refs/heads/mine", False)
    # No job goes without it: an output of a job that was skipped is empty.
    context = {"data": {"result": "skipped", "outputs": {}}}
    context |= {name: {"result": "skipped", "outputs": {}} for name in RETRAIN["jobs"]}
    for name in ("train", "evaluate", "record", "report", "promote"):
        condition = RETRAIN["jobs"][name]["if"]
        assert not evaluate(condition, {"needs": context}, failed=False, went=False), name


@pytest.mark.parametrize("failing", ["data", "train", "evaluate"])
def test_nothing_is_recorded_after_a_failure(failing):
    needs = {name: {"result": "success", "outputs": OUTPUTS} for name in RETRAIN["jobs"]}
    needs[failing]["result"] = "failure"
    for name in ("record", "report", "promote"):
        condition = RETRAIN["jobs"][name]["if"]
        assert not evaluate(condition, {"needs": needs}, failed=True, went=False)


def test_retrainings_wait_for_one_another():
    assert RETRAIN["concurrency"] == {"group": "retrain", "cancel-in-progress": False}
    assert RETRAIN["jobs"]["promote"]["environment"] == "production"
    assert RETRAIN["jobs"]["train"]["runs-on"] == ["self-hosted", "gpu"]


def test_what_is_recorded_starts_no_retraining():
    paths = RETRAIN["on"]["push"]["paths"]
    for path in ("dvc.lock", "metrics/evaluation.json", "README.md", "src/other.py"):
        assert not any(
            Path(path).full_match(p) if sys.version_info >= (3, 13) else _match(path, p)
            for p in paths
        )
    for path in ("data/added/handbag.dvc", "params.yaml", "src/unpaired/training/loop.py"):
        assert any(_match(path, pattern) for pattern in paths)


def _match(path: str, pattern: str) -> bool:
    return path == pattern or (pattern.endswith("/**") and path.startswith(pattern[:-2]))


def test_every_input_of_the_pipeline_that_git_has_starts_a_retraining():
    paths = RETRAIN["on"]["push"]["paths"]
    stages = load(ROOT / "dvc.yaml")["stages"]
    made = {out for stage in stages.values() for out in stage["outs"]}
    made |= {path for stage in stages.values() for one in stage.get("metrics", []) for path in one}
    read = {dep for stage in stages.values() for dep in stage["deps"]} - made
    read = {dep.replace("${search.watch}", "data/added") for dep in read}
    for dep in read:
        assert any(_match(dep, one) or _match(f"{dep}/x", one) for one in paths), dep


@pytest.mark.parametrize(
    "command",
    [
        ["zizmor", "--offline", "--quiet", "--pedantic"],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
    ],
    ids=lambda command: command[0],
)
def test_the_workflows_pass(command):
    assert (BIN / command[0]).exists() or shutil.which(command[0])
    done = subprocess.run(
        [BIN / command[0], *command[1:], *WORKFLOWS], text=True, capture_output=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("condition", "failed", "went", "expected"),
    [
        ("vars.A == 'x' && !vars.B", False, True, True),
        ("vars.A != 'x' || vars.B", False, True, False),
        ("vars.A == 'x'", False, False, False),  # success() is meant
        ("${{ !failure() && vars.A == 'x' }}", False, False, True),
        ("${{ !failure() && vars.A == 'x' }}", True, True, False),
        ("(vars.B || vars.A) == 'x'", False, True, True),
    ],
)
def test_conditions_are_those_of_the_workflow_language(condition, failed, went, expected):
    assert evaluate(condition, {"vars": {"A": "x"}}, failed, went) is expected


@pytest.mark.parametrize(
    "unknown", ["always()", "hashFiles('x')", "nobody.A", "!(vars.A)", "a <= 2"]
)
def test_what_the_replay_does_not_know_fails(unknown):
    with pytest.raises((KeyError, ValueError, SyntaxError)):
        evaluate(unknown, {"vars": {"A": "x"}}, False, True)


def test_a_text_is_filled_in():
    assert fill("${{ vars.N || 3600 }} s of ${{ vars.A }}", {"vars": {"A": "x"}}) == "3600 s of x"
