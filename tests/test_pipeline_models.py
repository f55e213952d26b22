"""The pipeline with the models that a profile brings, each in a clone of its own."""

from pathlib import Path

from clone import Clone, tiny_clone

TINY = {"epochs": 2, "batch_size": 4, "ngf": 8, "ndf": 8, "keep": "last", "ema": 0.0}
TINY |= {"precision": "fp32", "log_every": 2, "sample_every": 4, "checkpoint_every": 4}
STAGES = ["search", "fetch", "clean", "split", "train", "evaluate", "export"]
KID = "kid_efficientnet_lite0"


def reproduced(folder: Path, model: str, counts: dict[str, int], **train) -> Clone:
    """A clone in which the profile has run, in small."""
    clone = tiny_clone(folder / "unpaired")
    clone.run("unpaired", "profile", model)
    clone.set(train=TINY | train)
    clone.set_domains(**counts)
    assert clone.repro() == STAGES
    assert clone.repro() == []
    return clone


def plotted(clone: Clone) -> str:
    line = clone.run("dvc", "plots", "show").strip().splitlines()[-1]
    return Path(line.removeprefix("file://")).read_text()


def test_dcgan(tmp_path):
    clone = reproduced(tmp_path, "dcgan", {"train": 16, "test": 8}, z_size=4)
    figures = clone.json("metrics/evaluation.json")
    assert {KID, f"{KID}_floor", "near_duplicates", "near_train_share"} <= set(figures)
    assert {path.name for path in (clone.folder / "data/evaluation").iterdir()} >= {
        "samples.npy", "samples.csv", "samples.efficientnet_lite0.npy"
    }  # fmt: skip
    assert "Near duplicates" in (clone.folder / "metrics/report.html").read_text()
    assert (clone.folder / "models/export/README.md").exists()
    assert "Near duplicates" in clone.run("unpaired", "summary")
    assert KID in plotted(clone)


def test_stargan(tmp_path):
    labels = ["colour=black", "colour=red"]
    clone = reproduced(tmp_path, "stargan", {"train": 90, "test": 60}, labels=labels)
    figures = clone.json("metrics/evaluation.json")
    assert {f"{KID}_black_to_red", f"{KID}_red_to_black", KID, "target_share"} <= set(figures)
    assert {path.name for path in (clone.folder / "data/evaluation").iterdir()} >= {
        "black_to_red.npy", "black_to_red_and_back.npy", "red_to_black.csv"
    }  # fmt: skip
    assert "black → red" in (clone.folder / "metrics/report.html").read_text()
    assert (clone.folder / "models/export/README.md").exists()
    assert "Class reached" in clone.run("unpaired", "summary")
    assert KID in plotted(clone)
