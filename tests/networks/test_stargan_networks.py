import onnxruntime
import pytest
import torch
from torch import nn

from unpaired.errors import Problem
from unpaired.networks.stargan import StarGANDiscriminator, StarGANGenerator, halvings


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def images(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def judge():
    torch.manual_seed(0)
    return StarGANDiscriminator(3, 32, 8).double()


def test_the_size_the_paper_has():
    assert count(StarGANGenerator(5)) == 8_430_528
    assert count(StarGANGenerator(5, blocks=9)) == 8_430_528 + 3 * 2 * (256 * 256 * 9 + 2 * 256)
    with torch.device("meta"):
        assert count(StarGANDiscriminator(5, 128)) == 44_762_048


@pytest.mark.parametrize("shape", [(2, 3, 32, 32), (1, 3, 16, 16), (1, 3, 36, 20)])
def test_shape_and_range_are_kept(shape):
    with torch.no_grad():
        answer = StarGANGenerator(4, 8)(images(*shape), torch.eye(4)[: shape[0]])
    assert answer.shape == shape
    assert answer.abs().max() <= 1 and answer.std() > 0


def test_the_label_is_listened_to_and_changes_no_other_picture():
    network, batch = StarGANGenerator(3, 8), images(2, 3, 32, 32)
    with torch.no_grad():
        one = network(batch, torch.eye(3)[[0, 1]])
        other = network(batch, torch.eye(3)[[0, 2]])
    torch.testing.assert_close(one[0], other[0])
    assert (one[1] - other[1]).abs().max() > 1e-3


def test_norms_are_affine_and_of_the_picture_itself_in_either_mode():
    network, batch = StarGANGenerator(2, 8), images(1, 3, 32, 32)
    channels = 8
    norm = network.model[1]
    plain = nn.InstanceNorm2d(channels, affine=True)
    plain.load_state_dict(norm.state_dict())
    signal = 3 * images(2, channels, 8, 8) + 1
    torch.testing.assert_close(norm(signal), plain(signal), atol=1e-5, rtol=1e-5)
    label = torch.eye(2)[:1]
    with torch.no_grad():
        assert torch.equal(network.train()(batch, label), network.eval()(batch, label))
    assert not [name for name, _ in network.named_buffers()]


@pytest.mark.parametrize(
    ("size", "depth"), [(32, 4), (48, 4), (64, 5), (96, 5), (128, 6), (256, 6)]
)
def test_the_discriminator_fits_the_size(size, depth):
    assert halvings(size) == depth
    with torch.no_grad():
        verdicts, classes = StarGANDiscriminator(4, size, 4)(images(2, 3, size, size))
    assert verdicts.shape == (2, 1, size // 2**depth, size // 2**depth)
    assert classes.shape == (2, 4)


@pytest.mark.parametrize(("size", "nearest"), [(16, 32), (20, 32), (100, 96), (62, 64)])
def test_a_size_it_cannot_take_is_named_with_one_it_can(size, nearest):
    with pytest.raises(Problem, match=f"not of {size}: set clean.size to {nearest}"):
        StarGANDiscriminator(4, size, 4)


def test_slopes_are_those_of_autograd(judge):
    batch = images(2, 3, 32, 32).double().requires_grad_()
    verdicts, _ = judge(batch)
    (expected,) = torch.autograd.grad(verdicts.sum(), batch, create_graph=True)
    found = judge.slopes(batch.detach())
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)

    # And so are their derivatives in the weights, of a sum that weighs each slope differently.
    weights = images(2, 3, 32, 32).double().flip(3)
    parameters = [p for name, p in judge.named_parameters() if name.endswith("weight")][:-1]
    theirs, ours = (
        torch.autograd.grad((slopes.tanh() * weights).sum(), parameters)
        for slopes in (expected, found)
    )
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
    assert all(gradient.abs().max() > 0 for gradient in ours)


@pytest.mark.slow
def test_the_generator_can_become_onnx(tmp_path):
    network = StarGANGenerator(3, 8).eval()
    program = torch.onnx.export(
        network,
        (torch.zeros(2, 3, 32, 32), torch.zeros(2, 3)),
        dynamo=True,
        verbose=False,
        opset_version=20,
        input_names=["image", "label"],
        dynamic_shapes=({0: "batch", 2: "height", 3: "width"}, {0: "batch"}),
    )
    program.save(tmp_path / "stargan.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "stargan.onnx")
    for shape in ((1, 3, 32, 32), (3, 3, 36, 64)):
        batch, label = images(*shape), torch.eye(3)[: shape[0]]
        (found,) = session.run(None, {"image": batch.numpy(), "label": label.numpy()})
        with torch.no_grad():
            assert (network(batch, label) - torch.from_numpy(found)).abs().max() < 1e-4
