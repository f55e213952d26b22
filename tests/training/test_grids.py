import numpy as np
import torch
from PIL import Image

from unpaired.training.grids import GAP, save_grid


def colours(*levels):
    """A row of 4×4 pictures of one grey level each."""
    return [torch.full((3, 4, 4), level / 127.5 - 1) for level in levels]


def test_blocks_of_rows_stand_side_by_side_on_white(tmp_path):
    path = tmp_path / "samples" / "step_000001.png"
    save_grid(path, [[colours(0, 50), colours(100, 150)], [colours(200, 250)]])
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    sheet = np.asarray(Image.open(path))
    side = 8  # 4 px, twice enlarged
    step = side + GAP
    right = side + step + 4 * GAP
    expected = np.full((step + side, right + side + step, 3), 255, np.uint8)
    for level, y, x in (
        (0, 0, 0),
        (50, 0, step),
        (100, step, 0),
        (150, step, step),
        (200, 0, right),
        (250, 0, right + step),
    ):
        expected[y : y + side, x : x + side] = level
    assert np.array_equal(sheet, expected)


def test_pictures_are_upright_and_enlarged_without_blur(tmp_path):
    picture = torch.rand(3, 4, 6, generator=torch.Generator().manual_seed(0)) * 2 - 1
    save_grid(tmp_path / "grid.png", [[[picture[:, :, :4]]]], scale=3)
    sheet = np.asarray(Image.open(tmp_path / "grid.png"))
    assert sheet.shape == (12, 12, 3)
    stored = ((picture[:, :, :4] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(sheet[::3, ::3], stored) and np.array_equal(sheet[2::3, 2::3], stored)
