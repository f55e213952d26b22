"""What may import what."""

import ast
import subprocess
import sys
from pathlib import Path

import unpaired

SOURCES = Path(unpaired.__file__).parent


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from names


def test_no_other_file_imports_mlflow():
    files = [path for path in SOURCES.rglob("*.py") if "mlflow" in " ".join(imported(path))]
    places = {path.relative_to(SOURCES).parts[0] for path in files}
    assert places == {"registry.py", "serving.py", "tracking"}


def test_training_runs_without_the_rest_of_the_house():
    own = ("unpaired.training", "unpaired.networks", "unpaired.errors")
    files = [*SOURCES.glob("training/*.py"), *SOURCES.glob("networks/*.py")]
    found = {name for path in files for name in imported(path)}
    foreign = {name for name in found if name.startswith("unpaired") and not name.startswith(own)}
    assert foreign == {"unpaired.params.models"}  # for type checkers alone
    assert not {name for name in found if name.startswith(("dvc", "mlflow", "pandas"))}
    for path in files:
        assert "\nfrom unpaired.params" not in path.read_text(encoding="utf-8")


def test_importing_the_package_does_not_import_torch():
    script = "import sys, unpaired; print('torch' in sys.modules, callable(unpaired.load))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert answer.stdout.split() == ["False", "True"]
