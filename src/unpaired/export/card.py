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
    evaluation: figures by name, of which finite numbers are shown.
    """
    kind = KINDS[card["architecture"]["name"]]
    names = card.get("labels", card["domains"])
    title = kind.title.format(kind.joint.join(names))
    figures = [(name, value) for name, value in evaluation.items() if _finite(value)]
    tags = dict.fromkeys([kind.task, "unpaired", kind.model, "onnx", *card["domains"], *names])
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


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _yaml(value: Any) -> str:
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    text = io.StringIO()
    yaml.dump(value, text)
    return text.getvalue()
