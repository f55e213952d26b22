import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut
from torch import nn

import unpaired
from unpaired.clean.decoding import ORIENTATION
from unpaired.clean.geometry import face_box
from unpaired.errors import Problem
from unpaired.networks import ResnetGenerator
from unpaired.translate import Translator, direction, load, translate_files
from unpaired.weights import Generators, save_generators

torch.set_num_threads(1)
ARCHITECTURE = {"name": "resnet", "ngf": 8, "blocks": 6, "upsample": "resize"}
CARD = {"domains": ["apple", "pear"], "size": 32, "crop": "pad", "architecture": ARCHITECTURE}


class Negative(nn.Module):
    def forward(self, x):
        return -x


def translator(crop="pad"):
    """apple → pear leaves a picture as it is; pear → apple gives its negative."""
    networks = {"generator_ab": nn.Identity(), "generator_ba": Negative()}
    return Translator(Generators(networks, CARD | {"crop": crop}))


@pytest.fixture
def export(tmp_path):
    networks = {name: ResnetGenerator(8, 6, "resize") for name in ("generator_ab", "generator_ba")}
    save_generators(tmp_path / "export" / "generators.safetensors", networks, CARD)
    return tmp_path / "export"


def smooth(width, height):
    across = np.linspace(20, 230, width)[None].repeat(height, 0)
    down = np.linspace(20, 230, height)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([across, down, 250 - across], -1).astype(np.uint8))


def distance(one, other):
    return np.abs(np.asarray(one, int) - np.asarray(other, int)).mean()


@pytest.mark.parametrize("shape", [(66, 70), (13, 9), (200, 50), (1, 1), (32, 32)])
@pytest.mark.parametrize("native", [False, True])
def test_size_and_aspect_come_back(shape, native):
    picture = smooth(*shape)
    result = translator()(picture, native=native)
    assert result.size == shape and result.mode == "RGB"
    if min(shape) > 1:
        assert distance(result, picture) < (1e-9 if native else 6)


def test_a_model_of_central_squares_gives_the_central_square_back():
    picture = smooth(90, 60)
    result = translator("center")(picture)
    assert result.size == (60, 60)
    assert distance(result, picture.crop((15, 0, 75, 60))) < 6


def test_a_model_of_faces_gives_the_faces_square_back(tmp_path):
    portrait = Image.fromarray(astronaut())
    box = face_box(portrait)
    result = translator("face")(portrait)
    assert result.size == (box[2] - box[0], box[3] - box[1])
    assert distance(result, portrait.crop(box)) < 12
    assert translator("face")(portrait, native=True).size == portrait.size
    smooth(90, 60).save(tmp_path / "bag.png")
    with pytest.raises(Problem, match=r"bag\.png: no face is found in the picture$"):
        translator("face")(tmp_path / "bag.png")
    with pytest.raises(Problem, match=r"^no face is found"):
        translator("face")(smooth(90, 60))


def test_to_chooses_the_direction():
    picture = smooth(32, 32)
    negative = Image.fromarray(255 - np.asarray(picture))
    assert distance(translator()(picture, to="pear"), picture) == 0
    assert distance(translator()(picture), picture) == 0
    assert distance(translator()(picture, to="apple"), negative) == 0


def test_an_unknown_domain_names_those_there_are():
    with pytest.raises(Problem, match="apple, pear, not to 'plum'"):
        translator()(smooth(8, 8), to="plum")


class Tinted(nn.Module):
    """Adds half of the label to the colours red, green and blue."""

    def forward(self, x, labels):
        return (x / 2 + labels[:, :, None, None] / 2).clamp(-1, 1)


def test_a_stargan_is_told_the_classes_by_name():
    many = CARD | {"labels": ["Male", "Blond_Hair", "Black_Hair"], "exclusive": False}
    one = CARD | {"labels": ["red", "green", "blue"], "exclusive": True}
    attributes, colours = (Translator(Generators({"generator": Tinted()}, c)) for c in (many, one))
    grey = Image.new("RGB", (32, 32), (128, 128, 128))
    assert colours(grey, to="green").getpixel((9, 9)) == (128, 192, 128)
    assert attributes(grey, to=["Male", "Blond_Hair"]).getpixel((9, 9)) == (192, 192, 128)
    with pytest.raises(Problem, match="to red, green, blue, not to 'plum'"):
        colours(grey, to="plum")
    with pytest.raises(Problem, match="to red, green, blue, not to nothing"):
        colours(grey)
    with pytest.raises(Problem, match="one of blue, red only"):
        colours(grey, to=["red", "blue"])
    with pytest.raises(Problem, match="one of Black_Hair, Blond_Hair only"):
        attributes(grey, to=["Black_Hair", "Blond_Hair"])


def test_two_targets_of_a_cyclegan_are_a_problem():
    with pytest.raises(Problem, match="apple, pear, not to 'apple' and 'pear'"):
        translator()(smooth(8, 8), to=["apple", "pear"])


def test_direction_reads_the_networks_name():
    assert direction("generator_ab", ["x", "y"]) == ("x", "y")
    assert direction("generator_ba", ["x", "y"]) == ("y", "x")
    assert direction("generator_ca", ["x", "y", "z"]) == ("z", "x")


def test_pictures_come_in_many_forms(tmp_path):
    picture = smooth(32, 32)
    picture.save(tmp_path / "picture.png")
    for form in (np.asarray(picture), tmp_path / "picture.png", str(tmp_path / "picture.png")):
        assert distance(translator()(form), picture) == 0
    clear = picture.convert("RGBA")
    clear.putalpha(0)
    assert (np.asarray(translator()(clear)) == 255).all()
    assert distance(translator()(picture.convert("L")), picture.convert("L").convert("RGB")) == 0


def test_a_photo_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    smooth(40, 20).save(tmp_path / "photo.jpg", exif=exif)
    assert translator()(tmp_path / "photo.jpg").size == (20, 40)
    assert translator()(Image.open(tmp_path / "photo.jpg")).size == (20, 40)


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8), np.uint8([1])]
)
def test_an_array_that_is_no_picture_is_a_problem(array):
    with pytest.raises(Problem, match="uint8 array of H×W×3"):
        translator()(array)


@pytest.mark.parametrize("native", [False, True])
def test_an_exported_model_translates_odd_sizes(export, native):
    for shape in ((66, 70), (13, 9)):
        result = unpaired.load(export)(smooth(*shape), native=native)
        assert result.size == shape
        assert distance(result, smooth(*shape)) > 1


def test_native_computes_what_the_network_does(export):
    picture = smooth(64, 48)
    model = load(export / "generators.safetensors")
    batch = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.inference_mode():
        expected = (model.network("apple")(batch)[0].permute(1, 2, 0) + 1) * 127.5
    result = np.asarray(model(picture, to="apple", native=True))
    assert np.abs(result - expected.numpy()).max() <= 0.51


def test_weights_that_are_not_finite_give_no_picture(export):
    model = load(export)
    with torch.no_grad():
        next(model.network().parameters()).fill_(float("nan"))
    with pytest.raises(Problem, match="not finite"):
        model(smooth(32, 32))


def test_damaged_missing_and_foreign_weights_are_problems(export, tmp_path):
    with pytest.raises(Problem, match="no such weights file"):
        load(tmp_path / "nowhere")
    weights = export / "generators.safetensors"
    whole = weights.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"x" * 1000):
        weights.write_bytes(damaged)
        with pytest.raises(Problem, match="damaged"):
            load(export)
    networks = {"generator_ab": ResnetGenerator(8, 6, "resize")}
    save_generators(weights, networks, {"architecture": ARCHITECTURE})
    with pytest.raises(Problem, match="its card does not say"):
        load(export)


def test_file_to_file_by_suffix(tmp_path):
    picture = smooth(50, 30)
    picture.save(tmp_path / "in.webp", lossless=True)
    for name, format in (("out.png", "PNG"), ("deep/er/out.JPG", "JPEG")):
        assert translate_files(translator(), tmp_path / "in.webp", tmp_path / name) == 1
        with Image.open(tmp_path / name) as written:
            assert written.format == format and written.size == (50, 30)
    with pytest.raises(Problem, match="must end in"):
        translate_files(translator(), tmp_path / "in.webp", tmp_path / "out.tiff")


def test_a_file_may_be_overwritten_but_not_the_input(tmp_path):
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    smooth(32, 32).save(source)
    target.write_text("older")
    translate_files(translator(), source, target)
    assert Image.open(target).size == (32, 32)
    before = source.read_bytes()
    with pytest.raises(Problem, match="input itself"):
        translate_files(translator(), source, tmp_path / "." / "in.png")
    assert source.read_bytes() == before


def test_a_file_into_a_folder(tmp_path):
    smooth(8, 8).save(tmp_path / "in.jpg")
    (tmp_path / "out").mkdir()
    translate_files(translator(), tmp_path / "in.jpg", tmp_path / "out")
    assert Image.open(tmp_path / "out" / "in.png").size == (8, 8)


def test_a_folder_keeps_names_and_skips_what_is_no_picture(tmp_path, capsys):
    source, target = tmp_path / "in", tmp_path / "out"
    (source / "red").mkdir(parents=True)
    smooth(40, 20).save(source / "one.jpg")
    smooth(20, 40).save(source / "red" / "two.webp")
    smooth(9, 9).save(source / "red" / "two.gif")
    (source / "broken.jpg").write_bytes((source / "one.jpg").read_bytes()[:300])
    (source / "notes.txt").write_text("hello")
    assert translate_files(translator(), source, target, native=True) == 3
    written = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert written == {"one.png", "red/two.png", "red/two.webp.png"}
    assert Image.open(target / "red" / "two.webp.png").size == (20, 40)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("skipped")]
    assert len(lines) == 2
    assert "broken.jpg: broken: " in lines[0] and "notes.txt: not_a_picture: " in lines[1]


def test_problems_of_a_folder(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    with pytest.raises(Problem, match="a folder without files"):
        translate_files(translator(), source, tmp_path / "out")
    (source / "notes.txt").write_text("hello")
    with pytest.raises(Problem, match="no picture in it could be translated"):
        translate_files(translator(), source, tmp_path / "out")
    for inside in (source, source / "out"):
        with pytest.raises(Problem, match="lies in the input folder"):
            translate_files(translator(), source, inside)


def test_an_input_is_never_overwritten_from_a_folder_above(tmp_path):
    (tmp_path / "a" / "a").mkdir(parents=True)
    smooth(8, 8).save(tmp_path / "a" / "a" / "x.png")
    smooth(9, 9).save(tmp_path / "a" / "x.png")
    before = (tmp_path / "a" / "x.png").read_bytes()
    with pytest.raises(Problem):
        translate_files(translator(), tmp_path / "a" / "x.png", tmp_path / "a")
    assert translate_files(translator(), tmp_path / "a", tmp_path) == 1
    assert (tmp_path / "a" / "x.png").read_bytes() == before


def test_problems_come_before_any_translation(tmp_path, monkeypatch):
    smooth(8, 8).save(tmp_path / "in.png")
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    smooth(8, 8).save(tmp_path / "folder" / "in.png")
    monkeypatch.setattr(Translator, "_run", lambda *_: pytest.fail("translated"))
    with pytest.raises(Problem, match="no output can be written"):
        translate_files(translator(), tmp_path / "in.png", tmp_path / "file" / "out.png")
    with pytest.raises(Problem, match="no output can be written"):
        translate_files(translator(), tmp_path / "folder", tmp_path / "file")
    with pytest.raises(Problem, match="not to 'plum'"):
        translate_files(translator(), tmp_path / "in.png", tmp_path / "out.png", to="plum")
    with pytest.raises(Problem, match=r"nowhere\.png: No such file"):
        translate_files(translator(), tmp_path / "nowhere.png", tmp_path / "out.png")
    (tmp_path / "in.png").write_text("<html>")
    with pytest.raises(Problem, match=r"in\.png: not_a_picture"):
        translate_files(translator(), tmp_path / "in.png", tmp_path / "out.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "in.png"]


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    smooth(8, 8).save(tmp_path / "in.png")

    def full(image, path, *_, **__):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(Problem, match=r"out\.png: No space left"):
        translate_files(translator(), tmp_path / "in.png", tmp_path / "out.png")
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]
