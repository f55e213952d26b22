"""What the reports share: one look, on pages that need nothing but themselves."""

import base64
from importlib.metadata import version
from io import BytesIO
from typing import Any

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from PIL import Image


def render_page(package: str, template: str, **values: Any) -> str:
    """The template of a package, filled in; every value is escaped. `style.css` and `macros.j2`
    of this package can be included by name."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader("unpaired.pages", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = lambda value: f"{value:.3g}"
    return environment.get_template(template).render(**values)


def data_uri(image: np.ndarray, kind: str = "png", **options: Any) -> str:
    """uint8 H×W×3 → a file of that kind (`png`, `webp`) inside a `data:` address. options: the
    encoder's."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, kind, optimize=True, **options)
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode()


def spread_places(count: int, wanted: int) -> list[int]:
    """At most `wanted` places, spread evenly over `count`."""
    return sorted(set(np.linspace(0, count - 1, wanted).round().astype(int).tolist()))


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    return {name: version(name) for name in packages}


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings → one level, under keys with dots."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        nested = isinstance(value, dict)
        found |= flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return found
