#!/usr/bin/env python3
"""Writes $OVERRIDES, as in "train.epochs=20 train.seed=1", into params.yaml.

They come from a person, and are read from the environment alone: no shell ever sees them.
"""

import os
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from shared import main

from unpaired.errors import Problem
from unpaired.profiles import merge_into, plain


def overrides() -> None:
    changes = dict(map(read, os.environ.get("OVERRIDES", "").split()))
    for key, (old, new) in merge_into(Path("params.yaml"), changes, "the overrides").items():
        print(f"{key}: {plain(old)} -> {plain(new)}")


def read(text: str) -> tuple[str, object]:
    key, sign, value = text.partition("=")
    if not (key and sign and value):
        raise Problem(f"override {text!r} is not of the form section.key=value")
    try:
        return key, YAML(typ="safe").load(value)
    except YAMLError:
        raise Problem(f"override {text!r}: its value is not YAML") from None


if __name__ == "__main__":
    main(overrides)
