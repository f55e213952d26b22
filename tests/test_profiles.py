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
WHOLE = [name for name in NAMES if name == "cyclegan" or name.startswith(("dcgan", "stargan"))]
PARTS = sorted(set(NAMES).difference(WHOLE))


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


@pytest.mark.parametrize("name", PARTS)
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


@pytest.mark.parametrize("name", PARTS)
def test_a_profile_holds_only_what_differs(path, name):
    asked = YAML(typ="safe").load(ROOT / f"profiles/{name}.yaml")
    leaves = sum(len(part) if isinstance(part, dict) else 1 for part in asked.values())
    assert len(merge_profile(name, path, ROOT / "profiles")) == leaves


@pytest.mark.parametrize("name", WHOLE)
def test_the_profile_of_a_model_brings_its_whole_section_and_comments(path, name):
    start = "dcgan" if name == "cyclegan" else "cyclegan"
    merge_profile(start, path, ROOT / "profiles")
    changed = merge_profile(name, path, ROOT / "profiles")
    merged, asked = path.read_text(), (ROOT / f"profiles/{name}.yaml").read_text()
    section = asked[asked.index("\ntrain:\n") :]
    assert section + "\nevaluate:\n" in merged and merged.count("train:\n") == 1
    values = params.load(path).model_dump()
    assert values["train"] == YAML(typ="safe").load(asked)["train"]
    assert changed["train.model"] == (start, values["train"]["model"])
    assert merge_profile(name, path, ROOT / "profiles") == {} and path.read_text() == merged


def test_to_another_model_and_back_is_the_committed_file(path):
    before = path.read_bytes()
    merge_profile("dcgan", path, ROOT / "profiles")
    assert path.read_bytes() != before
    merge_profile("cyclegan", path, ROOT / "profiles")
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["paper", "horse2zebra"])
def test_a_profile_of_another_model_says_which_one_comes_first(path, name):
    merge_profile("dcgan", path, ROOT / "profiles")
    before = path.read_bytes()
    with pytest.raises(Problem, match=f"{name}.yaml changes cyclegan, .* is dcgan: `unpaired pro"):
        merge_profile(name, path, ROOT / "profiles")
    assert path.read_bytes() == before


def test_another_model_brings_all_of_its_parameters(path):
    before = path.read_bytes()
    with pytest.raises(Problem, match=r"as `unpaired profile dcgan` does; train\.\w+ is missing"):
        merge_into(path, {"train.model": "dcgan"})
    assert path.read_bytes() == before


def test_what_follows_the_section_in_its_own_file_stays_there(path):
    folder = path.parent / "profiles"
    folder.mkdir()
    asked = (ROOT / "profiles/dcgan.yaml").read_text()
    (folder / "mine.yaml").write_text(asked + "\n# Mine\nexport:\n  opset: 21\n")
    merge_profile("mine", path, folder)
    assert "# Mine" not in path.read_text() and params.load(path).export.opset == 21
    assert asked[asked.index("\ntrain:\n") :] + "\nevaluate:\n" in path.read_text()


@pytest.mark.parametrize(
    ("name", "z", "label", "slope", "rate", "epochs"),
    [
        ("dcgan-celeba", (100, "normal"), 1.0, 0.0, 2e-4, 5),
        ("dcgan-celebrity100k-relu", (200, "uniform"), 0.9, 0.0, 1e-4, 30),
        ("dcgan-celebrity100k-leakyrelu", (200, "uniform"), 0.9, 0.2, 2e-4, 30),
        ("dcgan-celeba-z200", (200, "uniform"), 0.9, 0.2, 1e-4, 10),
    ],
)
def test_a_published_dcgan_is_trained_as_published(path, name, z, label, slope, rate, epochs):
    merge_profile(name, path, ROOT / "profiles")
    values = params.load(path)
    train = values.train
    assert (values.clean.size, train.batch_size, train.beta1) == (64, 128, 0.5)
    assert (train.z_size, train.z_distribution) == z
    assert (train.label_real, train.slope, train.learning_rate) == (label, slope, rate)
    assert (train.epochs, train.decay, train.ema, train.flip) == (epochs, 0, 0, False)
    assert (train.ngf, train.ndf, train.init_gain, train.gan_loss) == (64, 64, 0.02, "log")
    assert values.search.source == ("celeba" if "celeba" in name else "folder")


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
