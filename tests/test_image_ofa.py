"""The protocol of the group behind the benchmark, against torchvision's network and transforms on random weights."""

import numpy as np
import pytest

import muge_fast as mf
import muge_fast.image
from image_data import encoded, pictures
from muge_fast.datasets import ImageTsv
from muge_fast.image import Statistics

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")
transforms = pytest.importorskip("torchvision.transforms")
Image = pytest.importorskip("PIL.Image")

from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: E402 - only with torch
from muge_fast.image.extractors.networks import Inception, random_weights  # noqa: E402
from muge_fast.image.extractors.preprocessing import preprocess  # noqa: E402
from muge_fast.image.extractors.torchvision_network import TorchvisionInception  # noqa: E402
from muge_fast.image.extractors.weights import FID, TORCHVISION, hash_of, load_weights  # noqa: E402

# What the scripts do to an image before the network.
ORIGINAL = transforms.Compose([transforms.Resize((299, 299)), transforms.ToTensor()])


@pytest.fixture(scope="module")
def theirs():
    """torchvision's network with random weights; its own names must take them all."""
    network = models.inception_v3(weights=None, init_weights=False, aux_logits=True)
    found = network.load_state_dict(random_weights(7, TorchvisionInception), strict=False)
    assert not found.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in found.missing_keys)
    return network.eval()


@pytest.fixture(scope="module")
def weights(theirs, tmp_path_factory):
    """A file as the published one: the state of torchvision's own network."""
    path = tmp_path_factory.mktemp("weights") / "inception_v3.pth"
    torch.save(theirs.state_dict(), path)
    return path


def features_and_logits(network, images):
    """What the scripts compute: features of normalised pixels, logits of pixels as they are.

    Their normalisation is the one that torchvision's network has inside if it is told to.
    """
    x = torch.stack([ORIGINAL(Image.fromarray(image)) for image in images])
    seen = []
    hook = network.avgpool.register_forward_hook(lambda _, __, output: seen.append(output.flatten(1)))
    try:
        with torch.no_grad():
            network.transform_input = True
            network(x)
            network.transform_input = False
            logits = network(x)
    finally:
        hook.remove()
    return seen[0], logits


def inception_score(logits):
    """The script's: shares in single precision, one part, no shuffle."""
    shares = torch.softmax(logits, 1).double().numpy()
    mean = shares.mean(axis=0)
    return float(np.exp(np.mean([np.sum(row * np.log(row / mean)) for row in shares])))


def test_outputs_have_the_bits_of_torchvision(theirs, weights):
    images = pictures()
    network = TorchvisionInception()
    network.load(load_weights(weights, TORCHVISION).state)
    with torch.no_grad():
        found = network.eval()(preprocess(list(images), "ofa"), ("2048", "logits", "logits_unbiased"))
    features, logits = features_and_logits(theirs, images)
    assert torch.equal(found["2048"], features)
    assert torch.equal(found["logits"], logits)
    assert torch.allclose(found["logits_unbiased"], logits - theirs.fc.bias, atol=1e-4)


def test_the_fast_form_gives_the_same(theirs, weights):
    images = pictures()
    extractor = InceptionExtractor(weights, protocol="ofa", outputs=("2048", "logits"), device="cpu")
    made = f"torchvision-inception-v3|weights:{hash_of(torch.load(weights))}"
    assert extractor.signature == f"{made}|resize:ofa|precision:fp32"
    found = extractor(images)
    for name, expected in zip(("2048", "logits"), features_and_logits(theirs, images), strict=True):
        assert float((found[name] - expected).norm() / expected.norm()) < 1e-5, name


@pytest.mark.parametrize("size", [(299, 299), (64, 64), (224, 224), (37, 512), (600, 301), (1, 5)])
def test_preprocessing_is_that_of_torchvision(size):
    images = pictures(2, size)
    expected = torch.stack([ORIGINAL(Image.fromarray(image)) for image in images])
    assert float((preprocess(list(images), "ofa") - expected).abs().max()) < 1e-4
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
    assert torch.equal(preprocess(tensor, "ofa"), preprocess(list(images), "ofa"))


def test_weights_are_loaded_strictly(weights, tmp_path, monkeypatch):
    state = torch.load(weights)
    torch.save({name: value for name, value in state.items() if "AuxLogits.fc" not in name}, tmp_path / "bad.pth")
    torch.save(random_weights(), tmp_path / "fid.pth")
    for path, message in (("bad.pth", r"2 tensors differ, such as AuxLogits\.fc"), ("fid.pth", "such as AuxLogits")):
        with pytest.raises(ValueError, match=f"not the weights of torchvision's Inception v3: .*{message}"):
            InceptionExtractor(tmp_path / path, protocol="ofa")
    with pytest.raises(ValueError, match="not the weights of FID's Inception"):
        Inception().load(state)
    monkeypatch.setenv(FID.variable, str(weights))
    monkeypatch.setenv(TORCHVISION.variable, str(tmp_path / "none.pth"))
    with pytest.raises(FileNotFoundError, match=r"torchvision's Inception v3 at .*none\.pth.*0cc3c7bd.*TORCHVISION"):
        InceptionExtractor(protocol="ofa")
    monkeypatch.setenv(TORCHVISION.variable, str(weights))
    assert InceptionExtractor(protocol="ofa").published is TORCHVISION


@pytest.fixture(scope="module")
def sets():
    return pictures(9, seed=3), pictures(8, seed=4)


@pytest.fixture(scope="module")
def outputs(theirs, sets):
    """Features and logits of the scripts, of both sets."""
    return [features_and_logits(theirs, side) for side in sets]


@pytest.mark.filterwarnings("ignore:FID of")
def test_scores_are_those_of_the_scripts(sets, outputs, weights, tmp_path):
    distance = muge_fast.image.frechet_distance(*(Statistics.of(features.numpy()) for features, _ in outputs))
    score = inception_score(outputs[1][1])
    options = {"weights": weights, "protocol": "ofa", "device": "cpu"}
    found = muge_fast.image.fid(*sets, batch_size=5, **options)
    assert found.value == pytest.approx(distance, rel=1e-5)
    assert f"|{InceptionExtractor(weights, protocol='ofa', device='cpu').signature}|" in found.signature
    known = muge_fast.image.inception_score(sets[1], **options)
    assert known.mean == pytest.approx(score, rel=1e-5)
    assert known.std == 0
    expected = muge_fast.image.kid_of(*(features.numpy() for features, _ in outputs), subsets=3, subset_size=5)
    assert muge_fast.image.kid(*sets, subsets=3, subset_size=5, **options).mean == pytest.approx(
        expected.mean, rel=1e-4
    )
    for name, side in zip(("real", "generated"), (sets[0][:8], sets[1]), strict=True):
        ImageTsv.write(tmp_path / f"{name}.tsv", {f"{n:02}": encoded(image) for n, image in enumerate(side)})
    scores = mf.evaluate("t2i", tmp_path / "real.tsv", tmp_path / "generated.tsv", **options).scores
    assert scores["is"].value == pytest.approx(score, rel=1e-5)
    assert scores["is"].signature.startswith("is|splits:1|shuffle:none|torchvision-inception-v3|weights:")
    few = muge_fast.image.frechet_distance(*(Statistics.of(features[:8].numpy()) for features, _ in outputs))
    assert scores["fid"].value == pytest.approx(few, rel=1e-5)


def test_batches_of_a_loop_give_the_same_score(sets, weights):
    extractor = InceptionExtractor(weights, protocol="ofa", outputs=("logits",), device="cpu")
    metric = muge_fast.image.InceptionScore(extractor, splits=1)
    for part in (sets[1][:4], sets[1][4:]):
        metric.update(part)
    known = muge_fast.image.inception_score(sets[1], weights=weights, protocol="ofa", device="cpu")
    assert metric.compute().mean == pytest.approx(known.mean, rel=1e-6)
    usual = muge_fast.image.InceptionScore(extractor)
    usual.update(sets[1])
    assert usual.sums.rule == (1, None, None)
    assert usual.compute().mean == pytest.approx(known.mean, rel=1e-6)


@pytest.mark.filterwarnings("ignore:FID of")
def test_one_pass_is_of_normalised_pixels_and_one_of_plain_ones(sets, outputs, weights, monkeypatch):
    passes = []
    forward = Inception.forward

    def counted(self, x, outputs=("2048",)):
        passes.append(len(x))
        return forward(self, x, outputs)

    monkeypatch.setattr(Inception, "forward", counted)
    options = {"weights": weights, "protocol": "ofa", "device": "cpu"}
    sizes = {"subsets": 3, "subset_size": 5}
    scores = muge_fast.image.score_images(sets[1], sets[0], metrics=("fid", "is", "kid"), **sizes, **options)
    # Real images have no logits to give.
    assert sum(passes) == 9 + 2 * 8
    features = [side.numpy() for side, _ in outputs]
    expected = muge_fast.image.frechet_distance(*map(Statistics.of, features))
    assert scores["fid"].value == pytest.approx(expected, rel=1e-5)
    assert scores["is"].value == pytest.approx(inception_score(outputs[1][1]), rel=1e-5)
    assert scores["kid"].value == pytest.approx(muge_fast.image.kid_of(*features, **sizes).mean, rel=1e-4)
    passes.clear()
    found = muge_fast.image.score_images(iter(sets[1]), None, metrics=("is",), **options)["is"]
    assert sum(passes) == 8
    # Of one part the number of images need not be known.
    assert found.value == pytest.approx(scores["is"].value, rel=1e-6)
    assert found.signature == scores["is"].signature
    assert found.signature.startswith("is|splits:1|shuffle:none|torchvision-inception-v3|weights:")


def test_more_splits_keep_the_order(sets, outputs, weights):
    logits = outputs[1][1].numpy()
    options = {"weights": weights, "protocol": "ofa", "device": "cpu", "splits": 3}
    expected = muge_fast.image.inception_score_of(logits, splits=3, shuffle=False)
    assert muge_fast.image.inception_score(sets[1], **options) == pytest.approx(expected, rel=1e-4)
    dealt = [muge_fast.image.inception_score_of(logits[part::3], splits=1).mean for part in range(3)]
    found = muge_fast.image.score_images(iter(sets[1]), None, metrics=("is",), **options)["is"]
    assert (found.value, found.parts["std"]) == pytest.approx((np.mean(dealt), np.std(dealt)), rel=1e-4)
    assert found.signature.startswith("is|splits:3|dealt:none|")


def test_protocols_are_not_mixed(sets, tmp_path):
    torch.save(random_weights(), tmp_path / "fid.pth")
    statistics = Statistics(2048, protocol="torchvision-inception-v3|resize:ofa|precision:fp32")
    statistics.update(np.random.default_rng(0).normal(size=(4, 2048)))
    statistics.save(tmp_path / "ofa.npz")
    with pytest.raises(ValueError, match="need the same"):
        muge_fast.image.fid(tmp_path / "ofa.npz", sets[1][:2], weights=tmp_path / "fid.pth", device="cpu")
