"""The typed form of params.yaml: unknown keys, wrong types and ranges are refused by name."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from unpaired.errors import Problem
from unpaired.params.models import MODELS, Train
from unpaired.params.values import Count, Name, Section, Share, Text, Whole


class Domain(Section):
    name: Name
    queries: Annotated[list[Text], Field(min_length=1)]
    train: Count
    test: Count


class Synthetic(Section):
    seed: Whole
    surplus: Annotated[float, Field(ge=0, le=10)]
    flawed: Share


Source = Literal[
    "synthetic",
    "folder",
    "urls",
    "archive",
    "celeba",
    "google",
    "serpapi",
    "google_html",
    "openverse",
    "commons",
]
Date = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Variations(Section):
    colours: list[Text]
    sizes: list[Literal["medium", "large", "xlarge", "huge"]]
    years: list[Count]


class Endpoints(Section):
    google: Text
    serpapi: Text
    google_html: Text
    openverse: Text
    commons: Text


class Search(Section):
    source: Source | Annotated[list[Source], Field(min_length=1)]
    watch: Text
    archive: str
    snapshot: Date
    licence: Literal["any", "reusable", "commercial"]
    oversampling: Annotated[float, Field(ge=1, le=20)]
    max_queries: Count
    vary: Variations
    contact: str
    endpoints: Endpoints
    synthetic: Synthetic

    @property
    def sources(self) -> list[str]:
        return [self.source] if isinstance(self.source, str) else list(self.source)


class Clean(Section):
    size: Annotated[int, Field(ge=16, le=4096, multiple_of=4)]
    crop: Literal["pad", "center", "face"]
    min_bytes: Whole
    max_bytes: Count
    min_side: Count
    max_pixels: Count
    min_aspect: Share
    min_sharpness: Share
    min_entropy: Annotated[float, Field(ge=0, le=8)]
    min_highlight: Share
    max_shadow: Share
    near_duplicates: Literal["drop", "group"]
    duplicate_difference: Annotated[float, Field(ge=0, le=255)]
    duplicate_correlation: Share


class Split(Section):
    seed: Whole
    keep_sides: bool


class Evaluate(Section):
    seed: Whole
    kid_subset_size: Annotated[int, Field(ge=2, le=1000)]
    kid_subsets: Count
    inception: Text
    grid_rows: Annotated[int, Field(ge=1, le=64)]


class Export(Section):
    opset: Annotated[int, Field(ge=18, le=22)]


class Promote(Section):
    metric: Text
    min_improvement: Share
    max_reconstruction_loss: Annotated[float, Field(gt=0, le=255)]


class Params(Section):
    domains: Annotated[list[Domain], Field(min_length=1)]
    search: Search
    clean: Clean
    split: Split
    train: Train
    evaluate: Evaluate
    export: Export
    promote: Promote

    @field_validator("domains")
    @classmethod
    def _names_are_unique(cls, domains: list[Domain]) -> list[Domain]:
        names = [domain.name.lower() for domain in domains]
        if len(set(names)) < len(names):
            raise ValueError("two domains have the same name")
        if taken := {"verdicts", "duplicates"}.intersection(names):
            raise ValueError(f"{taken.pop()}.csv is a file of the clean stage; rename that domain")
        return domains

    @model_validator(mode="after")
    def _as_many_domains_as_the_model_has(self) -> "Params":
        if self.train.model == "cyclegan" and len(self.domains) != 2:
            raise ValueError("train.model cyclegan translates between exactly two domains")
        if self.train.model == "dcgan" and len(self.domains) != 1:
            raise ValueError("train.model dcgan makes pictures of one domain: keep one in domains")
        if self.train.model == "dcgan" and self.clean.size not in (32, 64, 128):
            raise ValueError("train.model dcgan makes pictures of 32, 64 or 128 px: set clean.size")
        return self


def load(path: str | Path = "params.yaml") -> Params:
    """Reads and checks a parameter file.

    Raises:
        Problem: one line that names each key that is missing, unknown, mistyped or out of range.
    """
    try:
        values = YAML(typ="safe").load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise Problem(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise Problem(f"{path}: " + "; ".join(map(_describe, error.errors()))) from None


def _describe(error: ErrorDetails) -> str:
    path = list(error["loc"])
    model = path.pop(1) if path[:1] == ["train"] and path[1:2] and path[1] in MODELS else None
    key = ".".join(map(str, path)) or "the file"
    match error["type"]:
        case "extra_forbidden" if model:
            return f"{key} is not a parameter of {model} (mistyped, or of another train.model?)"
        case "extra_forbidden":
            return f"{key} is not a parameter (mistyped?)"
        case "union_tag_invalid" if key == "train":
            return f"train.model is {error['input']['model']!r}: it is one of {', '.join(MODELS)}"
        case "union_tag_not_found" if key == "train":
            return "train.model is missing"
        case "missing":
            return f"{key} is missing"
    return f"{key} is {error['input']!r}: {error['msg']}" if error["loc"] else error["msg"]
