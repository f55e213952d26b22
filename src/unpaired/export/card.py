"""The model card, in the form of the Hugging Face hub. Its texts are the templates beside it."""

import io
import math
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from ruamel.yaml import YAML

from unpaired.params import Domain
from unpaired.translate import direction


@dataclass(frozen=True)
class Kind:
    """model: as in `train.model`, also its tag and its template; task: as the hub names it;
    does: for people; title, joint: `title` is filled with the domains or classes, joined."""

    model: str
    task: str
    does: str
    title: str
    joint: str = ", "


KINDS = {
    "resnet": Kind(
        "cyclegan", "image-to-image", "Unpaired image translation", "Unpaired {}", " ↔ "
    ),
    "stargan": Kind("stargan", "image-to-image", "Unpaired image translation", "Unpaired {}"),
    "dcgan": Kind("dcgan", "unconditional-image-generation", "Image generation", "DCGAN: {}"),
}


def model_card(
    card: dict[str, Any], networks: list[str], domains: list[Domain], evaluation: dict[str, Any]
) -> str:
    """README.md with YAML front matter.

    card: the generators' own; networks: their names; domains: with the counts of pictures;
    evaluation: figures by name.
    """
    kind = KINDS[card["architecture"]["name"]]
    title = title_of(card)
    figures = shown(evaluation)
    tags = dict.fromkeys(
        [kind.task, "unpaired", kind.model, "onnx", *card["domains"], *card.get("labels", [])]
    )
    front = {
        "license": "mit",
        "pipeline_tag": kind.task,
        "library_name": "unpaired",
        "tags": list(tags),
        "model-index": [
            {
                "name": title,
                "results": [
                    {
                        "task": {"type": kind.task, "name": kind.does},
                        "dataset": {
                            "name": " and ".join(f"{d.test} {d.name}" for d in domains),
                            "type": "image-folder",
                            "split": "test",
                        },
                        "metrics": [
                            {"type": name, "name": name, "value": value} for name, value in figures
                        ],
                    }
                ],
            }
        ],
    }
    templates = Environment(
        loader=PackageLoader("unpaired.export", "."),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template(f"{kind.model}.md.j2").render(
        front=_yaml(front),
        title=title,
        card=card,
        networks=networks,
        direction=direction,
        architecture=", ".join(f"{key} {value}" for key, value in card["architecture"].items()),
        domains=domains,
        figures=figures,
    )


def title_of(card: dict[str, Any]) -> str:
    """`Unpaired apple ↔ pear`."""
    kind = KINDS[card["architecture"]["name"]]
    return kind.title.format(kind.joint.join(card.get("labels", card["domains"])))


def shown(figures: dict[str, Any]) -> list[tuple[str, float]]:
    """Those that are finite numbers. Of a StarGAN's ways from class to class (`…_black_to_red`),
    which are many, the share alone that gets there."""
    return [
        (name, value)
        for name, value in figures.items()
        if isinstance(value, int | float)
        and math.isfinite(value)
        and ("_to_" not in name or name.startswith("target_share_"))
    ]


def _yaml(value: Any) -> str:
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    text = io.StringIO()
    yaml.dump(value, text)
    return text.getvalue()
