"""What the tests log."""

PARAMS = {
    "domains": [{"name": "apple", "train": 6}, {"name": "pear", "train": 8}],
    "clean": {"size": 32},
    "train": {"model": "cyclegan", "epochs": 2, "seed": 0, "flip": True},
}
HISTORY = [
    {"step": step, "epoch": step / 7, "loss_G_cycle": 1 / step, "learning_rate": 2e-4}
    for step in (2, 4, 6)
]


def logged(store, run_id, name):
    return [(metric.step, metric.value) for metric in store.get_metric_history(run_id, name)]
