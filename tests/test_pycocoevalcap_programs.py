"""Programs that import pycocoevalcap get the numbers of the original: lmms-eval, where it is, and forms of calls."""

import importlib.util
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from lmms_eval_modules import AGGREGATIONS, METRICS, ONE_PAIR, PREDICTIONS, REFERENCES
from meteor_jar import has_java

TESTS = Path(__file__).parent
# Of the original with Java, by the program lmms_eval_modules.py with lmms-eval 0.7.3 and pycocoevalcap 1.2.
GOLDEN = json.loads((TESTS / "golden" / "lmms_eval.json").read_text(encoding="utf-8"))["values"]
# One of the modules with the same code was recorded.
GOLDEN |= dict.fromkeys(AGGREGATIONS, GOLDEN["coco_cap"])


def folder_of_lmms_eval():
    """Return the folder of the package, which may be named by an environment variable; None if it is nowhere."""
    if "MUGE_FAST_LMMS_EVAL" in os.environ:
        return os.environ["MUGE_FAST_LMMS_EVAL"]
    spec = importlib.util.find_spec("lmms_eval")
    return spec and spec.submodule_search_locations[0]


def run_modules(*command, modules=()):
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, *command, str(TESTS / "lmms_eval_modules.py"), folder_of_lmms_eval(), *modules],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def approximately(values):
    # METEOR's powers may differ in the last bit from those of Java.
    return {
        name: {
            metric: pytest.approx(value, rel=1e-15, abs=0) if metric == "METEOR" else value
            for metric, value in of.items()
        }
        for name, of in values.items()
    }


@pytest.mark.slow
@pytest.mark.skipif(folder_of_lmms_eval() is None, reason="lmms-eval is not installed")
def test_all_modules_of_lmms_eval_run_unchanged_and_have_the_numbers_of_the_original():
    ours = run_modules("-m", "muge_fast.compat.pycocoevalcap")
    assert set(ours) == {*AGGREGATIONS, *ONE_PAIR, "screenspot", "youcook2"}
    assert ours == approximately({name: GOLDEN[name] for name in ours})


@pytest.mark.java
@pytest.mark.slow
@pytest.mark.skipif(folder_of_lmms_eval() is None, reason="lmms-eval is not installed")
@pytest.mark.skipif(not has_java(), reason="there is no java")
def test_the_numbers_are_those_of_the_original():
    # One that starts Java few times.
    assert run_modules(modules=["cuva"]) == {"cuva": GOLDEN["cuva"]}


class Coco:
    """What the modules use of the class ``COCO`` of pycocotools."""

    def __init__(self, rows):
        self.imgToAnns = defaultdict(list)
        for row in rows:
            self.imgToAnns[row["image_id"]].append(row)

    def getImgIds(self):  # noqa: N802 - of pycocotools
        return list(self.imgToAnns)


@pytest.mark.usefixtures("replaced_pycocoevalcap")
@pytest.mark.parametrize("metric", METRICS)
def test_one_metric_of_a_set_in_the_form_of_lmms_eval(metric):
    from pycocoevalcap.eval import Bleu, Cider, COCOEvalCap, Meteor, Rouge  # noqa: PLC0415
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer  # noqa: PLC0415

    # All scorers are made for each metric, which starts Java each time in the original.
    scorers = {**{f"Bleu_{n}": Bleu(4) for n in range(1, 5)}, "METEOR": Meteor(), "ROUGE_L": Rouge(), "CIDEr": Cider()}
    answers = [{"image_id": i, "caption": text} for i, texts in enumerate(REFERENCES) for text in texts]
    evaluation = COCOEvalCap(Coco(answers), Coco([{"image_id": i, "caption": p} for i, p in enumerate(PREDICTIONS)]))
    images = evaluation.params["image_id"]
    gts, res = (
        PTBTokenizer().tokenize({image: side.imgToAnns[image] for image in images})
        for side in (evaluation.coco, evaluation.cocoRes)
    )
    score, scores = scorers[metric].compute_score(gts, res)
    if type(score) is list:
        score, scores = score[int(metric[-1]) - 1], scores[int(metric[-1]) - 1]
    assert len(scores) == len(PREDICTIONS)
    assert {"x": {metric: score}} == approximately({"x": {metric: GOLDEN["coco_cap"][metric]}})


@pytest.mark.usefixtures("replaced_pycocoevalcap")
def test_parts_of_a_set_in_the_form_of_lmms_eval():
    from pycocoevalcap.eval import Bleu, Cider, Meteor, Rouge  # noqa: PLC0415
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer  # noqa: PLC0415

    gts = PTBTokenizer().tokenize({i: [{"caption": texts[0]}] for i, texts in enumerate(REFERENCES)})
    res = PTBTokenizer().tokenize({i: [{"caption": text}] for i, text in enumerate(PREDICTIONS)})
    values = {}
    for scorer, names in ((Bleu(4), METRICS[:4]), (Meteor(), ["METEOR"]), (Rouge(), ["ROUGE_L"]), (Cider(), ["CIDEr"])):
        parts = [
            scorer.compute_score({i: gts[i] for i in part}, {i: res[i] for i in part})[0] for part in ((0, 1), (2, 3))
        ]
        # Of BLEU, the mean of all orders, whichever was asked for.
        values |= dict.fromkeys(names, float(np.mean(parts)) * 100)
    assert {"youcook2": values} == approximately({"youcook2": GOLDEN["youcook2"]})


@pytest.mark.usefixtures("replaced_pycocoevalcap")
def test_scorers_without_a_tokenizer_in_the_form_of_vlmevalkit(capsys):
    from pycocoevalcap.bleu.bleu import Bleu  # noqa: PLC0415
    from pycocoevalcap.cider.cider import Cider  # noqa: PLC0415
    from pycocoevalcap.rouge.rouge import Rouge  # noqa: PLC0415

    # Ids are strings, captions are raw, and the names of the arguments are the other way round there.
    ref = {str(i): [text] for i, text in enumerate(PREDICTIONS)}
    gt = {str(i): texts for i, texts in enumerate(REFERENCES)}
    found = {}
    for scorer, names in (
        (Bleu(4), ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4"]),
        (Rouge(), "ROUGE_L"),
        (Cider(), "CIDEr"),
    ):
        assert isinstance(scorer.method(), str)
        score, scores = scorer.compute_score(gt, ref)
        if type(names) == list:  # noqa: E721 - as there
            found |= {name: 100 * value for name, value, _ in zip(names, score, scores, strict=True)}
        else:
            found[names] = 100 * score
    assert "{'testlen': " in capsys.readouterr().out
    assert found == GOLDEN["vlmevalkit"]
