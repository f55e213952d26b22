from ruamel.yaml import YAML

from unpaired.export.card import model_card
from unpaired.params import Domain

CARD = {
    "domains": ["apple", "pear"],
    "size": 64,
    "crop": "pad",
    "architecture": {"name": "resnet", "ngf": 8, "blocks": 6, "upsample": "resize"},
}
DOMAINS = [
    Domain(name="apple", queries=["apple"], train=660, test=100),
    Domain(name="pear", queries=["pear"], train=801, test=149),
]
EVALUATION = {"kid_ab": 0.0123, "cycle_l1_ab": 0.25, "fid_ab": None, "psnr_ab": float("inf")}


def card(**changes):
    return model_card(CARD | changes, ["generator_ab", "generator_ba"], DOMAINS, EVALUATION)


def test_front_matter_is_yaml_of_the_hubs_form():
    _, front, body = card().split("---\n", 2)
    front = YAML(typ="safe").load(front)
    assert front["pipeline_tag"] == "image-to-image" and front["license"] == "mit"
    assert {"cyclegan", "apple", "pear"} <= set(front["tags"])
    (model,) = front["model-index"]
    (result,) = model["results"]
    assert result["task"]["type"] == "image-to-image" and result["dataset"]["type"]
    assert result["metrics"] == [
        {"type": "kid_ab", "name": "kid_ab", "value": 0.0123},
        {"type": "cycle_l1_ab", "name": "cycle_l1_ab", "value": 0.25},
    ]
    assert body.lstrip().startswith("# Unpaired apple ↔ pear")


def test_the_text_has_counts_directions_and_figures():
    text = card()
    for line in (
        "| `generator_ab` | apple | pear |",
        "| `generator_ba` | pear | apple |",
        "| apple | 660 | 100 |",
        "| pear | 801 | 149 |",
        "| kid_ab | 0.0123 |",
        "| cycle_l1_ab | 0.25 |",
    ):
        assert line in text.splitlines()
    assert "`_ab` is apple → pear, `_ba` is pear → apple." in text
    assert "name resnet, ngf 8, blocks 6, upsample resize" in text
    assert "padded to a square" in text and "central square" in card(crop="center")
    assert "the square around the largest face" in card(crop="face")


def test_a_card_names_domains_that_yaml_would_misread():
    domains = ["no", "2024"]
    _, front, _ = card(domains=domains).split("---\n", 2)
    assert YAML(typ="safe").load(front)["tags"][-2:] == domains
