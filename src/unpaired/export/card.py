"""The model card, in the form of the Hugging Face hub."""

import io
import math
from typing import Any

from jinja2 import Environment, StrictUndefined
from ruamel.yaml import YAML

from unpaired.params import Domain
from unpaired.translate import direction

TEMPLATE = """\
---
{{ front }}---

# {{ title }}

Unpaired image translation (CycleGAN, Zhu et al. 2017), learned from two piles of pictures
without any pairs between them.

| generator | takes | gives |
|---|---|---|
{% for name, source, target in directions -%}
| `{{ name }}` | {{ source }} | {{ target }} |
{% endfor %}
## Use

```python
from unpaired import load
translate = load("path/to/this/folder")
translate("{{ directions[0][1] }}.jpg", to="{{ directions[0][2] }}").save("translated.png")
```

Without torch: each `.onnx` file takes `image`, float32, batch × 3 × height × width, RGB in
[-1, 1], sides multiples of 4 and at least 16, and gives `translation`, of the same shape and
range. The models were trained at {{ size }} × {{ size }} px
({{ {"pad": "padded to a square with the colour of the border", "center": "central square",
"face": "the square around the largest face"}[crop] }}).
`generators.safetensors` holds the weights of all of them, with their architecture:
{{ architecture }}.

## Data

| domain | training pictures | test pictures |
|---|---|---|
{% for domain in domains -%}
| {{ domain.name }} | {{ domain.train }} | {{ domain.test }} |
{% endfor %}
Exact duplicates and unreadable files were removed; no picture is in both sets.

## Figures, on the test pictures

| figure | value |
|---|---|
{% for name, value in figures -%}
| {{ name }} | {{ "%.6g" % value }} |
{% endfor %}
{% for name, source, target in directions -%}
`_{{ name.partition("_")[2] }}` is {{ source }} → {{ target }}{{ ", " if not loop.last else ". " }}
{%- endfor -%}
For a distance, `_floor` is that of real pictures
of the target, `_ceiling` that of the untranslated inputs; a useful translation lies between.
Distances between sets of this size are biased and noisy: compare them only with figures of the
same pictures, counts and feature network.

## Limits

- It has seen only the kinds of pictures above, at {{ size }} px: on others (another background,
  several objects, people) it still answers, and the answer means little.
- It changes colour and texture more readily than shape, and adds details that were never there.
- Its pictures are synthetic: say so wherever they are shown.
- The licence is that of the weights; the training pictures keep their own.
"""


def model_card(
    card: dict[str, Any], networks: list[str], domains: list[Domain], evaluation: dict[str, Any]
) -> str:
    """README.md with YAML front matter.

    card: the generators' own; networks: their names; domains: with the counts of pictures;
    evaluation: figures by name, of which finite numbers are shown.
    """
    title = f"Unpaired {' ↔ '.join(card['domains'])}"
    figures = [(name, value) for name, value in evaluation.items() if _finite(value)]
    front = {
        "license": "mit",
        "pipeline_tag": "image-to-image",
        "library_name": "unpaired",
        "tags": ["image-to-image", "unpaired", "cyclegan", "onnx", *card["domains"]],
        "model-index": [
            {
                "name": title,
                "results": [
                    {
                        "task": {"type": "image-to-image", "name": "Unpaired image translation"},
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
    architecture = ", ".join(f"{key} {value}" for key, value in card["architecture"].items())
    template = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    return template.from_string(TEMPLATE).render(
        front=_yaml(front),
        title=title,
        directions=[(name, *direction(name, card["domains"])) for name in networks],
        size=card["size"],
        crop=card["crop"],
        architecture=architecture,
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
