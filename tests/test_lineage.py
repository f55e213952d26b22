from pathlib import Path

import git

from unpaired import lineage as module
from unpaired.lineage import flatten, lineage


def test_tags_name_the_commit_the_experiment_and_the_data(tmp_path, monkeypatch):
    for name in ("DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    author = git.Actor("A", "a@example.org")
    repository = git.Repo.init(tmp_path / "root")
    commit = repository.index.commit("first", author=author, committer=author).hexsha
    monkeypatch.setattr(module, "ROOT", tmp_path / "root")
    assert lineage("train") == {"mlflow.source.git.commit": commit}
    Path("dvc.yaml").write_text(
        "stages: {train: {cmd: x, deps: [src/code.py, data/sets/train]}, clean: {cmd: y}}"
    )
    Path("dvc.lock").write_text(
        "schema: '2.0'\nstages:\n  split:\n    cmd: z\n    outs:\n"
        "    - {path: data/sets/train, md5: ab.dir}\n    - {path: data/sets/test, md5: cd.dir}\n"
    )
    monkeypatch.setenv("DVC_EXP_NAME", "softer")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "1234")
    assert lineage("train") == {
        "mlflow.source.git.commit": commit,
        "dvc.experiment": "softer",
        "dvc.baseline": "1234",
        "dvc.data/sets/train": "ab.dir",
    }
    monkeypatch.setattr(module, "ROOT", tmp_path)  # no repository
    assert "mlflow.source.git.commit" not in lineage("train")


def test_flatten():
    nested = {"a": {"b": {"c": 1}, "d": [1, {"e": None}]}, "f": "text", "g": {}}
    assert flatten(nested) == {"a.b.c": 1, "a.d": '[1, {"e": null}]', "f": "text"}
