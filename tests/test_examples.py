"""The programs of ``examples/`` run as users run them, and print the scores that this package has for the same data."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import threading
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

import muge_fast as mf
from source_files import ROOT, read

EXAMPLES = ROOT / "examples"
SAMPLES = ROOT / "python" / "muge_fast" / "samples"
GOLD = SAMPLES / "caption" / "IC_sample.jsonl"
PRED = SAMPLES / "caption" / "IC_sample.pred.large.jsonl"
PROGRAMS = sorted(path.name for path in EXAMPLES.iterdir() if path.is_file() and path.name != "README.md")


def load(name):
    """Return the names of a program, without running its main part."""
    return runpy.run_path(str(EXAMPLES / name))


def run(*command, folder):
    """Run a command as a user does, and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(Path(mf.__file__).parent.parent), "RAY_USAGE_STATS_ENABLED": "0"}
    result = subprocess.run(  # noqa: S603 - our own programs
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


def printed(scores):
    return "".join(f"{name} {score.value:.4f} {score.signature}\n" for name, score in scores.items())


@pytest.fixture(scope="module")
def references():
    return dict(list(mf.read_captions(GOLD).items())[:12])


@pytest.fixture(scope="module")
def whole():
    """Return the scores of the sample in one process, with document frequencies that were counted before."""
    gold = mf.read_captions(GOLD)
    frequency = mf.DocumentFrequency.from_references(gold)
    return mf.score_captions(mf.read_captions(PRED), gold, document_frequency=frequency)


def test_the_list_names_every_program():
    listed = re.findall(r"\| \[`([\w.]+)`\]\((.+?)\) \|", read(EXAMPLES / "README.md"))
    assert [name for name, _ in listed if name.endswith(".ipynb")] == sorted(
        path.name for path in (EXAMPLES / "notebooks").iterdir()
    )
    assert sorted(name for name, _ in listed if not name.endswith(".ipynb")) == PROGRAMS
    assert all((EXAMPLES / target).is_file() for _, target in listed)


# Training


def test_scst_rewards_are_scores_of_the_batch(references):
    torch = pytest.importorskip("torch")
    program = load("scst_training.py")
    reward = program["Reward"](references)
    torch.manual_seed(3)
    model = program["Captioner"](len(references), len(reward.alphabet), length=9)
    images = torch.tensor([5, 2, 5, 0, 11])
    letters, _ = model(images, sample=True)
    texts, ids = reward.texts(letters), list(references)
    frequency = mf.DocumentFrequency.from_references(references)
    assert len(set(texts)) > 3
    for image, text, value in zip(images.tolist(), texts, reward(images, letters).tolist(), strict=True):
        alone = mf.score_captions([text], [references[ids[image]]], metrics=["cider_d"], document_frequency=frequency)
        assert value == pytest.approx(alone["cider_d"].value, rel=1e-6)


@pytest.mark.slow
def test_scst_training_raises_the_reward():
    torch = pytest.importorskip("torch")
    colors, things = "红黑白蓝", ("长裙", "男鞋", "衬衫")
    references = {f"{c}{t}": [f"{c}色{t}", f"{c}{t}新款", f"新款{c}色{t}"] for c in colors for t in things}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(2)
    before, after = load("scst_training.py")["train"](references, pretraining=3, steps=100, length=6, batch_size=64)
    torch.set_num_threads(threads)
    assert after > before + 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_lightning_module_logs_the_scores_of_all_batches(references, tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("lightning")
    program = load("lightning_module.py")
    texts, chosen = list(references.values()), []
    method = program["Captioner"].caption
    program["Captioner"].caption = lambda self, images: chosen.extend(method(self, images)) or chosen[-len(images) :]
    torch.manual_seed(1)
    logged = program["validate"](texts, tmp_path)
    expected = mf.score_captions(chosen, texts, metrics=["cider_d", "bleu"])
    assert len(chosen) == len(texts)
    assert logged == {
        "val/CIDErD": pytest.approx(expected["cider_d"].value, rel=1e-6),
        "val/BLEU": pytest.approx(expected["bleu"].value, rel=1e-6),
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_trainer_reports_the_scores_of_generated_captions(references, tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    program = load("trainer.py")
    texts = list(references.values())
    tokenizer = program["tokenizer_of"](texts)
    rows = program["Captions"](texts, tokenizer)
    assert tokenizer.decode(rows[3]["input_ids"], skip_special_tokens=True) == texts[3][0]
    torch.manual_seed(0)
    result = program["evaluate"](texts, tmp_path)
    assert {"eval_cider_d", "eval_bleu", "eval_rouge_l"} <= set(result)
    # The generated captions, by the model that evaluate makes from the same seed.
    trainer = program["evaluate"].__globals__["Seq2SeqTrainer"]
    generated = []
    plain = trainer.prediction_step

    def prediction_step(self, *arguments, **options):
        outputs = plain(self, *arguments, **options)
        generated.extend(tokenizer.batch_decode(outputs[1].clamp(min=0), skip_special_tokens=True))
        return outputs

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(trainer, "prediction_step", prediction_step)
        torch.manual_seed(0)
        again = program["evaluate"](texts, tmp_path)
    assert any(generated)
    expected = mf.score_captions(generated, texts)
    for name, score in expected.items():
        assert again[f"eval_{name}"] == result[f"eval_{name}"] == pytest.approx(score.value, abs=1e-12)


# A leaderboard


def test_the_leaderboard_client_prints_scores_and_errors(tmp_path, capsys):
    pytest.importorskip("fastapi")
    pytest.importorskip("sqlalchemy")
    from leaderboard_boards import ADMIN  # noqa: PLC0415 - needs the packages of a site
    from leaderboard_sites import serving  # noqa: PLC0415
    from muge_fast.leaderboard.board import open_board  # noqa: PLC0415
    from muge_fast.leaderboard.registration import register_tasks  # noqa: PLC0415
    from muge_fast.leaderboard.store.accounts import create_account, create_token  # noqa: PLC0415
    from muge_fast.leaderboard.store.teams import create_team  # noqa: PLC0415
    from muge_fast.leaderboard.web.app import create_app  # noqa: PLC0415
    from muge_fast.leaderboard.worker.judgement import judge_once  # noqa: PLC0415

    gold, good = SAMPLES / "retrieval" / "MR_sample_queries.jsonl", SAMPLES / "retrieval" / "MR_sample.pred.large.jsonl"
    shutil.copy(gold, tmp_path / "gold.jsonl")
    rows = good.read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "bad.jsonl").write_text("".join(rows[:2]), "utf-8")
    (tmp_path / "board.toml").write_text('[tasks.retrieval]\ngold = "gold.jsonl"\n', "utf-8")
    client, stop = load("leaderboard_client.py")["main"], threading.Event()
    with closing(open_board(tmp_path, create=True)) as board:
        register_tasks(board, actor=ADMIN)
        account = create_account(board.database, name="red", name_key="red", actor=ADMIN)
        create_team(board.database, name="red", name_key="red", founder=account, actor=ADMIN)
        token = create_token(board.database, account, label="client", scopes=("read", "submit"), actor=ADMIN)
        (tmp_path / "token").write_text(token + "\n")

        def work():
            while not stop.wait(0.02):
                judge_once(board, {})

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        with serving(create_app(board)) as port:
            common = ["--to", f"http://127.0.0.1:{port}", "--token-file", str(tmp_path / "token"), "--seconds", "0.05"]
            codes = [client(["retrieval", str(file), *common]) for file in (good, tmp_path / "bad.jsonl", good)]
            unknown = client(["nowhere", str(good), *common])
        stop.set()
        worker.join()
    output = capsys.readouterr()
    score = f"scored: {mf.evaluate('retrieval', gold, good).official()['score']:.2f}"
    errors = list(mf.evaluate("retrieval", gold, tmp_path / "bad.jsonl").errors)
    lines = output.out.splitlines()
    assert (codes, unknown) == ([0, 1, 0], 2)
    assert (lines[0], lines[-1]) == (score, score)
    assert lines[1:-1]
    assert set(lines[1:-1]) <= set(errors)
    assert "there is no such task" in output.err


# Many processes


def shard_rows(count=3):
    """Return the sample as rows with predictions and references, cut into shards."""
    gold, predictions = mf.read_captions(GOLD), mf.read_captions(PRED)
    rows = [{"id": key, "prediction": predictions[key], "references": gold[key]} for key in gold]
    return [rows[index * len(rows) // count : (index + 1) * len(rows) // count] for index in range(count)]


@pytest.mark.slow
def test_the_dask_program_has_the_bits_of_one_process(tmp_path, whole):
    pytest.importorskip("dask.bag")
    for index, rows in enumerate(shard_rows()):
        (tmp_path / f"{index}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert run(sys.executable, EXAMPLES / "dask_bag.py", "*.jsonl", folder=tmp_path) == printed(whole)


@pytest.mark.slow
def test_the_program_of_torch_distributed_has_the_bits_of_one_process(tmp_path, whole):
    pytest.importorskip("torch")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    assert run(*command, EXAMPLES / "torch_distributed.py", GOLD, PRED, folder=tmp_path) == printed(whole)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")
def test_the_ray_job_has_the_bits_of_one_process(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "captions").mkdir()
    for index, rows in enumerate(shard_rows()):
        parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "captions" / f"{index}.parquet")
    output = run(sys.executable, EXAMPLES / "ray_job.py", "captions", "--actors", "1", folder=tmp_path)
    assert output == printed(mf.score_captions(mf.read_captions(PRED), mf.read_captions(GOLD)))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_array_tasks_of_slurm_have_the_bits_of_one_run(tmp_path, whole, monkeypatch):
    gold, pred = GOLD.read_text("utf-8").splitlines(keepends=True), PRED.read_text("utf-8").splitlines(keepends=True)
    # Shard 10 comes after shard 9 in the result, not after shard 1.
    numbers = [1, 9, 10]
    for index, number in enumerate(numbers):
        part = slice(index * len(gold) // 3, (index + 1) * len(gold) // 3)
        (tmp_path / f"gold.{number}.jsonl").write_text("".join(gold[part]), "utf-8")
        (tmp_path / f"pred.{number}.jsonl").write_text("".join(pred[part]), "utf-8")
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "muge-fast"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m muge_fast "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    script = ["bash", EXAMPLES / "slurm_shards.sbatch"]
    for step, tasks in (("count", numbers), ("table", [None]), ("score", numbers), ("merge", [None])):
        for task in tasks:
            monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "" if task is None else str(task))
            run(*script, step, folder=tmp_path)
    merged = mf.Scores.from_bytes((tmp_path / "all.state").read_bytes())
    assert list(merged.ids) == list(mf.read_captions(GOLD))
    assert {name: merged[name].value for name in whole} == whole.to_dict()
    assert {name: merged[name].signature for name in whole} == {name: whole[name].signature for name in whole}
