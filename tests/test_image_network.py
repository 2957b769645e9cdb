"""The network of FID, its preprocessing and its sources, against the reference implementations on random weights."""

import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event

import numpy as np
import pytest

import muge_fast as mf
import muge_fast.image
from image_data import encoded, pictures
from muge_fast.datasets import ImageTsv
from pages import Page

torch = pytest.importorskip("torch")
torch_fidelity = pytest.importorskip("torch_fidelity")
Image = pytest.importorskip("PIL.Image")

from muge_fast._internal.matmul_precision import HIGHEST_MATMUL_PRECISION  # noqa: E402
from muge_fast.image.extractors.cpu_threads import run_batches, run_chunks  # noqa: E402
from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: E402 - only with torch
from muge_fast.image.extractors.networks import OUTPUTS, Inception  # noqa: E402
from muge_fast.image.extractors.preprocessing import PROTOCOLS, preprocess  # noqa: E402
from muge_fast.image.extractors.weights import FID_INCEPTION_WEIGHTS, hash_weights, load_weights  # noqa: E402
from muge_fast.image.sources import decode_batches  # noqa: E402

# Sets are small here, which warns.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")]


@pytest.fixture(scope="module")
def network(weights):
    network = Inception()
    network.load(load_weights(weights).state)
    return network.eval()


@pytest.fixture(scope="module")
def reference(weights):
    """torch-fidelity's network with the same weights."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3  # noqa: PLC0415

    return FeatureExtractorInceptionV3(
        "inception-v3-compat", list(OUTPUTS), feature_extractor_weights_path=str(weights)
    )


def is_close(actual, expected, bound):
    return float((actual.double() - expected.double()).norm() / expected.double().norm()) < bound


# The network


def test_outputs_have_the_bits_of_torch_fidelity(network, reference):
    images = torch.from_numpy(pictures()).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        expected = dict(zip(OUTPUTS, reference(images), strict=True))
        outputs = network(reference_input(images), OUTPUTS)
    for name in OUTPUTS:
        assert torch.equal(outputs[name], expected[name]), name


def reference_input(images):
    from torch_fidelity.interpolate_compat_tensorflow import (  # noqa: PLC0415
        interpolate_bilinear_2d_like_tensorflow1x,
    )

    resized = interpolate_bilinear_2d_like_tensorflow1x(images.float(), size=(299, 299), align_corners=False)
    return (resized - 128) / 128


def test_outputs_have_the_bits_of_pytorch_fid(network, weights, monkeypatch):
    inception = pytest.importorskip("pytorch_fid.inception")
    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *_, **__: torch.load(weights))
    blocks = [inception.InceptionV3.BLOCK_INDEX_BY_DIM[dims] for dims in (64, 192, 768, 2048)]
    reference = inception.InceptionV3(blocks, resize_input=False, normalize_input=False).eval()
    x = torch.rand((2, 3, 299, 299), generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        outputs = network(x, OUTPUTS)
        for name, output in zip(("64", "192", "768", "2048"), reference(x), strict=True):
            expected = torch.nn.functional.adaptive_avg_pool2d(output, 1).flatten(1)
            assert torch.equal(outputs[name], expected), name


@pytest.mark.parametrize(("precision", "bound"), [("fp32", 1e-5), ("bf16", 5e-2)])
def test_the_folded_network_computes_the_same_outputs(weights, network, precision, bound, engine):
    extractor = InceptionExtractor(weights, outputs=OUTPUTS, device="cpu", precision=precision)
    # Neither CPU engine is sure to have bf16.
    assert extractor.engine == engine or precision == "bf16"
    images = pictures()
    with torch.no_grad():
        expected = network(preprocess(list(images)), OUTPUTS)
    outputs = extractor(images)
    for name in OUTPUTS:
        assert outputs[name].dtype == torch.float32
        assert is_close(outputs[name], expected[name], bound), name


def test_files_without_the_weights_are_refused(tmp_path, weights, monkeypatch):
    state = torch.load(weights)
    missing = {name: value for name, value in state.items() if name != "fc.bias"}
    for bad, message in (
        (missing, r"1 tensor differs, such as fc\.bias"),
        (state | {"AuxLogits.fc.weight": torch.zeros(1)}, "1 tensor differs, such as AuxLogits"),
        (state | {"fc.bias": torch.zeros(1000)}, r"1 tensor differs, such as fc\.bias"),
        ([1], "needs a dictionary of tensors"),
    ):
        torch.save(bad, tmp_path / "bad.pth")
        with pytest.raises(ValueError, match=message):
            Inception().load(load_weights(tmp_path / "bad.pth").state)
    (tmp_path / "bad.pth").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"bad\.pth: not a PyTorch file of weights"):
        load_weights(tmp_path / "bad.pth")
    counted = state | {"Mixed_5b.branch1x1.bn.num_batches_tracked": torch.tensor(0)}
    torch.save(counted, tmp_path / "good.pth")
    monkeypatch.setenv(FID_INCEPTION_WEIGHTS.variable, str(tmp_path / "good.pth"))
    Inception().load(load_weights(None).state)
    monkeypatch.setenv(FID_INCEPTION_WEIGHTS.variable, str(tmp_path / "none.pth"))
    with pytest.raises(FileNotFoundError, match='pass weights="download", or download https://'):
        load_weights(None)
    for options in ({"protocol": "x"}, {"precision": "x"}, {"outputs": ("x",)}):
        with pytest.raises(ValueError, match=r"unknown .* 'x', choose "):
            InceptionExtractor(weights, **options)


def test_options_are_checked_before_weights_are_read(tmp_path):
    for options, error, message in (
        ({"protocol": "x"}, ValueError, "unknown protocol 'x'"),
        ({"protocol": 1}, TypeError, "protocol must be one of"),
        ({"outputs": "2048"}, TypeError, "outputs must be a sequence"),
        ({"outputs": ()}, ValueError, "outputs is empty"),
        ({"outputs": ("64", "64")}, ValueError, "'64' more than once"),
        ({"precision": "fp8"}, ValueError, "unknown precision 'fp8'"),
        ({"device": "tape"}, ValueError, "unknown device 'tape'"),
        ({"device": 1.5}, TypeError, "device must be a name"),
    ):
        with pytest.raises(error, match=message):
            InceptionExtractor(tmp_path / "none.pth", **options)
    with pytest.raises(TypeError, match="weights must be a path"):
        InceptionExtractor(5)


def test_preprocess_checks_images():
    for images, error, message in (
        ([], ValueError, "there are no images"),
        ([np.zeros((4, 4, 3))], TypeError, r"images\[0\] must be a uint8 array, got float64"),
        ([np.zeros((4, 4, 3), "uint8"), [[1]]], TypeError, r"images\[1\] must be a uint8 array, got a list"),
        ([np.zeros((3, 4, 4), "uint8")], ValueError, r"images\[0\] has shape \(3, 4, 4\)"),
        (torch.zeros((2, 3, 4, 4)), TypeError, "images must be uint8, got torch.float32"),
        (torch.zeros((2, 4, 4, 3), dtype=torch.uint8), ValueError, r"images have shape \(2, 4, 4, 3\)"),
    ):
        with pytest.raises(error, match=message):
            preprocess(images)


# Preprocessing, equal to the references within 1e-4 of the pixel range

SIZES = [(299, 299), (64, 64), (224, 224), (37, 512), (600, 301), (1, 5)]
BOUND = 1e-4 * 255 / 128


@pytest.mark.parametrize("size", SIZES)
def test_tf1_equals_torch_fidelity(size):
    images = torch.from_numpy(pictures(2, size)).permute(0, 3, 1, 2)
    assert float((preprocess(images, "tf1") - reference_input(images)).abs().max()) < BOUND


@pytest.mark.parametrize("size", SIZES)
def test_pytorch_fid_equals_its_network(size):
    images = pictures(2, size)
    x = torch.stack(
        [torch.from_numpy(image.astype("float32").transpose(2, 0, 1) / np.float32(255)) for image in images]
    )
    x = torch.nn.functional.interpolate(x, size=(299, 299), mode="bilinear", align_corners=False)
    assert float((preprocess(list(images), "pytorch-fid") - (2 * x - 1)).abs().max()) < BOUND


@pytest.mark.parametrize("size", SIZES)
def test_clean_equals_clean_fid(size):
    resize = pytest.importorskip("cleanfid.resize")
    resizer = resize.make_resizer("PIL", False, "bicubic", (299, 299))
    images = pictures(2, size)
    expected = torch.stack([torch.from_numpy(resizer(image).transpose(2, 0, 1)) for image in images])
    resized = preprocess(list(images), "clean")
    assert float((resized - (expected - 128) / 128).abs().max()) < BOUND


@pytest.mark.parametrize("size", SIZES)
def test_torchmetrics_equals_its_network(size):
    fid = pytest.importorskip("torchmetrics.image.fid")
    images = torch.from_numpy(pictures(2, size)).permute(0, 3, 1, 2)
    inputs = []

    class Stem(torch.nn.Module):
        def forward(self, x):
            inputs.append(x)
            raise StopIteration

    model = fid.NoTrainInceptionV3.__new__(fid.NoTrainInceptionV3)
    torch.nn.Module.__init__(model)
    model.features_list = ["2048"]
    model._dtype, model.use_antialias, model.INPUT_IMAGE_SIZE = torch.float32, True, 299
    model.Conv2d_1a_3x3 = Stem()
    with pytest.raises(StopIteration):
        model._torch_fidelity_forward(images)
    assert float((preprocess(images, "torchmetrics") - inputs[0]).abs().max()) < BOUND


def test_images_of_different_sizes_are_preprocessed_one_by_one():
    images = [pictures(1, size)[0] for size in SIZES]
    for protocol in PROTOCOLS:
        batch = preprocess(images, protocol)
        for index, image in enumerate(images):
            assert torch.equal(batch[index], preprocess([image], protocol)[0])


# From files to scores


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Two sets of images, each as a folder, a TSV file, an archive and an array."""
    root = tmp_path_factory.mktemp("sets")
    return [write_set(root / str(index), pictures(count, seed=index + 3)) for index, count in enumerate((9, 8))]


def write_set(folder, images):
    (folder / "deep").mkdir(parents=True)
    for index, image in enumerate(images):
        target = folder if index < 5 else folder / "deep"
        (target / f"{index:02}.png").write_bytes(encoded(image))
    (folder / "notes.txt").write_text("not an image")
    tsv, archive = folder.with_suffix(".tsv"), folder.with_suffix(".zip")
    ImageTsv.write(tsv, {f"{n:02}": encoded(image) for n, image in enumerate(images)})
    with zipfile.ZipFile(archive, "w") as file:
        for index, image in enumerate(images):
            file.writestr(f"{index:02}.PNG", encoded(image))
    return {"folder": folder, "tsv": tsv, "zip": archive, "array": images}


def test_fid_of_every_source_equals_torch_fidelity(sets, weights, reference, engine):
    from torch_fidelity import metric_fid  # noqa: PLC0415

    features = []
    for images in sets:
        tensor = torch.from_numpy(images["array"]).permute(0, 3, 1, 2).contiguous()
        with torch.no_grad():
            features.append(reference(tensor)[OUTPUTS.index("2048")].double())
    expected = muge_fast.image.frechet_distance(
        *(muge_fast.image.Statistics.from_features(each.numpy()) for each in features)
    )
    name = f"inception-2015-12-05|weights:{hash_weights(torch.load(weights))}|resize:tf1|precision:fp32"
    statistics = [metric_fid.fid_features_to_statistics(each) for each in features]
    fidelity = metric_fid.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    # With fewer images than features, the matrix square root of torch-fidelity is wrong in the fifth digit.
    assert expected == pytest.approx(float(fidelity), rel=1e-4)
    for kind in ("folder", "tsv", "zip", "array"):
        score = muge_fast.image.fid(sets[0][kind], sets[1][kind], weights=weights, device="cpu", batch_size=5)
        assert score.value == pytest.approx(expected, rel=1e-5), kind
        assert score.signature.startswith(f"fid|real:9|generated:8|{name}|")
        assert ("engine:openvino" in score.signature) == (engine == "openvino")


@pytest.fixture(scope="module")
def saved_statistics(sets, weights, tmp_path_factory):
    """A file of statistics of the generated images, and FID."""
    extractor = InceptionExtractor(weights, device="cpu", engine="torch")
    both = [
        muge_fast.image.Statistics.from_features(
            extractor(images["array"])["2048"], extractor_signature=extractor.signature
        )
        for images in sets
    ]
    path = tmp_path_factory.mktemp("statistics") / "generated.npz"
    both[1].save(path)
    return path, muge_fast.image.frechet_distance(*both)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(("batch_size", "threads"), [(1, 3), (7, 2), (32, 1)])
def test_fid_does_not_depend_on_batch_size_and_threads(sets, weights, saved_statistics, batch_size, threads):
    generated, expected = saved_statistics
    real = generated.with_name("real.npz")
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        options = {"weights": weights, "device": "cpu", "batch_size": batch_size, "threads": 2}
        folder = muge_fast.image.fid(*(images["folder"] for images in sets), **options)
        assert folder.value == pytest.approx(expected, rel=1e-6)
        extractor = InceptionExtractor(weights, device="cpu")
        statistics = muge_fast.image.Statistics(2048, extractor_signature=extractor.signature)
        for batch in extractor.stream(sets[0]["array"].transpose(0, 3, 1, 2), batch_size=batch_size):
            statistics.update(batch["2048"].numpy())
    finally:
        torch.set_num_threads(before)
    statistics.save(real)
    assert muge_fast.image.fid(real, generated).value == pytest.approx(expected, rel=1e-6)
    with pytest.raises(ValueError, match="need the same"):
        muge_fast.image.fid(real, sets[1]["array"], weights=weights, device="cpu", protocol="clean")


@pytest.mark.usefixtures("engine")
def test_inception_score_and_kid_equal_torch_fidelity(sets, weights, reference):
    from torch_fidelity import metric_isc, metric_kid  # noqa: PLC0415

    tensors = [torch.from_numpy(images["array"]).permute(0, 3, 1, 2).contiguous() for images in sets]
    with torch.no_grad():
        outputs = [dict(zip(OUTPUTS, reference(tensor), strict=True)) for tensor in tensors]
    expected = metric_isc.isc_features_to_metric(outputs[0]["logits_unbiased"], splits=3, shuffle=True, rng_seed=2020)
    score = muge_fast.image.inception_score(sets[0]["zip"], splits=3, weights=weights, device="cpu")
    assert score.value == pytest.approx(expected["inception_score_mean"], rel=1e-4)
    options = {"kid_subsets": 3, "kid_subset_size": 5, "rng_seed": 2020, "verbose": False}
    expected = metric_kid.kid_features_to_metric(*(output["2048"] for output in outputs), **options)
    paths = sets[0]["tsv"], sets[1]["tsv"]
    kid = muge_fast.image.kid(*paths, subsets=3, subset_size=5, weights=weights, device="cpu")
    assert kid.value == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-3, abs=1e-6)


def test_fid_of_few_images_warns(sets, weights):
    with pytest.warns(UserWarning, match="FID of 3 images is biased upwards"):
        muge_fast.image.fid(*(images["array"][:3] for images in sets), weights=weights, device="cpu")


def test_images_are_converted_to_rgb_and_broken_ones_are_named(tmp_path):
    grey = Image.fromarray(pictures(1)[0]).convert("L")
    modes = {"L": grey, "P": grey.convert("P"), "RGBA": grey.convert("RGBA"), "CMYK": grey.convert("CMYK")}
    for mode, image in modes.items():
        image.save(tmp_path / f"{mode}.{'jpg' if mode == 'CMYK' else 'png'}")
    decoded = [image for batch in decode_batches(tmp_path, 2, 2) for image in batch]
    expected = [np.array(Image.open(path).convert("RGB")) for path in sorted(tmp_path.iterdir())]
    assert all(np.array_equal(left, right) for left, right in zip(decoded, expected, strict=True))
    (tmp_path / "broken.png").write_bytes(encoded(pictures(1)[0])[:200])
    with pytest.raises(ValueError, match=r"image .*broken\.png is broken"):
        list(decode_batches(tmp_path, 2, 2))


def test_sources_without_images_are_refused(tmp_path):
    (tmp_path / "archive.tar").touch()
    for source, message in (
        (tmp_path, "no images"),
        (np.zeros((2, 8, 8, 4), dtype="uint8"), r"images have shape \(2, 8, 8, 4\)"),
        (np.zeros((2, 8, 8, 3)), "dtype float64"),
        (tmp_path / "archive.tar", "expected a folder, a .tsv or a .zip"),
    ):
        with pytest.raises(ValueError, match=message):
            list(decode_batches(source, 2, 1))
    pairs = [(torch.zeros((2, 3, 8, 8), dtype=torch.uint8), ["a", "b"])]
    assert [len(batch) for batch in decode_batches(iter(pairs), 4, 1)] == [2]


# The task


@pytest.fixture
def task_files(tmp_path):
    """A gold file, a submission, and its images."""
    real, generated = (
        {f"{n:02}": encoded(image) for n, image in enumerate(pictures(12, seed=seed))} for seed in (3, 4)
    )
    ImageTsv.write(tmp_path / "gold.tsv", real)
    ImageTsv.write(tmp_path / "pred.tsv", dict(reversed(generated.items())))
    return tmp_path / "gold.tsv", tmp_path / "pred.tsv", generated


def test_a_submission_of_images_is_scored(task_files, weights, tmp_path):
    gold, submission, _ = task_files
    options = {"weights": weights, "device": "cpu", "splits": 2}
    report = mf.evaluate("t2i", gold, submission, **options)
    assert report.ok
    expected = muge_fast.image.fid(gold, submission, weights=weights, device="cpu")
    assert report.scores["fid"].value == pytest.approx(expected.value, rel=1e-6)
    official = report.official()
    assert official["score"] == official["scoreJson"]["fid"] == report.scores["fid"].value
    assert set(official["scoreJson"]) == {"score", "fid", "is"}
    assert report.scores["is"].value > 1
    assert "resize:tf1" in report.scores["is"].signature
    page = report.to_html(path=tmp_path / "r.html")
    assert Page(page).find("div", "name") == ["FID\u00a0↓"]
    report.to_csv(path=tmp_path / "r.csv")
    assert "| FID ↓ |" in report.to_markdown()


def test_a_broken_image_of_the_gold_file_raises_gold_error(task_files, weights):
    gold, submission, _ = task_files
    lines = gold.read_bytes().split(b"\n")
    lines[2] = lines[2][:200]
    gold.write_bytes(b"\n".join(lines))
    with pytest.raises(mf.GoldError, match=r"gold file .*gold\.tsv: image '02' of .*gold\.tsv \(line 3\) is broken"):
        mf.evaluate("t2i", gold, submission, weights=weights, device="cpu", threads=1)


def test_a_broken_submission_of_images_reports_every_problem(task_files):
    gold, submission, generated = task_files
    lines = submission.read_bytes().split(b"\n")
    lines[0] = lines[0][:-20] + b"!" * 20
    lines[1] = b"no tab"
    lines[2] = lines[2][:200]
    lines[3] = lines[4]
    lines[5] = b"99\t" + lines[5].partition(b"\t")[2]
    submission.write_bytes(b"\n".join(lines))
    report = mf.evaluate("t2i", gold, submission)
    codes = [(problem.code, problem.line, problem.id) for problem in report.problems]
    keys = list(reversed(generated))
    assert codes == [
        ("no_tab", 2, None),
        ("second_image", 5, None),
        ("broken_image", 1, keys[0]),
        ("broken_image", 3, keys[2]),
        ("unknown_id", 6, "99"),
        ("missing_id", None, keys[5]),
        ("missing_id", None, keys[3]),
        ("missing_id", None, keys[1]),
    ]
    assert report.official()["success"] is False
    assert report.errors[0] == "line 2: no tab after the id"
    assert mf.evaluate("t2i", gold, submission, lang="zh").errors[0] == "第 2 行：ID 后缺少制表符"
    assert mf.check("t2i", submission).problem_count == 4
    with pytest.raises(IsADirectoryError, match="the submission is a directory"):
        mf.check("t2i", gold.parent)
    (gold.parent / "empty.tsv").write_bytes(b"")
    assert mf.check("t2i", gold.parent / "empty.tsv").errors == ["the file has no rows"]
    with pytest.raises(mf.GoldError, match="line 2: no tab after the id"):
        mf.evaluate("t2i", submission, gold)


def test_run_chunks_keeps_the_order_and_the_number_of_threads():
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            results = run_chunks(lambda chunk: (chunk, torch.get_num_threads()), range(3))
            assert results == [(chunk, max(1, threads // min(threads, 3))) for chunk in range(3)]
            assert torch.get_num_threads() == threads
            with pytest.raises(ZeroDivisionError):
                run_chunks(lambda chunk: 1 // chunk, [1, 0, 1, 1])
            assert torch.get_num_threads() == threads
            # New threads inherit the setting.
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(torch.get_num_threads).result() == threads
    finally:
        torch.set_num_threads(before)


def test_run_batches_keeps_the_order_and_the_number_of_threads():
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            for sizes in ([], [0], [1], [0, 1, 0], [3, 0, 0, 4, 1], [1] * 9):
                batches = [[(batch, chunk) for chunk in range(size)] for batch, size in enumerate(sizes)]
                assert list(run_batches(lambda chunk: chunk, iter(batches))) == batches
            # The setting is restored after an exception and after an early stop.
            started = run_batches(lambda chunk: 1 // chunk, [[1] * threads, [1], [0], [1] * threads])
            assert next(started) == [1] * threads
            with pytest.raises(ZeroDivisionError):
                list(started)
            stopped = run_batches(abs, [[-1] * threads] * 9)
            next(stopped)
            stopped.close()
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_the_next_batch_begins_before_the_previous_one_has_ended():
    before = torch.get_num_threads()
    has_begun = Event()
    try:
        torch.set_num_threads(2)
        # The first batch ends only after the second one has begun.
        batches = [[lambda: has_begun.wait(60), lambda: True], [lambda: has_begun.set() or True, lambda: True]]
        assert list(run_batches(lambda chunk: chunk(), batches)) == [[True, True], [True, True]]
    finally:
        torch.set_num_threads(before)


def test_matmul_precision_is_highest_while_any_block_needs_it():
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        first, second = ExitStack(), ExitStack()
        first.enter_context(HIGHEST_MATMUL_PRECISION)
        second.enter_context(HIGHEST_MATMUL_PRECISION)
        first.close()
        assert torch.get_float32_matmul_precision() == "highest"
        second.close()
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)


@pytest.mark.usefixtures("engine")
def test_features_do_not_depend_on_the_number_of_threads(weights):
    images = np.random.default_rng(5).integers(0, 256, (9, 40, 50, 3), dtype=np.uint8)
    extractor = InceptionExtractor(weights, device="cpu")
    before = torch.get_num_threads()
    try:
        features = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            features.append(extractor(images)["2048"].double())
    finally:
        torch.set_num_threads(before)
    for other in features[1:]:
        assert (other - features[0]).norm() <= 1e-6 * features[0].norm()
