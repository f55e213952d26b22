from pathlib import Path

import pytest
from ruamel.yaml import YAML

from unpaired import params
from unpaired.errors import Problem

COMMITTED = Path(__file__).parents[1] / "params.yaml"
DOMAIN = {"name": "apple", "queries": ["apple"], "train": 3, "test": 2}


def refusal(path):
    with pytest.raises(Problem) as caught:
        params.load(path)
    line = str(caught.value)
    assert line.startswith(str(path)) and "\n" not in line
    return line.removeprefix(str(path))


@pytest.fixture
def refused(tmp_path, settings):
    """refused({key: value, …}) → the line that params.yaml, so changed, is refused with."""

    def line(changes):
        YAML().dump(settings(changes), tmp_path / "params.yaml")
        return refusal(tmp_path / "params.yaml")

    return line


def test_the_committed_file_is_the_case_the_project_is_for():
    loaded = params.load(COMMITTED)
    counts = {domain.name: (domain.train, domain.test) for domain in loaded.domains}
    assert counts == {"handbag": (660, 100), "backpack": (801, 149)}
    assert loaded.train.model == "cyclegan"


def test_parameters_cannot_be_changed_once_checked(tiny_params):
    with pytest.raises(ValueError, match="frozen"):
        tiny_params().train.epochs = 5


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train.epochs", "12"),
        ("train.epochs", True),
        ("train.epochs", 1.5),
        ("train.epochs", 0),
        ("train.epochs", None),
        ("train.seed", -1),
        ("train.learning_rate", "2e-4"),
        ("train.learning_rate", 0),
        ("train.learning_rate", float("inf")),
        ("train.lambda_cycle", float("nan")),
        ("train.beta1", 1.0),
        ("train.decay", 1.1),
        ("train.flip", 1),
        ("train.blocks", 7),
        ("train.gan_loss", "wgan"),
        ("train.model", "pix2pix"),
        ("clean.size", 66),
        ("clean.crop", ["pad"]),
        ("search.synthetic.flawed", 1.2),
        ("evaluate.inception", ""),
        ("export.opset", 99),
        ("promote.metric", 3),
        ("promote.min_improvement", -0.1),
        ("promote.max_reconstruction_loss", 0.0),
        ("domains.1.test", 0),
        ("domains.0.queries", []),
        ("domains.0.name", "hand/bag"),
        ("domains.0.name", "../handbag"),
        ("domains.0.name", "hand bag"),
        ("domains.0.name", ""),
    ],
)
def test_a_wrong_type_or_value_names_the_key_and_the_value(refused, key, value):
    line = refused({key: value})
    assert f"{key} is {value!r}: " in line
    assert ";" not in line


@pytest.mark.parametrize("key", ["epoch", "search.synthetic.sead", "domains.0.quota"])
def test_an_unknown_key_is_named(refused, key):
    assert refused({key: 3}) == f": {key} is not a parameter (mistyped?)"


@pytest.mark.parametrize("key", ["train", "search.synthetic", "domains.1.test", "split.seed"])
def test_a_missing_key_is_named(tmp_path, settings, key):
    values = settings({})
    *path, last = (int(part) if part.isdigit() else part for part in key.split("."))
    section = values
    for part in path:
        section = section[part]
    del section[last]
    YAML().dump(values, tmp_path / "params.yaml")
    assert refusal(tmp_path / "params.yaml") == f": {key} is missing"


def test_every_mistake_is_named_at_once(refused):
    line = refused({"train.epochs": "4", "clean.sise": 64})
    assert "train.epochs is '4'" in line and "clean.sise is not a parameter" in line


@pytest.mark.parametrize("twin", ["handbag", "HandBag"])
def test_two_domains_of_one_name_are_refused(refused, twin):
    assert "two domains have the same name" in refused({"domains.1.name": twin})


def test_a_domain_cannot_take_the_name_of_a_stage_s_file(refused):
    assert "rename that domain" in refused({"domains.0.name": "Verdicts"})


@pytest.mark.parametrize("count", [0, 1, 3])
def test_cyclegan_takes_two_domains(refused, count):
    domains = [DOMAIN | {"name": f"apple{place}"} for place in range(count)]
    line = refused({"domains": domains})
    assert "exactly two domains" in line if count else "domains is " in line


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"clean.size": 96}, "makes pictures of 32, 64 or 128 px: set clean.size"),
        ({"domains": [DOMAIN, DOMAIN | {"name": "pear"}]}, "one domain: keep one in domains"),
        ({"train.gan_loss": "lsgan"}, "train.gan_loss is 'lsgan'"),
        ({"train.z_distribution": "cauchy"}, "train.z_distribution is 'cauchy'"),
        ({"train.label_real": 0.4}, "train.label_real is 0.4"),
        ({"train.z_size": 0}, "train.z_size is 0"),
        ({"train.noise": -1.0}, "train.noise is -1.0"),
    ],
)
def test_what_a_dcgan_cannot_take_is_named(refused, changes, line):
    train = YAML(typ="safe").load(COMMITTED.parent / "profiles/dcgan.yaml")["train"]
    assert line in refused({"train": train, "domains": [DOMAIN]} | changes)


def test_a_key_of_another_model_is_named_with_the_model(refused):
    wrong = ": train.lamda_cycle is not a parameter of cyclegan (mistyped, or of another train.mod"
    assert refused({"train.lamda_cycle": 3}).startswith(wrong)
    assert "train.lambda_cycle is not a parameter of stargan" in refused({"train.model": "stargan"})


def test_an_unknown_model_is_answered_with_those_there_are(refused):
    assert refused({"train.model": "pix2pix"}) == (
        ": train.model is 'pix2pix': it is one of cyclegan, dcgan, stargan"
    )


@pytest.mark.parametrize("text", ["train: [", "a: 1\na: 2\n", "a: !!python/object:os.system {}"])
def test_what_is_not_yaml_says_so(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    assert "is not YAML" in refusal(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["", "- 1\n", "hello"])
def test_yaml_without_sections_is_refused(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    assert "valid dictionary" in refusal(tmp_path / "params.yaml")


def test_files_that_cannot_be_read(tmp_path):
    assert "No such file" in refusal(tmp_path / "params.yaml")
    assert "directory" in refusal(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: Schloß".encode("latin-1"))
    assert "is not YAML" in refusal(tmp_path / "latin.yaml")
