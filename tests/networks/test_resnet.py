import pytest
import torch

from unpaired.networks import ResnetGenerator
from unpaired.networks.resnet import ResidualBlock


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def images(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize(
    ("blocks", "parameters", "keys"), [(9, 11_378_179, 48), (6, 7_837_699, 36)]
)
def test_the_size_the_paper_has(blocks, parameters, keys):
    network = ResnetGenerator(64, blocks, "transpose")
    assert count(network) == parameters
    assert len(network.state_dict()) == keys


@pytest.mark.parametrize("upsample", ["transpose", "resize"])
def test_keys_are_those_of_the_authors_code(upsample):
    places = ["1", "4", "7"]
    places += [f"{block}.conv_block.{place}" for block in range(10, 19) for place in (1, 5)]
    places += ["19", "22", "26"] if upsample == "transpose" else ["19.2", "22.2", "26"]
    expected = [f"model.{place}.{name}" for place in places for name in ("weight", "bias")]
    assert list(ResnetGenerator(8, 9, upsample).state_dict()) == expected


@pytest.mark.parametrize("upsample", ["transpose", "resize"])
@pytest.mark.parametrize("shape", [(2, 3, 32, 32), (1, 3, 16, 16), (1, 3, 36, 20), (1, 3, 64, 128)])
def test_shape_and_range_are_kept(shape, upsample):
    with torch.no_grad():
        answer = ResnetGenerator(8, 6, upsample)(images(*shape))
    assert answer.shape == shape
    assert answer.abs().max() <= 1 and answer.std() > 0


@pytest.mark.parametrize("upsample", ["transpose", "resize"])
def test_pictures_of_a_batch_are_kept_apart(upsample):
    network = ResnetGenerator(8, 6, upsample)
    batch = images(2, 3, 32, 32) * torch.tensor([1.0, 0.1])[:, None, None, None]
    with torch.no_grad():
        singles = torch.cat([network(batch[:1]), network(batch[1:])])
        torch.testing.assert_close(network(batch), singles, atol=1e-5, rtol=0)
        assert torch.equal(network(batch), network.eval()(batch))


def test_a_block_adds_to_its_input():
    block, signal = ResidualBlock(4), images(2, 4, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(block(signal) - block.conv_block(signal), signal)
        for parameter in block.parameters():
            parameter.zero_()
        assert torch.equal(block(signal), signal)


def test_every_weight_is_reached_by_the_gradient():
    network = ResnetGenerator(8, 6, "resize")
    network(images(1, 3, 32, 32)).square().mean().backward()
    weights = [p for name, p in network.named_parameters() if name.endswith("weight")]
    assert all(weight.grad.abs().max() > 0 for weight in weights)


def test_batch_norm_has_the_keys_of_the_authors_code():
    keys = set(ResnetGenerator(8, 6, norm="batch").state_dict())
    statistics = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    for norm in ("2", "5", "8", "10.conv_block.2", "15.conv_block.6", "17", "20"):
        assert {f"model.{norm}.{name}" for name in statistics} <= keys
    biases = {key for key in keys if key.endswith("bias") and key[:-4] + "running_var" not in keys}
    assert biases == {"model.23.bias"}
