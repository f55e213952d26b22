"""Whole settings by name: profiles/<name>.yaml, a part of params.yaml that is merged into it.

What belongs to a model is the section `train`, so that one of another `train.model` replaces it
whole, with its comments; everything else is merged key by key.
"""

import json
import os
from pathlib import Path
from typing import Any, get_args

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from unpaired import params
from unpaired.errors import Problem
from unpaired.params.models import MODELS, Train

PROFILES = Path("profiles")
Changes = dict[str, tuple[Any, Any]]
KEYS = {
    name: set(model.model_fields)
    for name, model in zip(MODELS, get_args(get_args(Train)[0]), strict=True)
}


def profiles(folder: Path = PROFILES) -> dict[str, str]:
    """Each profile's name and the first comment line of its file."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        lines = path.read_text(encoding="utf-8").splitlines()
        found[path.stem] = next((line.strip("# ") for line in lines if line.startswith("#")), "")
    return found


def merge_profile(
    name: str, params_path: Path = Path("params.yaml"), folder: Path = PROFILES
) -> Changes:
    """Merges a profile into params.yaml as `merge_into` does.

    Raises:
        Problem: no profile of that name; a key in it that is no parameter, or a wrong value.
    """
    known = profiles(folder)
    if name not in known:
        there = f"there are {', '.join(known)}" if known else f"{folder}/ holds none"
        raise Problem(f"no profile {name!r}: {there}")
    path = folder / f"{name}.yaml"
    try:
        changes = YAML().load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise Problem(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(changes, dict):
        raise Problem(f"{path} holds no parameters: it is to be a part of {params_path}")
    return merge_into(params_path, changes, str(path))


def merge_into(params_path: Path, changes: dict[str, Any], source: str = "the change") -> Changes:
    """Changes a parameter file and nothing else in it: comments, order and style stay.

    What is written is what was checked, and it replaces the old file at once; a change that is
    refused leaves the file as it was.

    Args:
        changes: a part of params.yaml, `{"train": {"epochs": 3}}`; a key may also be a path,
            `{"train.epochs": 3}`, as overrides on a command line have it (read their values with
            YAML, so that 3 is a number). Lists are replaced whole, and so is `train` by that of
            another model.
        source: where they come from, for errors.

    Returns:
        The full key, old and new value of each parameter that is now another; empty if none is.

    Raises:
        Problem: the file was wrong before, or a key that is no parameter, or a wrong value, or
            parameters of another model without its name.
    """
    present = params.load(params_path).train.model
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 1 << 16, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    values = yaml.load(params_path.read_text(encoding="utf-8"))
    changed: Changes = {}
    for key, value in changes.items():
        *sections, last = str(key).split(".")
        nested = {last: value}
        for section in reversed(sections):
            nested = {section: nested}
        train = nested.get("train")
        if isinstance(train, dict) and _another_model(train, present, source):
            _replace(values, train, changed)
        else:
            _merge(values, nested, "", changed)
    if not changed:
        return changed
    temporary = params_path.with_name(f".{params_path.name}.part")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            yaml.dump(values, file)
        params.load(temporary)
        os.replace(temporary, params_path)
    except Problem as problem:
        raise Problem(str(problem).replace(str(temporary), source)) from None
    finally:
        temporary.unlink(missing_ok=True)
    return changed


def plain(value: Any) -> str:
    """A parameter's value as one would write it: `true`, 0.5, `[{"name": "handbag"}]`."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _another_model(train: dict[str, Any], present: str, source: str) -> bool:
    """Whether this is the whole section of another model than the present one."""
    model = train.get("model", present)
    if model == present or model not in MODELS:
        fitting = [name for name, keys in KEYS.items() if keys.issuperset(train)]
        if fitting and present not in fitting:
            raise Problem(
                f"{source} changes {fitting[0]}, and train.model is {present}:"
                f" `unpaired profile {fitting[0]}` first"
            )
        return False
    if missing := KEYS[model].difference(train):
        raise Problem(
            f"{source}: another train.model brings all of its parameters, as `unpaired profile"
            f" {model}` does; train.{min(missing)} is missing"
        )
    return True


def _replace(values: dict[str, Any], train: dict[str, Any], changed: Changes) -> None:
    """The section `train` by another with its comments; what stood after the old one stays."""
    old = values["train"]
    both = {key: (old.get(key), train.get(key)) for key in [*old, *train]}
    changed |= {f"train.{key}": pair for key, pair in both.items() if pair[0] != pair[1]}
    section = train if isinstance(train, CommentedMap) else CommentedMap(train)
    for token in filter(None, section.ca.items.get(next(reversed(section)), ())):
        token.value = token.value.partition("\n")[0] + "\n"  # what follows it in its own file
    section.ca.comment, section.ca.end = [None, None], _trailing(old)
    values["train"] = section


def _merge(values: dict[str, Any], changes: dict[str, Any], prefix: str, changed: Changes) -> None:
    for key, new in changes.items():
        old = values.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            _merge(old, new, f"{prefix}{key}.", changed)
        elif key not in values or plain(old) != plain(new):
            changed[f"{prefix}{key}"] = old, new
            values[key] = _rows(old, new) if isinstance(new, list) else new


def _rows(old: Any, new: list) -> CommentedSeq:
    """`new` with a row an item, and what stood between the old list and the next section."""
    rows = CommentedSeq(_flow(item) for item in new)
    rows.ca.comment, rows.ca.end = [None, None], _trailing(old)  # `end` alone is not written
    return rows


def _flow(item: Any) -> Any:
    if isinstance(item, dict):
        item = CommentedMap({key: _flow(value) for key, value in item.items()})
    elif isinstance(item, list):
        item = CommentedSeq(_flow(value) for value in item)
    else:
        return item
    item.fa.set_flow_style()
    return item


def _trailing(node: Any) -> list:
    """Comments and empty lines after a list, which ruamel.yaml keeps with its last line."""
    if not isinstance(node, CommentedMap | CommentedSeq) or not node:
        return []
    if node.ca.end:
        return node.ca.end
    last = next(reversed(node)) if isinstance(node, CommentedMap) else len(node) - 1
    tokens = node.ca.items.get(last) or []
    for token in filter(None, tokens):
        # The first line is that row's own.
        token.value = token.value.split("\n", 1)[-1]
        return [token]
    return _trailing(node[last])
