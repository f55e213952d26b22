"""Trainings that were asked to stop, and longer ones that go on from shorter."""

import os
import shutil
import signal
import time

import pytest
import torch
from watcher import Watcher, same, weights

from unpaired.errors import Problem
from unpaired.training import hardware
from unpaired.training.checkpoint import load_checkpoint
from unpaired.training.cyclegan import CycleGAN
from unpaired.training.loop import train

ROWS = {"train.log_every": 3, "train.sample_every": 5, "train.checkpoint_every": 4}


class Signalled(Watcher):
    """Gets a signal when the row of a step is told."""

    def __init__(self, step, *numbers):
        super().__init__()
        self.step, self.numbers = step, numbers

    def metrics(self, history):
        super().metrics(history)
        if history[-1]["step"] == self.step:
            for number in self.numbers:
                os.kill(os.getpid(), number)
                time.sleep(0.01)  # two at once would count as one


@pytest.fixture
def steps_taken(monkeypatch):
    """The steps that CycleGAN takes from now on."""
    taken, step = [], CycleGAN.step

    def noted(model, number, *batch):
        taken.append(number)
        return step(model, number, *batch)

    monkeypatch.setattr(CycleGAN, "step", noted)
    return taken


def saved(folder):
    return load_checkpoint(folder / "checkpoint.pt", torch.device("cpu"))


def sheets(folder):
    return {path.name: path.read_bytes() for path in (folder / "samples").iterdir()}


def assert_equal(one, other, one_folder, other_folder):
    assert same(weights(one), weights(other))
    assert one.history == other.history
    assert sheets(one_folder) == sheets(other_folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_nothing_is_lost(images, rules, folder, steps_taken, number):
    whole = train(images, rules(ROWS), folder("whole"), Watcher())
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt, match=f"{number.name}: saved after step 3"):
        train(images, rules(ROWS), folder("parts"), Signalled(3, number))
    assert signal.getsignal(number) == before
    assert saved(folder("parts"))["step"] == 3
    steps_taken.clear()
    parts = train(images, rules(ROWS), folder("parts"), Watcher())
    assert steps_taken == [3, 4, 5, 6]
    assert_equal(whole, parts, folder("whole"), folder("parts"))


def test_a_second_signal_acts_at_once(images, rules, folder):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest-xdist ignores it
    with pytest.raises(KeyboardInterrupt) as caught:
        train(images, rules(ROWS), folder(), Signalled(3, signal.SIGTERM, signal.SIGINT))
    signal.signal(signal.SIGINT, before)
    assert "saved" not in str(caught.value)
    assert not (folder() / "checkpoint.pt").exists()


def test_a_training_whose_dvc_is_gone_saves_and_stops(images, rules, folder, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "train")
    parents = iter([100, 100, 100])
    monkeypatch.setattr(os, "getppid", lambda: next(parents, 1))
    with pytest.raises(KeyboardInterrupt, match="dvc is gone: saved after step 3"):
        train(images, rules(ROWS), folder(), Watcher())
    assert saved(folder())["step"] == 3


def test_who_was_not_started_by_dvc_may_lose_his_parent(images, rules, folder, monkeypatch):
    monkeypatch.delenv("DVC_STAGE", raising=False)
    parents = iter([100])
    monkeypatch.setattr(os, "getppid", lambda: next(parents, 1))
    assert train(images, rules(ROWS), folder(), Watcher()).steps == 7


@pytest.mark.parametrize(("decay", "first"), [(0.5, 8), (0.0, 14), (1.0, 1)])
def test_a_longer_training_goes_on_before_the_decay(
    images, rules, folder, steps_taken, decay, first
):
    short, long = (
        rules(ROWS | {"train.epochs": epochs, "train.decay": decay}) for epochs in (2, 3)
    )
    whole = train(images, long, folder("whole"), Watcher())
    train(images, short, folder("parts", "2"), Watcher())
    steps_taken.clear()
    longer = train(images, long, folder("parts", "3"), Watcher())
    assert steps_taken == list(range(first, 21))
    assert_equal(whole, longer, folder("whole"), folder("parts", "3"))


def test_a_shorter_training_shares_only_what_is_the_same(images, rules, folder, steps_taken):
    settings = [rules(ROWS | {"train.epochs": epochs}) for epochs in (3, 1)]
    train(images, settings[0], folder("one", "3"), Watcher())
    steps_taken.clear()
    train(images, settings[1], folder("one", "1"), Watcher())
    assert steps_taken == list(range(7))


def test_what_auto_came_to_holds_for_good(images, rules, folder, monkeypatch):
    settings = rules(ROWS | {"train.precision": "auto", "train.threads": "auto"})
    with pytest.raises(KeyboardInterrupt):
        train(images, settings, folder(), Watcher(("checkpoint", 4)))
    resolved = saved(folder())["resolved"]
    assert resolved["precision"] in ("fp32", "bf16") and resolved["threads"] >= 1
    monkeypatch.setattr(hardware, "_seconds", lambda *_: pytest.fail("measured again"))
    trained = train(images, settings, folder(), Watcher())
    assert trained.model.precision == resolved["precision"]
    assert saved(folder())["resolved"] == resolved


def judged(best_at):
    """A judge whose lowest value comes at its `best_at`-th call."""
    calls = []

    def judge(generators):
        calls.append(next(generators["generator_ab"].parameters()).sum().item())
        return abs(len(calls) - best_at)

    return judge, calls


def test_the_best_of_the_checkpoints_is_kept(images, rules, folder):
    settings = rules(ROWS | {"train.keep": "best_kid", "train.checkpoint_every": 2})
    watcher, (judge, seen) = Watcher(), judged(2)
    trained = train(images, settings, folder(), watcher, judge=judge)
    assert [step for kind, step in watcher.told if kind == "checkpoint"] == [2, 4, 6, 7]
    assert trained.kept_step == 4
    kept = next(watcher.kept["generator_ab"].parameters()).sum().item()
    assert kept == seen[1] and kept != seen[3] and len(seen) == 4


def test_the_best_outlives_an_interruption(images, rules, folder):
    settings = rules(ROWS | {"train.keep": "best_kid", "train.checkpoint_every": 2})
    judge, seen = judged(1)
    with pytest.raises(KeyboardInterrupt):
        train(images, settings, folder(), Watcher(("checkpoint", 4)), judge=judge)
    watcher = Watcher()
    trained = train(images, settings, folder(), watcher, judge=judge)
    assert trained.kept_step == 2 and len(seen) == 4
    assert next(watcher.kept["generator_ab"].parameters()).sum().item() == seen[0]


def test_a_checkpoint_says_what_it_belongs_to(images, rules, folder):
    train(images, rules(ROWS), folder("one"), Watcher())
    state = saved(folder("one"))
    assert state["trajectory"] == "one" and state["settings"]["log_every"] == 3
    shutil.copytree(folder("one"), folder("other"))
    with pytest.raises(
        Problem, match=r"checkpoint\.pt belongs to another training \(one\); delete"
    ):
        train(images, rules(ROWS), folder("other"), Watcher())
