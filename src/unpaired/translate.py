"""An exported model at work: pictures in, pictures out."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from tqdm import tqdm

from unpaired.clean.decoding import Refused, canonical, decode
from unpaired.clean.geometry import FILTER, GAP, NoFace, face_box, square, unsquare
from unpaired.errors import Problem
from unpaired.networks.stargan import Told
from unpaired.networks.targets import named_target
from unpaired.weights import Generators, load_generators

MAX_PIXELS = 50_000_000
WRITERS = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95}),
    ".jpeg": ("JPEG", {"quality": 95}),
}


def load(path: str | Path = "models/export") -> "Translator":
    """The model in `path`: an export folder, or a generators.safetensors itself.

    Raises:
        Problem: the file is missing, damaged, not one of this project's, or of a DCGAN.
    """
    path = Path(path)
    if path.is_dir():
        path /= "generators.safetensors"
    generators = load_generators(path)
    if generators.card["architecture"]["name"] == "dcgan":
        raise Problem(f"{path} makes pictures out of noise: use `unpaired generate`")
    try:
        return Translator(generators)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise Problem(f"{path}: its card does not say how to use it ({error!r})") from None


def direction(name: str, domains: list[str]) -> tuple[str, str]:
    """`generator_ab` → its source and its target: `a` is the first domain, `b` the second."""
    source, target = (domains["abcdefgh".index(letter)] for letter in name.partition("_")[2])
    return source, target


class Translator:
    """Generators that take and give pictures. On the GPU where there is one.

    domains: names, A first, or the classes of a StarGAN; size: the side they were trained at;
    crop: `pad`, `center` or `face`, or `whole`: not squared, its shorter side scaled to that size.
    """

    def __init__(self, generators: Generators):
        card = generators.card
        self.exclusive: bool | None = card.get("exclusive")  # of a StarGAN
        self.domains: list[str] = list(card["domains" if self.exclusive is None else "labels"])
        self.size, self.crop = int(card["size"]), str(card["crop"])
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        networks = {name: one.to(self.device) for name, one in generators.networks.items()}
        if self.exclusive is None:
            self._towards = {direction(n, self.domains)[1]: one for n, one in networks.items()}
        else:
            self._generator = networks["generator"]

    def __call__(
        self,
        image: Image.Image | np.ndarray | str | Path,
        to: str | Sequence[str] | None = None,
        native: bool = False,
    ) -> Image.Image:
        """Translates a Pillow image, a uint8 array (H×W×3 or H×W) or a picture file.

        By default the picture is squared as in training, translated, and brought back to its own
        size and aspect; a model trained on central squares or on faces gives that square back.
        `native` translates every pixel at its own scale instead, which for large pictures takes
        much memory and is not the scale the model has learned.

        to: the target domain; by default the second one. Of a StarGAN, which has no default, the
            class or all attributes that the result is to have.
        Returns: 8-bit RGB.
        Raises: Problem for a domain or a picture that is none, or has no face for such a model.
        """
        network = self.network(to)
        picture = _picture(image)
        if native:
            return self._native(network, picture)
        if self.crop == "whole":
            return self._whole(network, picture)
        crop = self.crop
        if crop == "face":
            try:
                picture, crop = picture.crop(face_box(picture)), "center"
            except NoFace as missing:
                named = f"{image}: " if isinstance(image, str | Path) else ""
                raise Problem(f"{named}{missing}") from None
        squared = square(picture, self.size, crop)
        return unsquare(self._run(network, squared), *picture.size, crop)

    def network(self, to: str | Sequence[str] | None = None) -> nn.Module:
        """The generator towards `to`. Raises Problem if there is none."""
        names = [to] if isinstance(to, str) else list(to or [])
        if self.exclusive is not None:
            label = named_target(names, self.domains, self.exclusive)
            return Told(self._generator, label.to(self.device))
        names = names or [self.domains[1]]
        if len(names) > 1 or names[0] not in self._towards:
            known = ", ".join(sorted(self._towards))
            raise Problem(
                f"this model translates to {known}, not to {' and '.join(map(repr, names))}"
            )
        return self._towards[names[0]]

    def _whole(self, network: nn.Module, picture: Image.Image) -> Image.Image:
        scale = self.size / min(picture.size)
        sides = round(picture.width * scale), round(picture.height * scale)
        scaled = picture.resize(sides, FILTER, reducing_gap=GAP)
        return self._native(network, scaled).resize(picture.size, FILTER)

    def _native(self, network: nn.Module, picture: Image.Image) -> Image.Image:
        # The generator halves each side twice, and its smallest map must exceed its padding.
        rows, columns = (
            max(16, side + -side % 4) - side for side in (picture.height, picture.width)
        )
        padded = np.pad(np.asarray(picture), ((0, rows), (0, columns), (0, 0)), "reflect")
        return self._run(network, Image.fromarray(padded)).crop((0, 0, *picture.size))

    @torch.inference_mode()
    def _run(self, network: nn.Module, picture: Image.Image) -> Image.Image:
        pixels = torch.from_numpy(np.array(picture)).to(self.device)  # H×W×3
        batch = pixels.permute(2, 0, 1)[None].float() / 127.5 - 1  # 1×3×H×W in [-1, 1]
        output = network(batch)[0].permute(1, 2, 0)
        if not output.isfinite().all():
            raise Problem("the generator's output is not finite: its weights are of no use")
        output = ((output + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return Image.fromarray(output.cpu().numpy())


def translate_files(
    translator: Translator,
    source: str | Path,
    target: str | Path,
    to: str | Sequence[str] | None = None,
    native: bool = False,
) -> int:
    """Translates a picture file, or every picture below a folder, and returns how many.

    File → file: PNG or JPEG by the target's suffix. Folder → folder: PNG, under the same relative
    names; what is no picture is named on stderr at the end.

    Raises:
        Problem: before any work, if the source, the target or the domain will not do; after it,
            if nothing could be translated.
    """
    source, target = Path(source), Path(target)
    translator.network(to)
    if source.is_dir():
        return _translate_folder(translator, source, target, to, native)
    if target.is_dir():
        target /= f"{source.stem}.png"
    if target.suffix.lower() not in WRITERS:
        raise Problem(f"{target}: the output's name must end in {', '.join(WRITERS)}")
    if target.exists() and source.exists() and target.samefile(source):
        raise Problem(f"{target} is the input itself: choose another output")
    picture = _picture(source)
    _writable(target.parent)
    _write(target, translator(picture, to, native))
    return 1


def _translate_folder(
    translator: Translator,
    source: Path,
    target: Path,
    to: str | Sequence[str] | None,
    native: bool,
) -> int:
    if target.resolve().is_relative_to(source.resolve()):
        raise Problem(f"{target} lies in the input folder {source}: choose another output")
    files = sorted(path for path in source.rglob("*") if path.is_file())
    if not files:
        raise Problem(f"{source}: a folder without files")
    _writable(target)
    inputs = {path.resolve() for path in files}
    written, skipped = set(), []
    for path in tqdm(files, desc="translating", unit="file"):
        name = path.relative_to(source)
        place = target / name.with_suffix(".png")
        if place in written:  # a.jpg and a.png
            place = target / name.with_name(f"{name.name}.png")
        try:
            if place.resolve() in inputs:
                raise Problem(f"{path}: its output {place} is an input")
            result = translator(path, to, native)
        except Problem as problem:
            skipped.append(problem)
            continue
        _writable(place.parent)
        _write(place, result)
        written.add(place)
    for reason in skipped:
        print(f"skipped: {reason}", file=sys.stderr)
    if not written:
        raise Problem(f"{source}: no picture in it could be translated")
    return len(written)


def _picture(image: Image.Image | np.ndarray | str | Path) -> Image.Image:
    """Whatever a caller has → canonical RGB."""
    if isinstance(image, str | Path):
        try:
            return decode(Path(image).read_bytes(), MAX_PIXELS)
        except OSError as error:
            raise Problem(f"{image}: {error.strerror}") from None
        except Refused as refused:
            raise Problem(f"{image}: {refused}") from None
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim not in (2, 3) or 0 in image.shape:
            raise Problem(f"a picture is a uint8 array of H×W×3, not {image.dtype}{image.shape}")
        image = Image.fromarray(image)
    return canonical(image)


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise Problem(f"{folder}: no output can be written there ({error.strerror})") from None


def _write(path: Path, picture: Image.Image) -> None:
    temporary = path.with_name(f".{path.name}.part")
    format, options = WRITERS[path.suffix.lower()]
    try:
        picture.save(temporary, format, **options)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise Problem(f"{path}: {error.strerror or error}") from None
