import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from unpaired.training.batches import Batches, generator, to_images, to_tensor

CPU = torch.device("cpu")


def flat(count, size=8):
    """Pictures of one value each, their place in the set: no crop or flip changes them."""
    values = np.arange(count, dtype=np.uint8)[:, None, None, None]
    return np.broadcast_to(values, (count, size, size, 3))


def plain(images, batch_size=1, seed=0):
    return Batches(images, batch_size, seed, load_scale=1.0, flip=False, device=CPU)


def places(batches, step):
    return [to_images(batch)[:, 0, 0, 0].tolist() for batch in batches[step]]


def test_bytes_become_numbers_and_come_back():
    images = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    tensor = to_tensor(images)
    assert tensor.shape == (1, 3, 16, 16) and tensor.dtype == torch.float32
    assert (tensor.min(), tensor.max()) == (-1, 1)
    assert np.array_equal(to_images(tensor), images)
    assert to_images(torch.tensor([-7.0, 7.0]).reshape(1, 1, 1, 2)).ravel().tolist() == [0, 255]


def test_channels_and_rows_keep_their_place():
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3), np.uint8)
    tensor = to_tensor(images)
    assert tensor[1, 2, 3, 4].item() == pytest.approx(images[1, 3, 4, 2] / 127.5 - 1)
    assert np.array_equal(to_images(tensor), images)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_each_picture_comes_once_an_epoch(batch_size):
    batches = plain({"apple": flat(12), "pear": flat(6)}, batch_size)
    drawn = np.concatenate([places(batches, step) for step in range(24 // batch_size)], axis=1)
    apples, pears = drawn.tolist()
    assert sorted(apples[:12]) == sorted(apples[12:]) == list(range(12))
    assert apples[:12] != apples[12:]  # in a new order
    for epoch in range(4):
        assert sorted(pears[6 * epoch : 6 * epoch + 6]) == list(range(6))


def test_a_batch_may_be_larger_than_a_domain():
    batches = plain({"apple": flat(3), "pear": flat(2)}, batch_size=7)
    apples, pears = places(batches, 0)
    assert sorted(apples[:3]) == sorted(apples[3:6]) == [0, 1, 2]
    assert sorted(pears[:2]) == sorted(pears[2:4]) == [0, 1]


def test_a_batch_depends_on_seed_and_step_alone(pictures):
    images = {"apple": pictures(6, 0), "pear": pictures(4, 1)}

    def batches(seed):
        return Batches(images, 2, seed, 1.2, True, CPU)

    forward, backward = batches(0), batches(0)
    steps = {step: forward[step] for step in range(12)}
    for step in reversed(range(12)):
        assert all(torch.equal(*pair) for pair in zip(backward[step], steps[step], strict=True))
    assert all(torch.equal(*pair) for pair in zip(batches(0)[7], steps[7], strict=True))
    assert not torch.equal(batches(1)[7][0], steps[7][0])


def test_domains_are_drawn_apart(pictures):
    images = pictures(8, 0)
    batches = Batches({"apple": images, "pear": images}, 1, 0, 1.2, True, CPU)
    assert any(not torch.equal(*batches[step]) for step in range(4))


def test_pictures_are_enlarged_and_cropped_within(pictures):
    """Each batch is some window of the enlarged picture, and all windows come up."""
    images = pictures(1, 0)
    larger = interpolate(to_tensor(images), (36, 36), mode="bicubic", align_corners=False)
    windows = larger.clamp(-1, 1)[0].unfold(1, 32, 1).unfold(2, 32, 1).movedim(0, 2)
    batches = Batches({"apple": images}, 1, 0, 1.117, False, CPU)
    corners = set()
    for step in range(150):
        (batch,) = batches[step]
        assert batch.shape == (1, 3, 32, 32) and batch.is_contiguous()
        same = (windows == batch[0]).all(-1).all(-1).all(-1).nonzero()
        assert len(same) == 1
        corners.add(tuple(same[0].tolist()))
    assert {y for y, _ in corners} == {x for _, x in corners} == set(range(5))


def test_about_half_is_flipped_and_the_rest_is_as_it_was(pictures):
    images = pictures(1, 0)
    upright = to_tensor(images)
    batches = Batches({"apple": images}, 4, 0, 1.0, True, CPU)
    flips = 0
    for step in range(100):
        for picture in batches[step][0]:
            flipped = torch.equal(picture, upright[0].flip(2))
            assert flipped or torch.equal(picture, upright[0])
            flips += flipped
    assert 160 < flips < 240


def test_with_neither_crop_nor_flip_pictures_are_as_stored(pictures):
    images = pictures(3, 0)
    found = torch.cat([plain({"apple": images})[step][0] for step in range(3)])
    assert sorted(to_images(found).tolist()) == sorted(images.tolist())


def test_memory_mapped_sets_are_left_alone(pictures, tmp_path):
    np.save(tmp_path / "images.npy", pictures(4, 0))
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    batches = Batches({"apple": images}, 2, 0, 1.2, True, CPU)
    assert batches[0][0].shape == (2, 3, 32, 32)
    assert np.array_equal(images, pictures(4, 0))


def test_generators_are_told_apart_by_their_key():
    def draw(*key):
        return torch.rand(4, generator=generator(*key)).tolist()

    assert draw("order", 0, "apple") == draw("order", 0, "apple")
    others = [draw("order", 0, "pear"), draw("order", 1, "apple"), draw("pool", 0, "apple")]
    assert draw("order", 0, "apple") not in others


def test_an_epoch_is_as_many_steps_as_the_largest_domain_needs():
    assert plain({"apple": flat(5), "pear": flat(7)}, batch_size=2).epoch == 3.5


def test_fixed_pictures_are_spread_and_never_changed():
    images = {"apple": flat(3), "pear": flat(11)}
    few, spread = Batches(images, 2, 0, 1.5, flip=True, device=CPU).fixed(5)
    assert torch.equal(few, to_tensor(images["apple"]))
    assert torch.equal(spread, to_tensor(images["pear"][[0, 2, 4, 6, 8]]))
