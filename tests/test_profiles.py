import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from unpaired import params
from unpaired.collect.sources.archive import SETS
from unpaired.errors import Problem
from unpaired.profiles import merge_into, merge_profile, profiles

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))


@pytest.fixture
def path(tmp_path) -> Path:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path / "params.yaml"


def comments(text: str) -> list[str]:
    """Each comment, and each empty line, in their order."""
    return [line[line.find("#") :] for line in text.splitlines() if "#" in line or not line]


def lines_that_differ(before: str, after: str) -> list[str]:
    old, new = before.splitlines(), after.splitlines()
    assert len(old) == len(new)
    return [line.strip() for was, line in zip(old, new, strict=True) if was != line]


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_merges_into_valid_parameters_once_and_keeps_comments(path, name):
    before = path.read_text()
    changed = merge_profile(name, path, ROOT / "profiles")
    merged = path.read_text()
    assert changed and comments(merged) == comments(before)
    assert len(lines_that_differ(before, merged)) >= len(changed)
    asked = YAML(typ="safe").load(ROOT / f"profiles/{name}.yaml")
    values = params.load(path).model_dump()
    for section, wanted in asked.items():
        if isinstance(wanted, dict):
            assert values[section].items() >= wanted.items()
        else:
            assert values[section] == wanted
    assert merge_profile(name, path, ROOT / "profiles") == {}
    assert path.read_text() == merged


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_holds_only_what_differs(path, name):
    asked = YAML(typ="safe").load(ROOT / f"profiles/{name}.yaml")
    leaves = sum(len(part) if isinstance(part, dict) else 1 for part in asked.values())
    assert len(merge_profile(name, path, ROOT / "profiles")) == leaves


def test_the_paper_is_the_paper_s(path):
    merge_profile("paper", path, ROOT / "profiles")
    values = params.load(path)
    train = values.train
    assert values.clean.size == 256 and round(256 * train.load_scale) == 286
    assert (train.blocks, train.ngf, train.ndf, train.upsample) == (9, 64, 64, "transpose")
    assert (train.epochs, train.decay, train.batch_size) == (200, 0.5, 1)
    assert (train.gan_loss, train.lambda_cycle, train.lambda_identity) == ("lsgan", 10, 5)
    assert (train.learning_rate, train.beta1, train.beta2) == (2e-4, 0.5, 0.999)
    assert (train.pool_size, train.r1_gamma, train.ema, train.flip) == (50, 0, 0, True)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("horse2zebra", {"horse": (1067, 120), "zebra": (1334, 140)}),
        ("monet2photo", {"monet": (1072, 121), "photo": (6287, 751)}),
    ],
)
def test_a_published_set_is_trained_like_the_paper_s_on_its_own_sides(path, name, counts):
    merge_profile(name, path, ROOT / "profiles")
    values = params.load(path)
    assert {one.name: (one.train, one.test) for one in values.domains} == counts
    assert [one.queries for one in values.domains] == [["trainA", "testA"], ["trainB", "testB"]]
    assert (values.search.source, values.search.archive) == ("archive", name)
    assert values.search.archive in SETS and values.split.keep_sides
    assert merge_profile("paper", path, ROOT / "profiles") == {}


def test_a_change_is_one_line_and_is_told(path):
    before = path.read_text()
    changed = merge_into(path, {"train": {"ngf": 24}, "clean.crop": "center"})
    assert changed == {"train.ngf": (16, 24), "clean.crop": ("pad", "center")}
    assert lines_that_differ(before, path.read_text()) == [
        "crop: center              # pad (square by the border's colour) | center | face",
        "ngf: 24                   # generator width",
    ]


def test_nothing_to_change_touches_no_byte(path):
    path.write_text(path.read_text().replace("  seed: 0\n", "  seed:   0\n", 1))
    before = path.read_text()
    assert merge_into(path, {"train": {"ngf": 16}}) == {} and path.read_text() == before


BLOCK = """domains:
  - name: h
    queries: [h]
    train: 3
    test: 1   # few
  - name: i
    queries: [i]
    train: 3
    test: 1%s

# What comes next
"""


@pytest.mark.parametrize("own", ["", "   # few"])
def test_a_list_is_replaced_whole_and_what_follows_it_stays(path, own):
    text = path.read_text()
    path.write_text(BLOCK % own + text[text.index("search:") :])
    new = [{"name": n, "queries": ["x: y", n], "train": 5, "test": 2} for n in ("j", "k")]
    assert list(merge_into(path, {"domains": new})) == ["domains"]
    assert path.read_text().startswith(
        'domains:\n  - {name: j, queries: ["x: y", j], train: 5, test: 2}\n'.replace('"', "'")
        + "  - {name: k, queries: ['x: y', k], train: 5, test: 2}\n\n# What comes next\nsearch:"
    )


@pytest.mark.parametrize(
    ("profile", "line"),
    [
        ("train: {epoch: 3}", "mine.yaml: train.epoch is not a parameter"),
        ("trian: {epochs: 3}", "mine.yaml: trian is not a parameter"),
        ("train: {epochs: many}", "mine.yaml: train.epochs is 'many'"),
        ("train: 3", "mine.yaml: train is 3"),
        ("domains: []", "mine.yaml: domains is []"),
        ("train: {", "mine.yaml is not YAML"),
        ("# nothing", "mine.yaml holds no parameters"),
    ],
)
def test_a_wrong_profile_is_named_and_nothing_is_written(path, profile, line):
    folder = path.parent / "profiles"
    folder.mkdir()
    (folder / "mine.yaml").write_text(profile)
    before = path.read_bytes()
    with pytest.raises(Problem, match=line.replace("[]", r"\[\]")) as raised:
        merge_profile("mine", path, folder)
    assert "\n" not in str(raised.value) and str(folder) in str(raised.value)
    assert path.read_bytes() == before
    assert {entry.name for entry in path.parent.iterdir()} == {"params.yaml", "profiles"}


def test_parameters_that_were_wrong_before_are_not_blamed_on_the_change(path):
    path.write_text(path.read_text().replace("epochs:", "epoch:"))
    with pytest.raises(Problem, match=r"params\.yaml: train\.epochs is missing"):
        merge_into(path, {"train": {"ngf": 24}}, "profiles/mine.yaml")


def test_an_unknown_profile_lists_those_there_are(path):
    with pytest.raises(Problem, match=r"no profile '\.\./params': there are .*paper.*quick"):
        merge_profile("../params", path, ROOT / "profiles")


def test_each_profile_says_what_it_is():
    assert all(len(about) > 20 for about in profiles(ROOT / "profiles").values())
