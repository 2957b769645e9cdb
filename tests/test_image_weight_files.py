"""Files that are not the published weights: each is refused in words, before a number comes out."""

import io

import pytest

torch = pytest.importorskip("torch")

from muge_fast.image import fid  # noqa: E402 - only with torch
from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: E402
from muge_fast.image.extractors.networks import Inception, random_weights  # noqa: E402
from muge_fast.image.extractors.weights import load_weights  # noqa: E402


def written(state):
    data = io.BytesIO()
    torch.save(state, data)
    return data.getvalue()


class Holder(torch.nn.Module):
    """A whole module, which torch.save pickles with its class."""


FILES = {
    "garbage": (b"hello world" * 9, "it was not written by torch.save, or is damaged"),
    "an opcode of pickle": (b"e", "it was not written by torch.save"),
    "empty": (b"", "it is empty"),
    "web page": (b"\n<!DOCTYPE html><html>Not found</html>", "it is a web page"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "it is a pointer of Git LFS"),
    "gzip": (b"\x1f\x8b\x08" + b"0" * 50, "it is compressed with gzip"),
    "cut off": (written({"a": torch.zeros(9999)})[:20_000], "it is cut off"),
    "module": (written(Holder()), r"it holds Python objects besides tensors.*save the state_dict\(\)"),
    "list": (written([1]), "it has a list, needs a dictionary of tensors"),
    "checkpoint": (
        written({"epoch": 3, "model": {"a": torch.zeros(1)}}),
        "it has a dictionary with the keys epoch, model, needs a dictionary of tensors",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_files_that_are_not_weights_are_refused_by_what_they_are(kind, tmp_path):
    content, message = FILES[kind]
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"w\.pth: not a PyTorch file of weights: {message}") as caught:
        load_weights(path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_folder_is_refused_as_weights(tmp_path):
    with pytest.raises(IsADirectoryError, match=r"is a folder: pass the file, such as .*pt_inception-2015-12-05"):
        load_weights(tmp_path)


@pytest.mark.slow
def test_torchvisions_network_is_refused_although_its_names_and_shapes_fit(tmp_path):
    models = pytest.importorskip("torchvision.models")
    network = models.inception_v3(num_classes=1008, aux_logits=False, init_weights=True)
    path = tmp_path / "tv.pth"
    torch.save(network.state_dict(), path)
    with pytest.raises(ValueError, match=r"tv\.pth: not the weights of FID's Inception: the network was not trained"):
        InceptionExtractor(path)
    network.train()(torch.zeros(2, 3, 299, 299))
    torch.save(network.state_dict(), path)
    with pytest.raises(
        ValueError, match=r"trained in PyTorch, those of FID are ported from TensorFlow; needs pt_incep"
    ):
        fid(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.zeros(2, 3, 8, 8, dtype=torch.uint8), weights=path)
    with_other_classes = models.inception_v3(init_weights=False)
    torch.save(with_other_classes.state_dict(), path)
    message = r"these are the weights of torchvision's Inception v3 \(484 tensors, 1000 classes\)"
    with pytest.raises(ValueError, match=rf"tv\.pth: not the weights of FID's Inception: {message}"):
        InceptionExtractor(path)
    with pytest.raises(ValueError, match="torchvision's Inception v3: the network was not trained"):
        InceptionExtractor(path, protocol="ofa")


def new_linear(state):
    state["fc.weight"], state["fc.bias"] = torch.nn.Linear(2048, 1008).state_dict().values()


def new_linear_of_torchvision(state):
    new_linear(state)
    torch.nn.init.trunc_normal_(state["fc.weight"], std=0.1)


def new_linear_without_bias(state):
    new_linear(state)
    torch.nn.init.xavier_normal_(state["fc.weight"])
    state["fc.bias"].zero_()


def new_linear_in_half_precision(state):
    new_linear(state)
    state.update({name: value.half() for name, value in state.items() if value.is_floating_point()})


@pytest.mark.parametrize(
    "change", [new_linear, new_linear_of_torchvision, new_linear_without_bias, new_linear_in_half_precision]
)
@pytest.mark.parametrize("has_counters", [True, False])
def test_another_network_with_a_new_last_layer_is_refused(change, has_counters, tmp_path):
    """Its names and shapes fit, it was trained elsewhere, and its counters may be 0."""
    torch.manual_seed(1)
    state = random_weights()
    change(state)
    if has_counters:
        state |= {
            name.replace("running_var", "num_batches_tracked"): torch.tensor(0) for name in state if "_var" in name
        }
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"w\.pth: not the weights of FID's Inception: the last layer, fc, was not tr"):
        InceptionExtractor(tmp_path / "w.pth")


def test_the_state_of_pytorch_fids_network_is_accepted():
    """It has counters of batches, all 0."""
    state = random_weights()
    counters = {name.replace("running_var", "num_batches_tracked"): torch.tensor(0) for name in state if "_var" in name}
    assert len(counters) == 94
    network = Inception()
    network.load(state | counters)
    assert torch.equal(network.fc.bias, state["fc.bias"])


def test_names_with_a_prefix_are_refused_with_the_prefix():
    state = {f"module.{name}": value for name, value in random_weights().items()}
    with pytest.raises(ValueError, match=r"names of tensors begin with 'module\.'"):
        Inception().load(state)
