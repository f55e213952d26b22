"""An observer of a training that keeps what it is told, and comparisons of what was trained."""

import torch


class Watcher:
    """Keeps what it is told; raises at a checkpoint or sample as if the process were ended."""

    def __init__(self, end_at=None):
        self.end_at = end_at
        self.told, self.history = [], []

    def metrics(self, history):
        self.history = [dict(row) for row in history]

    def sample(self, step, grid):
        assert grid.is_file()
        self.told.append(("sample", step))
        self._end(("sample", step))

    def checkpoint(self, step, model, kept):
        self.kept = kept
        self.told.append(("checkpoint", step))
        self._end(("checkpoint", step))

    def warn(self, tag, text):
        self.told.append((tag, text))

    def _end(self, event):
        if event == self.end_at:
            raise KeyboardInterrupt


def weights(trained):
    return {
        f"{name}.{key}": value
        for name, network in trained.model.networks.items()
        for key, value in network.state_dict().items()
    }


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
