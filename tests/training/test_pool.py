import torch

from unpaired.training.batches import generator
from unpaired.training.pool import ImagePool


def numbered(first, count):
    """Pictures that are told apart by their value."""
    return torch.arange(first, first + count).float()[:, None, None, None].expand(-1, 3, 2, 2)


def values(images):
    return [int(image[0, 0, 0]) for image in images]


def test_without_a_size_pictures_pass():
    pool = ImagePool(0)
    images = numbered(0, 3)
    assert pool.query(images, generator(0)) is images
    assert pool.images == []


def test_a_pool_fills_before_it_answers_with_old_ones():
    pool = ImagePool(5)
    assert values(pool.query(numbered(0, 3), generator(0))) == [0, 1, 2]
    assert values(pool.query(numbered(3, 2), generator(1))) == [3, 4]
    assert values(pool.images) == [0, 1, 2, 3, 4]


def test_a_full_pool_swaps_about_half():
    pool = ImagePool(10)
    pool.query(numbered(0, 10), generator(0))
    old, pairs = 0, set(range(10))
    for step in range(1000):
        new = 10 + step
        (answer,) = values(pool.query(numbered(new, 1), generator(step)))
        pairs.add(new)
        pairs.remove(answer)  # nobody is answered twice, or lost
        old += answer != new
        assert set(values(pool.images)) == pairs and len(pool.images) == 10
    assert 430 < old < 570


def test_every_place_is_swapped():
    pool = ImagePool(4)
    pool.query(numbered(0, 4), generator(0))
    pool.query(numbered(10, 100), generator(1))
    assert min(values(pool.images)) >= 10


def test_the_generator_decides_alone():
    answers = []
    for seed in (0, 0, 1):
        pool = ImagePool(8)
        answers.append(values(pool.query(numbered(0, 60), generator(seed))))
    assert answers[0] == answers[1] != answers[2]


def test_what_is_kept_is_not_the_batch_it_came_in():
    pool = ImagePool(3)
    pool.query(numbered(0, 2).contiguous(), generator(0))
    pool.query(numbered(2, 40).contiguous(), generator(1))
    assert {image.untyped_storage().nbytes() for image in pool.images} == {4 * 3 * 2 * 2}


def test_a_restored_pool_goes_on_alike():
    pool, other = ImagePool(3), ImagePool(3)
    pool.query(numbered(0, 20), generator(0))
    state = pool.state_dict()
    other.load_state_dict(state)
    expected = values(pool.query(numbered(20, 20), generator(1)))
    assert values(other.query(numbered(20, 20), generator(1))) == expected
    third = ImagePool(3)
    third.load_state_dict(state)  # what was saved stays as it was
    assert values(third.images) != values(pool.images)
