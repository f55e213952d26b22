import math

import pytest
import torch
from PIL import Image
from watcher import Watcher, same, weights

from unpaired.errors import Problem
from unpaired.training.checkpoint import load_checkpoint
from unpaired.training.cyclegan import CycleGAN
from unpaired.training.loop import train

LOSSES = ["loss_G_GAN", "loss_G_cycle", "loss_G_identity", "loss_D_apple", "loss_D_pear"]


def test_what_a_training_leaves_and_tells(images, rules, folder):
    watcher = Watcher()
    settings = rules({"train.epochs": 2, "train.log_every": 3, "train.sample_every": 5})
    trained = train(images, settings, folder(), watcher)
    assert trained.steps == 14  # two epochs of the larger domain
    assert trained.history == watcher.history
    assert [row["step"] for row in trained.history] == [3, 6, 9, 12, 14]
    for row in trained.history:
        assert list(row) == ["step", "epoch", *LOSSES, "learning_rate"]
        assert row["epoch"] == pytest.approx(row["step"] / 7)
        assert all(math.isfinite(row[name]) and row[name] > 0 for name in LOSSES)
    rates = [row["learning_rate"] for row in trained.history]
    assert rates == pytest.approx([2e-4, 2e-4, 2e-4 * 6 / 7, 2e-4 * 3 / 7, 2e-4 / 7])
    assert [step for kind, step in watcher.told if kind == "sample"] == [5, 10, 14]
    assert [step for kind, step in watcher.told if kind == "checkpoint"] == [4, 8, 12, 14]
    names = sorted(path.relative_to(folder()).as_posix() for path in folder().rglob("*.*"))
    grids = [f"samples/step_{step:06}.png" for step in (5, 10, 14)]
    assert names == ["before_decay.pt", "checkpoint.pt", *grids]
    with Image.open(folder() / grids[0]) as grid:
        row = 2 * 32 + 4  # twice enlarged, and a gap
        assert grid.size == (2 * (3 * row - 4) + 16, 5 * row - 4)
    assert load_checkpoint(folder() / "checkpoint.pt", torch.device("cpu"))["step"] == 14


def test_losses_are_means_since_the_row_before(images, rules, folder):
    each = train(images, rules({"train.log_every": 1}), folder("1"), Watcher()).history
    three = train(images, rules({"train.log_every": 3}), folder("3"), Watcher()).history
    for name in LOSSES:
        values = [row[name] for row in each]
        means = [sum(values[:3]) / 3, sum(values[3:6]) / 3, values[6]]
        assert [row[name] for row in three] == pytest.approx(means)


def test_a_few_steps_learn_to_come_back(images, rules, folder):
    settings = {"train.epochs": 12, "train.learning_rate": 0.002, "train.log_every": 12}
    settings |= {"train.sample_every": 1000, "train.checkpoint_every": 1000}
    history = train(images, rules(settings), folder(), Watcher()).history
    assert history[-1]["loss_G_cycle"] < 0.6 * history[0]["loss_G_cycle"]
    assert history[-1]["loss_G_identity"] < 0.6 * history[0]["loss_G_identity"]


@pytest.mark.parametrize("end_at", [("checkpoint", 4), ("sample", 5), ("sample", 7)])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_interrupted_training_ends_as_if_nothing_had_been(
    images, rules, folder, end_at, precision
):
    # Rows of 3 steps and checkpoints of 4: the interruption falls between two rows.
    settings = rules({"train.log_every": 3, "train.sample_every": 5, "train.precision": precision})
    whole = train(images, settings, folder("whole"), Watcher())
    with pytest.raises(KeyboardInterrupt):
        train(images, settings, folder("parts"), Watcher(end_at))
    watcher = Watcher()
    resumed = train(images, settings, folder("parts"), watcher)
    assert ("checkpoint", 4) not in watcher.told  # it went on, not anew
    assert same(weights(resumed), weights(whole))
    assert resumed.history == whole.history == watcher.history
    for grid in ("step_000005.png", "step_000007.png"):
        files = [folder(run) / "samples" / grid for run in ("whole", "parts")]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_a_finished_training_is_only_told_again(images, rules, folder, monkeypatch):
    first = train(images, rules(), folder(), Watcher())
    monkeypatch.setattr(CycleGAN, "step", lambda *_: pytest.fail("a step"))
    watcher = Watcher()
    again = train(images, rules(), folder(), watcher)
    assert watcher.told == [("sample", 7), ("checkpoint", 7)]
    assert again.history == first.history == watcher.history
    assert same(weights(again), weights(first))


@pytest.mark.parametrize("broken", ["loss_G_cycle", "loss_D_pear"])
def test_divergence_is_a_problem_and_the_last_checkpoint_stays(
    images, rules, folder, monkeypatch, broken
):
    step = CycleGAN.step

    def diverging(model, number, a, b):
        losses = step(model, number, a, b)
        return losses | {broken: losses[broken] / (0 if number >= 5 else 1)}

    monkeypatch.setattr(CycleGAN, "step", diverging)
    watcher = Watcher()
    with pytest.raises(Problem, match=rf"before step 6: {broken} is not finite.*learning_rate"):
        train(images, rules(), folder(), watcher)
    assert watcher.told == [("sample", 4), ("checkpoint", 4)]
    assert all(math.isfinite(row[broken]) for row in watcher.history)
    assert load_checkpoint(folder() / "checkpoint.pt", torch.device("cpu"))["step"] == 4


def test_no_checkpoint_of_what_diverged_between_two_rows(images, rules, folder, monkeypatch):
    step = CycleGAN.step

    def diverging(model, number, a, b):
        losses = step(model, number, a, b)
        return losses | {"loss_G_GAN": losses["loss_G_GAN"] / (0 if number == 3 else 1)}

    monkeypatch.setattr(CycleGAN, "step", diverging)
    watcher = Watcher()
    with pytest.raises(Problem, match="loss_G_GAN is not finite"):
        train(images, rules({"train.log_every": 7, "train.sample_every": 7}), folder(), watcher)
    assert watcher.told == [] and not (folder() / "checkpoint.pt").exists()


def test_a_damaged_checkpoint_is_a_problem(images, rules, folder):
    folder().mkdir(parents=True)
    (folder() / "checkpoint.pt").write_bytes(b"half")
    with pytest.raises(Problem, match="delete it to start anew"):
        train(images, rules(), folder(), Watcher())


def test_a_fraction_of_a_batch_is_a_step(images, rules, folder):
    trained = train(images, rules({"train.batch_size": 3}), folder(), Watcher())
    assert trained.steps == 3  # 7 pictures in threes
    assert trained.history[-1]["epoch"] == pytest.approx(9 / 7)


def test_a_warning_is_said_once(images, rules, folder, monkeypatch, capsys):
    monkeypatch.setattr(CycleGAN, "health", lambda *_: {"dim": "all is dim; raise train.light"})
    watcher = Watcher()
    train(images, rules(), folder(), watcher)
    assert [told for told in watcher.told if told[0] == "dim"] == [
        ("dim", "all is dim; raise train.light")
    ]
    assert capsys.readouterr().err.count("warning, step 4: all is dim; raise train.light\n") == 1
