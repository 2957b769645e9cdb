"""The protocol of the benchmark's authors, against torchvision's network and transforms on random weights."""

import numpy as np
import pytest

import muge_fast as mf
import muge_fast.image
from image_data import encoded, pictures
from muge_fast.datasets import ImageTsv
from muge_fast.image import Statistics
from muge_fast.scores import without_engine

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")
transforms = pytest.importorskip("torchvision.transforms")
Image = pytest.importorskip("PIL.Image")

from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: E402 - only with torch
from muge_fast.image.extractors.networks import Inception, random_weights  # noqa: E402
from muge_fast.image.extractors.preprocessing import preprocess  # noqa: E402
from muge_fast.image.extractors.torchvision_network import TorchvisionInception  # noqa: E402
from muge_fast.image.extractors.weights import (  # noqa: E402
    FID_INCEPTION_WEIGHTS,
    TORCHVISION_INCEPTION_WEIGHTS,
    hash_weights,
    load_weights,
)

# Sets are small here, which warns.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")]

# Preprocessing of the scripts.
ORIGINAL = transforms.Compose([transforms.Resize((299, 299)), transforms.ToTensor()])


@pytest.fixture(scope="module")
def reference():
    """torchvision's network with random weights; it must have a parameter for each of them."""
    network = models.inception_v3(weights=None, init_weights=False, aux_logits=True)
    keys = network.load_state_dict(random_weights(7, TorchvisionInception), strict=False)
    assert not keys.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in keys.missing_keys)
    return network.eval()


@pytest.fixture(scope="module")
def weights(reference, tmp_path_factory):
    """A file like the published one: the state of torchvision's network."""
    path = tmp_path_factory.mktemp("weights") / "inception_v3.pth"
    torch.save(reference.state_dict(), path)
    return path


def features_and_logits(network, images):
    """Compute features of normalized pixels and logits of unnormalized ones, as the scripts do.

    Their normalization is the ``transform_input`` of torchvision's network.
    """
    x = torch.stack([ORIGINAL(Image.fromarray(image)) for image in images])
    pooled = []
    hook = network.avgpool.register_forward_hook(lambda _, __, output: pooled.append(output.flatten(1)))
    try:
        with torch.no_grad():
            network.transform_input = True
            network(x)
            network.transform_input = False
            logits = network(x)
    finally:
        hook.remove()
    return pooled[0], logits


def inception_score(logits):
    """Compute the Inception Score as the script does: softmax in single precision, one split, no shuffle."""
    probabilities = torch.softmax(logits, 1).double().numpy()
    mean = probabilities.mean(axis=0)
    return float(np.exp(np.mean([np.sum(p * np.log(p / mean)) for p in probabilities])))


def test_outputs_have_the_bits_of_torchvision(reference, weights):
    images = pictures()
    network = TorchvisionInception()
    network.load(load_weights(weights, TORCHVISION_INCEPTION_WEIGHTS).state)
    with torch.no_grad():
        computed = network.eval()(preprocess(list(images), "ofa"), ("2048", "logits", "logits_unbiased"))
    features, logits = features_and_logits(reference, images)
    assert torch.equal(computed["2048"], features)
    assert torch.equal(computed["logits"], logits)
    assert torch.allclose(computed["logits_unbiased"], logits - reference.fc.bias, atol=1e-4)


def test_the_folded_network_computes_the_same_outputs(reference, weights, engine):
    images = pictures()
    extractor = InceptionExtractor(weights, protocol="ofa", outputs=("2048", "logits"), device="cpu")
    name = f"torchvision-inception-v3|weights:{hash_weights(torch.load(weights))}"
    assert extractor.engine == engine
    assert without_engine(extractor.signature) == f"{name}|resize:ofa|precision:fp32"
    computed = extractor(images)
    for name, expected in zip(("2048", "logits"), features_and_logits(reference, images), strict=True):
        assert float((computed[name] - expected).norm() / expected.norm()) < 1e-5, name


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
    for path, message in (
        ("bad.pth", r"2 tensors differ, such as AuxLogits\.fc"),
        ("fid.pth", "these are the weights of FID's Inception"),
    ):
        with pytest.raises(ValueError, match=f"not the weights of torchvision's Inception v3: .*{message}"):
            InceptionExtractor(tmp_path / path, protocol="ofa")
    with pytest.raises(ValueError, match="not the weights of FID's Inception"):
        Inception().load(state)
    monkeypatch.setenv(FID_INCEPTION_WEIGHTS.variable, str(weights))
    monkeypatch.setenv(TORCHVISION_INCEPTION_WEIGHTS.variable, str(tmp_path / "none.pth"))
    with pytest.raises(FileNotFoundError, match=r"torchvision's Inception v3 at .*none\.pth.*0cc3c7bd.*TORCHVISION"):
        InceptionExtractor(protocol="ofa")
    monkeypatch.setenv(TORCHVISION_INCEPTION_WEIGHTS.variable, str(weights))
    assert InceptionExtractor(protocol="ofa").published is TORCHVISION_INCEPTION_WEIGHTS


@pytest.fixture(scope="module")
def sets():
    return pictures(9, seed=3), pictures(8, seed=4)


@pytest.fixture(scope="module")
def outputs(reference, sets):
    """Features and logits of both sets, as the scripts compute them."""
    return [features_and_logits(reference, images) for images in sets]


def test_scores_are_those_of_the_scripts(sets, outputs, weights, tmp_path):
    distance = muge_fast.image.frechet_distance(
        *(Statistics.from_features(features.numpy()) for features, _ in outputs)
    )
    score = inception_score(outputs[1][1])
    options = {"weights": weights, "protocol": "ofa", "device": "cpu"}
    fid = muge_fast.image.fid(*sets, batch_size=5, **options)
    assert fid.value == pytest.approx(distance, rel=1e-5)
    assert f"|{InceptionExtractor(weights, protocol='ofa', device='cpu').signature}|" in fid.signature
    inception = muge_fast.image.inception_score(sets[1], **options)
    assert inception.value == pytest.approx(score, rel=1e-5)
    assert inception.parts["std"] == 0
    expected = muge_fast.image.kid_from_features(
        *(features.numpy() for features, _ in outputs), subsets=3, subset_size=5
    )
    assert muge_fast.image.kid(*sets, subsets=3, subset_size=5, **options).value == pytest.approx(
        expected.value, rel=1e-4
    )
    for name, images in zip(("real", "generated"), (sets[0][:8], sets[1]), strict=True):
        ImageTsv.write(tmp_path / f"{name}.tsv", {f"{n:02}": encoded(image) for n, image in enumerate(images)})
    scores = mf.evaluate("t2i", tmp_path / "real.tsv", tmp_path / "generated.tsv", **options).scores
    assert scores["is"].value == pytest.approx(score, rel=1e-5)
    assert scores["is"].signature.startswith("is|splits:1|shuffle:none|torchvision-inception-v3|weights:")
    few = muge_fast.image.frechet_distance(*(Statistics.from_features(features[:8].numpy()) for features, _ in outputs))
    assert scores["fid"].value == pytest.approx(few, rel=1e-5)


def test_streamed_batches_give_the_same_inception_score(sets, weights):
    extractor = InceptionExtractor(weights, protocol="ofa", outputs=("logits",), device="cpu")
    metric = muge_fast.image.InceptionScore(extractor, splits=1)
    for batch in (sets[1][:4], sets[1][4:]):
        metric.update(batch)
    expected = muge_fast.image.inception_score(sets[1], weights=weights, protocol="ofa", device="cpu")
    assert metric.compute().value == pytest.approx(expected.value, rel=1e-6)
    default = muge_fast.image.InceptionScore(extractor)
    default.update(sets[1])
    assert default.sums.config == (1, None, None)
    assert default.compute().value == pytest.approx(expected.value, rel=1e-6)


def test_features_and_logits_take_one_pass_each(sets, outputs, weights, passes):
    options = {"weights": weights, "protocol": "ofa", "device": "cpu"}
    sizes = {"subsets": 3, "subset_size": 5}
    scores = muge_fast.image.score_images(
        real=sets[0], generated=sets[1], metrics=("fid", "is", "kid"), **sizes, **options
    )
    # Logits are computed for generated images only.
    assert sum(passes) == 9 + 2 * 8
    features = [features.numpy() for features, _ in outputs]
    expected = muge_fast.image.frechet_distance(*map(Statistics.from_features, features))
    assert scores["fid"].value == pytest.approx(expected, rel=1e-5)
    assert scores["is"].value == pytest.approx(inception_score(outputs[1][1]), rel=1e-5)
    assert scores["kid"].value == pytest.approx(muge_fast.image.kid_from_features(*features, **sizes).value, rel=1e-4)
    passes.clear()
    streamed = muge_fast.image.score_images(real=None, generated=iter(sets[1]), metrics=("is",), **options)["is"]
    assert sum(passes) == 8
    # A single split does not depend on the number of images.
    assert streamed.value == pytest.approx(scores["is"].value, rel=1e-6)
    assert streamed.signature == scores["is"].signature
    assert streamed.signature.startswith("is|splits:1|shuffle:none|torchvision-inception-v3|weights:")


def test_more_splits_are_not_shuffled(sets, outputs, weights):
    logits = outputs[1][1].numpy()
    options = {"weights": weights, "protocol": "ofa", "device": "cpu", "splits": 3}
    expected = muge_fast.image.inception_score_from_logits(logits, splits=3, shuffle=False)
    score = muge_fast.image.inception_score(sets[1], **options)
    assert score.value == pytest.approx(expected.value, rel=1e-4)
    assert score.parts["std"] == pytest.approx(expected.parts["std"], rel=1e-4)
    round_robin = [muge_fast.image.inception_score_from_logits(logits[split::3], splits=1).value for split in range(3)]
    streamed = muge_fast.image.score_images(real=None, generated=iter(sets[1]), metrics=("is",), **options)["is"]
    assert (streamed.value, streamed.parts["std"]) == pytest.approx(
        (np.mean(round_robin), np.std(round_robin)), rel=1e-4
    )
    assert streamed.signature.startswith("is|splits:3|round_robin:none|")


def test_statistics_of_another_protocol_are_refused(sets, tmp_path):
    torch.save(random_weights(), tmp_path / "fid.pth")
    statistics = Statistics(2048, extractor_signature="torchvision-inception-v3|resize:ofa|precision:fp32")
    statistics.update(np.random.default_rng(0).normal(size=(4, 2048)))
    statistics.save(tmp_path / "ofa.npz")
    with pytest.raises(ValueError, match="need the same"):
        muge_fast.image.fid(tmp_path / "ofa.npz", sets[1][:2], weights=tmp_path / "fid.pth", device="cpu")
