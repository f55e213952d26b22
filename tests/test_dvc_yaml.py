"""dvc.yaml names the code that each stage runs, so that no change of it goes unnoticed."""

import ast
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
STAGES = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
# These check, report or record; they shape no output.
EXEMPT = {"__init__", "errors", "lineage", "params", "places", "stage", "tracking", "workers"}


def exempt(file: Path) -> bool:
    return file.relative_to(ROOT / "src/unpaired").parts[0].removesuffix(".py") in EXEMPT


def module_files(name: str) -> list[Path]:
    base = ROOT / "src" / Path(*name.split("."))
    return [path for path in (base.with_suffix(".py"), base / "__init__.py") if path.exists()]


def imported(path: Path) -> set[Path]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unpaired"):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {file for name in names for file in module_files(name)}


def closure(path: Path) -> set[Path]:
    seen, waiting = set(), [path]
    while waiting:
        one = waiting.pop()
        for file in imported(one) - seen:
            seen.add(file)
            if not exempt(file):
                waiting.append(file)
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_of_a_stage_is_among_its_dependencies(stage):
    script = ROOT / STAGES[stage]["cmd"].split()[-1]
    deps = [ROOT / dep for dep in STAGES[stage]["deps"]]
    assert script in deps
    missing = {
        file.relative_to(ROOT).as_posix()
        for file in closure(script)
        if not exempt(file) and not any(dep == file or dep in file.parents for dep in deps)
    }
    assert missing == set()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_the_code_of_its_own_workspace(stage):
    assert STAGES[stage]["cmd"] == f"PYTHONPATH=src python stages/{stage}.py"
