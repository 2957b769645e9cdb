"""The replacement under the name pycocoevalcap: imports and calls of programs that use it, and of its scorers."""

import importlib.util
import random
import subprocess
import sys

import pytest
from pycocoevalcap.bleu.bleu_scorer import BleuScorer as OriginalBleuScorer
from pycocoevalcap.cider.cider_scorer import CiderScorer as OriginalCiderScorer

from muge_fast.compat.pycocoevalcap import BleuScorer, CiderScorer, Spice

WORDS = ["a", "man", "rides", "the", "horse", "on", "beach", "红", "裙"]


def captions(seed, count):
    rng = random.Random(seed)
    text = lambda: " ".join(rng.choices(WORDS, k=rng.randint(0, 9)))  # noqa: E731
    return [(text(), [text() + " a" for _ in range(rng.randint(1, 4))]) for _ in range(count)]


@pytest.mark.usefixtures("replaced_pycocoevalcap")
def test_imports_of_evaluation_harnesses():
    # lmms-eval: COCO, Flickr30k, NoCaps, TextCaps and RefCOCO.
    from pycocoevalcap.eval import Bleu, Cider, COCOEvalCap, Meteor, Rouge  # noqa: PLC0415, F401
    from pycocoevalcap.spice.spice import Spice  # noqa: PLC0415, F401
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer  # noqa: PLC0415

    tokenizer = PTBTokenizer()
    gts = tokenizer.tokenize({0: [{"caption": "A man rides."}, {"caption": "The man."}], 1: [{"caption": "A horse!"}]})
    res = tokenizer.tokenize({0: [{"caption": "a man rides"}], 1: [{"caption": "a horse"}]})
    for scorer in (Bleu(4), Meteor(), Rouge(), Cider()):
        score, scores = scorer.compute_score(gts, res)
        assert len(scores[0] if isinstance(score, list) else scores) == 2
    # VLMEvalKit: three scorers with arguments by place, no tokenizer.
    from pycocoevalcap.bleu.bleu import Bleu as ByPath  # noqa: PLC0415
    from pycocoevalcap.cider.cider import Cider as CiderByPath  # noqa: PLC0415
    from pycocoevalcap.rouge.rouge import Rouge as RougeByPath  # noqa: PLC0415

    assert (ByPath, CiderByPath, RougeByPath) == (Bleu, Cider, Rouge)
    import pycocoevalcap.meteor.meteor as module  # noqa: PLC0415

    assert module.Meteor is Meteor
    assert Meteor.__module__.startswith("muge_fast.")


@pytest.mark.usefixtures("replaced_pycocoevalcap")
def test_the_package_looks_like_one():
    assert importlib.util.find_spec("pycocoevalcap") is not None
    assert importlib.util.find_spec("pycocoevalcap.bleu.bleu") is not None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("pycocoevalcap.no_such_module")


def test_spice_says_why():
    with pytest.raises(NotImplementedError, match="SPICE is not offered without Java"):
        Spice()


@pytest.mark.parametrize("form", ["module", "script"])
def test_a_program_runs_with_the_replacement(form, tmp_path):
    program = tmp_path / "uses_captions.py"
    program.write_text(
        "import sys\nfrom pycocoevalcap.cider.cider import Cider\nprint(__name__, Cider.__module__, sys.argv[1:])\n"
    )
    arguments = ["-m", "uses_captions"] if form == "module" else [str(program)]
    command = [sys.executable, "-m", "muge_fast.compat.pycocoevalcap", *arguments, "--x", "1"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603
    assert result.stdout == "__main__ muge_fast.compat.pycocoevalcap.cider ['--x', '1']\n"
    usage = subprocess.run(command[:3], capture_output=True, text=True, check=False)  # noqa: S603
    assert usage.returncode == 1
    assert "usage: " in usage.stderr


@pytest.mark.parametrize("option", [None, "closest", "shortest", "average"])
@pytest.mark.parametrize(("n", "count", "special"), [(4, 1, None), (4, 9, None), (2, 9, None), (4, 5, 7), (3, 0, None)])
def test_bleu_scorer(n, count, special, option, capsys):
    results = []
    for scorer_class in (BleuScorer, OriginalBleuScorer):
        scorer = scorer_class(n=n, special_reflen=special)
        for caption, references in captions(3, count):
            scorer += (caption, references)
        first = scorer.compute_score(option=option, verbose=2)
        again = scorer.compute_score(option=option)
        results.append((first, again, scorer.size(), scorer.testlen(), scorer.reflen(), capsys.readouterr().out))
    assert results[0] == results[1]
    assert repr(results[0][0]) == repr(results[1][0])


def test_bleu_scorers_are_added_and_tested_again():
    results = []
    for scorer_class in (BleuScorer, OriginalBleuScorer):
        one, two = scorer_class(), scorer_class("a man", ["the man", "a b"])
        for caption, references in captions(4, 5):
            one += (caption, references)
        one += two
        copied = one.copy()
        new = ["a horse"] * 6
        assert one.compatible(two)
        results.append((copied.compute_score(), one.rescore(new), one.single_reflen(), one.recompute_score("shortest")))
        with pytest.raises(AssertionError):
            one.retest(["a"])
        with pytest.raises(AssertionError):
            one += scorer_class(n=2)
    assert results[0] == results[1]


@pytest.mark.parametrize("count", [2, 9, 60])
def test_cider_scorer(count):
    results = []
    for scorer_class in (CiderScorer, OriginalCiderScorer):
        one, two = scorer_class(), scorer_class()
        for caption, references in captions(5, count):
            one += (caption, references)
        two += ("a man", ["a man rides"])
        one += two
        score, scores = one.compute_score()
        results.append((score, scores.tolist(), scores.dtype, type(score), one.size()))
    assert results[0] == results[1]


def test_cider_scorer_adds_the_counts_of_calls():
    results = []
    for scorer_class in (CiderScorer, OriginalCiderScorer):
        scorer = scorer_class()
        for index in range(8):
            scorer += (f"word{index} x{index // 3}", [f"word{index} x{index // 3}", f"word{index}"])
        first, second = scorer.compute_score(), scorer.compute_score()
        results.append((first[1].tolist(), second[1].tolist()))
        with pytest.raises(AssertionError):
            scorer.compute_score()
    assert results[0] == results[1]
    assert results[0][0] != results[0][1]
