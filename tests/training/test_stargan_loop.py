"""A StarGAN through the loop that all models share."""

import numpy as np
import pytest
from test_stargan import TINY, same
from watcher import Watcher

from unpaired.params.models import StarGAN as Settings
from unpaired.training.loop import train


def test_a_training_through_the_loop_that_is_interrupted_ends_alike(images, tmp_path):
    settings = Settings(**TINY | {"labels": [], "n_critic": 2, "epochs": 2})
    labels = {
        name: np.eye(2, dtype=np.float32)[[k] * len(x)]
        for k, (name, x) in enumerate(images.items())
    }
    whole = train(images, settings, tmp_path / "whole/2", Watcher(), labels)
    assert whole.steps == 8  # of three of the twelve pictures
    with pytest.raises(KeyboardInterrupt):
        train(images, settings, tmp_path / "cut/2", Watcher(end_at=("checkpoint", 4)), labels)
    rest = train(images, settings, tmp_path / "cut/2", Watcher(), labels)
    assert rest.history == whole.history
    assert same(*(t.model.generator.state_dict() for t in (rest, whole)))
    assert "loss_G_rec" in whole.history[1] and "loss_G_rec" not in whole.history[0]
