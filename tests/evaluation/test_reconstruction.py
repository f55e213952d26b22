import numpy as np
import pytest

from unpaired.evaluation.reconstruction import l1, psnr, ssim

rng = np.random.default_rng(0)
PICTURES = rng.integers(0, 200, (3, 16, 16, 3), dtype=np.uint8)


def test_equal_pictures():
    assert l1(PICTURES, PICTURES).tolist() == [0, 0, 0]
    assert psnr(PICTURES, PICTURES) == pytest.approx(60)
    assert ssim(PICTURES, PICTURES) == pytest.approx(1)


def test_a_known_difference():
    brighter = PICTURES + 51  # a fifth of the range
    assert l1(PICTURES, brighter) == pytest.approx(51)
    assert psnr(PICTURES, brighter) == pytest.approx(20 * np.log10(5))
    noise = rng.integers(0, 256, PICTURES.shape, dtype=np.uint8)
    assert (ssim(PICTURES, noise) < ssim(PICTURES, brighter)).all()
