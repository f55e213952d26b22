"""What an experiment, a revision or an MLflow run holds: parameters, figures, test pictures."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import RevError, resolve_rev
from git import Git, GitCommandError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from unpaired.comparing.evaluated import Pictures, read_pictures
from unpaired.comparing.pairing import Estimate
from unpaired.errors import Problem
from unpaired.lineage import flatten

WORKSPACE = "workspace"
RUN_ID = re.compile("[0-9a-f]{32}")
FIGURES, TRAINING = "metrics/evaluation.json", "metrics/train.json"
TEST, TRANSLATED = "data/sets/test", "data/evaluation"


@dataclass(frozen=True)
class Result:
    """A column of the comparison.

    commit: where its files are; "" is the working tree, None: MLflow alone knows it.
    params: text by full key. domains: their names, A first. outdated: the parameters that are
    no longer those of the run that made the figures. spread: of figures that are means over
    training seeds, the standard deviation. estimates: of the figures that can be paired.
    """

    name: str
    commit: str | None
    params: dict[str, str]
    figures: dict[str, float]
    domains: list[str]
    outdated: list[str]
    spread: dict[str, float] = field(default_factory=dict)
    estimates: dict[str, Estimate] = field(default_factory=dict)


class Repository:
    """The git and DVC repository around the working directory.

    Raises:
        Problem: there is none.
    """

    def __init__(self) -> None:
        try:
            self.root = Path(Git().rev_parse("--show-toplevel"))
        except GitCommandError:
            raise Problem(f"{Path.cwd()} is in no git repository") from None
        self.git = Git(str(self.root))
        try:
            self.dvc = Repo(str(self.root))
        except DvcException as error:
            raise Problem(f"{self.root}: {_line(error)}") from None

    def read(self, name: str) -> Result:
        """name: `workspace`, an experiment, any git revision, or the id of an MLflow run, which
        stands for the first revision whose metrics/train.json has it, if there is one.

        Raises:
            Problem: there is none of that name, or it has no evaluation.
        """
        shown = name[:8] if re.fullmatch("[0-9a-f]{32,40}", name) else name
        commit = "" if name == WORKSPACE else self._commit(name)
        return _from_mlflow(name, shown) if commit is None else self._at(commit, shown)

    def pictures(self, result: Result, folder: Path) -> list[Pictures] | None:
        """The test pictures and what was made of them, A → B and B → A; None if nowhere.

        folder: gets those that are only in DVC's cache or on a remote.
        """
        if result.commit is None:
            return None
        place = self.root
        if result.commit and not (place := folder / result.commit).exists():
            try:
                with self.dvc.switch(result.commit):
                    for path in (TEST, TRANSLATED):
                        self.dvc.dvcfs.get(path, str(place / path), recursive=True)
            except Exception:  # a remote raises what it likes, and the figures stand without
                return None
        try:
            return read_pictures(place / TEST, place / TRANSLATED, result.domains[:2])
        except Problem:
            return None

    def _commit(self, name: str) -> str | None:
        with suppress(RevError):
            return resolve_rev(self.dvc.scm, name)
        if not RUN_ID.fullmatch(name):
            raise Problem(f"{name} is no experiment, no git revision and no id of an MLflow run")
        pattern = f'"run_id": "{name}"'
        with suppress(GitCommandError):
            commits = self.git.rev_list("--all", "--date-order", "--reverse").split()
            found = self.git.grep("-lF", "-e", pattern, *commits, "--", TRAINING)
            return found.split(":")[0]
        there = self.root / TRAINING
        return "" if there.exists() and pattern in there.read_text(encoding="utf-8") else None

    def _at(self, commit: str, name: str) -> Result:
        figures = self._load(commit, name, FIGURES)
        settings = self._load(commit, name, "params.yaml")
        if not figures or not isinstance(settings, dict):
            missing = "params.yaml" if figures else FIGURES
            raise Problem(f"{name} has no evaluation ({missing} is missing): `dvc repro` makes one")
        params = flatten(settings)
        domains = _domains(params, name)
        lock = self._load(commit, name, "dvc.lock") or {"stages": {}}
        used = [stage.get("params", {}).get("params.yaml", {}) for stage in lock["stages"].values()]
        known = _readable(params)
        outdated = {
            key
            for section in used
            for key, value in _readable(flatten(section)).items()
            if known.get(key) != value
        }
        return Result(name, commit, known, figures, domains, sorted(outdated))

    def _load(self, commit: str, name: str, path: str) -> Any:
        """The values in a YAML or JSON file, None if there is none."""
        try:
            if commit:
                text = self.git.show(f"{commit}:{path}")
            else:
                text = (self.root / path).read_text(encoding="utf-8")
            return json.loads(text) if path.endswith(".json") else YAML(typ="safe").load(text)
        except (FileNotFoundError, GitCommandError):
            return None
        except (ValueError, YAMLError) as error:
            raise Problem(f"{path} of {name} cannot be read: {_line(error)}") from None


def _from_mlflow(run_id: str, name: str) -> Result:
    from unpaired.tracking.evaluation import evaluated

    params, figures = evaluated(run_id)
    domains = _domains(params, name)
    return Result(name, None, _readable(params), figures, domains, [])


def _domains(params: dict[str, Any], name: str) -> list[str]:
    try:
        return [domain["name"] for domain in json.loads(params["domains"])]
    except (KeyError, TypeError, ValueError):
        raise Problem(f"{name}: its parameters name no domains") from None


def _readable(params: dict[str, Any]) -> dict[str, str]:
    """Flat parameters as text that is equal where the values are, with a key for each setting of
    a domain."""
    params = dict(params)
    for domain in json.loads(params.pop("domains", "[]")):
        params |= flatten({"domains": {domain.pop("name"): domain}})
    return {key: _text(value) for key, value in params.items()}


def _text(value: Any) -> str:
    """5, 5.0 and "5.0" (as MLflow has it) are the same."""
    text = " ".join(str(value).split())
    if text in ("True", "False"):
        return text.lower()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() else str(number)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
