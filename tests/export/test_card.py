import re

import pytest
from ruamel.yaml import YAML
from tiny_models import CARDS

from unpaired.export.card import model_card
from unpaired.params import Domain

CARD = CARDS["cyclegan"]
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


def lone(model, figures=EVALUATION, **changes):
    return model_card(CARDS[model] | changes, ["generator"], DOMAINS[:1], figures)


def sentence(text):
    return " ".join(text.split())


def test_the_card_of_a_dcgan():
    _, front, body = lone("dcgan").split("---\n", 2)
    front = YAML(typ="safe").load(front)
    assert front["pipeline_tag"] == "unconditional-image-generation"
    assert "dcgan" in front["tags"] and "image-to-image" not in front["tags"]
    assert body.lstrip().startswith("# DCGAN: apple") and "Radford et al. 2016" in body
    assert "| `generator` | 10 random numbers, uniform in [-1, 1] | a picture: apple |" in body
    assert "unpaired generate -n 64 --seed 1" in body and "import load" not in body
    assert "`picture`, float32, batch × 3 × 32 × 32" in sentence(body)
    assert "translat" not in body


def test_the_card_of_a_stargan():
    text = lone("stargan")
    tags = YAML(typ="safe").load(text.split("---\n", 2)[1])["tags"]
    assert {"stargan", "apple", "red", "green", "blue"} <= set(tags)
    assert "# Unpaired red, green, blue" in text.splitlines() and "Choi et al. 2018" in text
    assert 'translate("photo.jpg", to="red")' in text
    told = sentence(text)
    assert "translation of apple among 3 classes by one generator" in told
    assert "`label`, float32, batch × 3: 1 for the class that the result is to be of" in told
    assert "order red, green, blue." in told
    assert "Pictures of none of these classes were left out" in told


def test_a_stargan_of_attributes_or_domains_is_told_as_such():
    told = sentence(lone("stargan", labels=["Male", "Young"], exclusive=False))
    assert "among 2 attributes" in told and 'to=["Male", "Young"]' in told
    assert "1 for each attribute that the result is to have" in told
    domains = ["red", "green", "blue"]
    text = lone("stargan", domains=domains, labels=domains)
    assert "left out" not in text and "translation among 3 classes" in sentence(text)
    tags = YAML(typ="safe").load(text.split("---\n", 2)[1])["tags"]
    assert len(tags) == len(set(tags))


@pytest.mark.parametrize("model", ["dcgan", "stargan"])
def test_levels_are_explained_where_there_are_some(model):
    none, floor = lone(model), lone(model, {"kid": 0.5, "kid_floor": 0.1})
    both = lone(model, {"kid": 0.5, "kid_floor": 0.1, "kid_ceiling": 0.9})
    for text, words in ((none, set()), (floor, {"_floor"}), (both, {"_floor", "_ceiling"})):
        assert set(re.findall(r"`(_floor|_ceiling)`", text)) == words
    assert "None were measured" in lone(model, {})


def test_a_figure_of_a_models_own_is_explained():
    ways = {"target_share": 0.9, "target_share_red_to_blue": 0.8, "kid_red_to_blue": 0.7}
    text = lone("stargan", ways | {"kid": 0.6})
    rows = [line for line in text.splitlines() if "0." in line and line.startswith("|")]
    assert rows == ["| target_share | 0.9 |", "| target_share_red_to_blue | 0.8 |", "| kid | 0.6 |"]
    assert "`target_share` is the share" in text and "such as `_red_to_green`" in text
    assert "`target_share`" not in lone("stargan", {"kid": 0.6})
    attributes = {"labels": ["Male", "Blond Hair"], "exclusive": False}
    assert "`_not_Male_to_Male`" in lone("stargan", ways, **attributes)
    text = lone("dcgan", {"distinct_bins": 0.2, "near_train_share": 0.1})
    assert "`distinct_bins` is" in text and "`near_train_share` is" in text
    text = lone("dcgan", {"kid": 0.2})
    assert "`distinct_bins`" not in text and "`near_train_share`" not in text


@pytest.mark.parametrize(
    "text", [card(), lone("dcgan"), lone("stargan"), lone("dcgan", {"near_train_share": 0.1})]
)
def test_no_template_leaves_gaps(text):
    assert text.startswith("---\n") and "\n\n\n" not in text and text.endswith(".\n")
    assert text.count("```") % 2 == 0
