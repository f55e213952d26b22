import pytest
import torch

from unpaired.errors import Problem
from unpaired.training import hardware
from unpaired.training.hardware import resolve_device, resolve_precision, resolve_threads

CPU = torch.device("cpu")


def gpu(monkeypatch, there, bf16=True):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bf16)


@pytest.mark.parametrize(("there", "expected"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_the_gpu_if_there_is_one(monkeypatch, there, expected):
    gpu(monkeypatch, there)
    assert resolve_device("auto") == torch.device(expected)
    assert resolve_device("cpu") == CPU


def test_a_gpu_that_is_not_there_is_a_problem(monkeypatch):
    gpu(monkeypatch, False)
    with pytest.raises(Problem, match=r"train\.device is cuda"):
        resolve_device("cuda")


@pytest.mark.parametrize(("bf16", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_takes_bf16_on_a_gpu_that_has_it(monkeypatch, bf16, expected):
    gpu(monkeypatch, True, bf16)
    assert resolve_precision("auto", torch.device("cuda")) == expected


@pytest.mark.parametrize(("half", "expected"), [(0.1, "bf16"), (0.3, "fp32"), (0.2, "fp32")])
def test_auto_takes_what_is_faster_on_a_cpu(monkeypatch, half, expected):
    seconds = {torch.bfloat16: half, torch.float32: 0.2}
    monkeypatch.setattr(hardware, "_seconds", seconds.get)
    assert resolve_precision("auto", CPU) == expected


def test_the_measurement_measures():
    assert 0 < hardware._seconds(torch.bfloat16) < 60
    assert 0 < hardware._seconds(torch.float32) < 60


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_asked_for_is_not_measured(monkeypatch, precision):
    monkeypatch.setattr(hardware, "_seconds", lambda _: pytest.fail("measured"))
    assert resolve_precision(precision, CPU) == precision


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [({1: 8, 2: 8.1, 4: 1}, 1), ({1: 8, 2: 5, 4: 4.5, 8: 1}, 2), ({1: 8, 2: 5, 4: 3, 8: 2}, 8)],
)
def test_auto_takes_more_threads_while_they_pay(monkeypatch, seconds, expected):
    monkeypatch.setattr(hardware, "_with_threads", seconds.get)
    monkeypatch.setattr(hardware.os, "sched_getaffinity", lambda _: set(range(16)))
    assert resolve_threads("auto") == expected


def test_a_small_machine_and_a_given_number_are_not_measured(monkeypatch):
    monkeypatch.setattr(hardware, "_with_threads", lambda _: pytest.fail("measured"))
    monkeypatch.setattr(hardware.os, "sched_getaffinity", lambda _: {0, 1})
    assert resolve_threads("auto") == 1
    assert resolve_threads(3) == 3
