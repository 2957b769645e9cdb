"""What files can do to a worker: the hostile collection, and scorers that do what a file says."""

import base64
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import muge_fast as mf
from image_data import encoded, pictures
from leaderboard_trial_task import IMAGES, NAME
from leaderboard_workers import SECRET, WorkerBoard, row, trial_board
from muge_fast.leaderboard.store.queue import QueueRules
from muge_fast.leaderboard.worker.sandbox import MEGABYTE, SandboxLimits, sandbox_state

HOSTILE = Path(__file__).parent / "hostile"
ONE_TRY = QueueRules(tries=1)
LIMITS = SandboxLimits(memory=512 * MEGABYTE, cpu_seconds=1)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """Return a board with a task whose scorer does what a submission says."""
    with trial_board(tmp_path_factory.mktemp) as made:
        yield made


def test_the_sandbox_changes_no_verdict_of_hostile_files(tmp_path):
    gold = {task: HOSTILE / f"{task}.gold.jsonl" for task in ("caption", "classification", "retrieval")}
    made = WorkerBoard(tmp_path / "board", gold=gold)
    sent = {path: made.send(task, path) for task in gold for path in sorted((HOSTILE / task).iterdir())}
    with made.worker(slots=2, rules=ONE_TRY):
        found = {path: made.wait(submission, seconds=120) for path, submission in sent.items()}
    assert {verdict.state for verdict in found.values()} == {"scored", "invalid"}
    stored = tmp_path / "file"
    for path, verdict in found.items():
        stored.write_bytes(path.read_bytes())
        report = mf.evaluate(path.parent.name, gold[path.parent.name], stored)
        assert verdict.fault is None, path
        assert verdict.ok == report.ok, path
        if not report.ok:
            assert [one["message_en"] for one in verdict.report["problems"]] == report.errors, path
    made.board.close()


def test_processes_that_score_lines_load_no_large_package():
    # torch takes seconds and hundreds of megabytes, in each process of each task.
    script = (
        "import sys; from muge_fast.leaderboard.worker import scoring_process as one; "
        "one._preload(one.PRELOADED, one.WITH_TORCH); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"torch", "torchvision", "transformers", "scipy", "pandas", "pyarrow", "matplotlib"}
    assert {"muge_fast", "numpy"} <= loaded


def is_active(name: str) -> bool:
    return {part.name: part.is_active for part in sandbox_state()}[name]


def test_a_file_can_read_and_write_nothing(trial, tmp_path):
    if not is_active("files"):
        pytest.skip("Landlock is not active here")
    secret = tmp_path / "secret"
    secret.write_text("x")
    database = trial.folder / "board.sqlite"
    actions = [
        f"read {secret}",
        f"read {database}",
        f"read {trial.folder / 'gold' / 'trial.jsonl'}",
        "read /etc/passwd",
    ]
    actions += [f"list {tmp_path}", "list /", f"write {tmp_path / 'new'}", f"write {secret}", "write /dev/shm/muge"]
    actions += ["run /bin/true", "read /proc/1/environ"]
    sent = {action: trial.send(NAME, row(action)) for action in actions}
    sent["nothing"] = trial.send(NAME, row("nothing"))
    with trial.worker(rules=ONE_TRY, limits=LIMITS):
        done = {action: trial.wait(submission).published for action, submission in sent.items()}
    assert done == dict.fromkeys(actions, 0.0) | {"nothing": 100.0}
    assert secret.read_text() == "x"


def test_a_file_has_no_network(trial):
    if not is_active("network"):
        pytest.skip("namespaces of networks are not allowed here")
    with socket.create_server(("127.0.0.1", 0)) as server, trial.worker(rules=ONE_TRY, limits=LIMITS):
        submission = trial.send(NAME, row(f"connect {server.getsockname()[1]}"))
        assert trial.wait(submission).published == 0


FAULTS = {
    "crash": "SIGABRT",
    "exit 3": "ended with code 3",
    "memory 3000000000": "MemoryError",
    "sleep 30": "longer than 2 s",
    "tell": "ValueError",
    "loop": "",
    "forge": "",
    "nan": "",
}


def test_faults_are_ours_and_say_nothing_of_the_references(trial):
    sent = {action: trial.send(NAME, row(action)) for action in FAULTS}
    last = trial.send(NAME, row("nothing"))
    with trial.worker(rules=ONE_TRY, limits=LIMITS, seconds=2):
        for action, expected in FAULTS.items():
            found = trial.wait(sent[action])
            assert found.state == "faulted", action
            assert expected in found.fault
            assert SECRET not in found.fault
        assert trial.wait(last).state == "scored"


def test_the_sandbox_says_what_is_not_active():
    parts = sandbox_state()
    assert {"files", "network", "memory", "cpu_time", "no_new_privileges", "processes"} <= {part.name for part in parts}
    assert all(part.is_active or part.reason for part in parts)


def test_images_have_a_process_that_reads_one_file_at_a_time(tmp_path_factory):
    rows = image_rows(pictures())
    gold = "".join(rows).encode()
    with trial_board(tmp_path_factory.mktemp, IMAGES.name, gold) as made, made.worker(rules=ONE_TRY):
        for order in (rows, rows[::-1]):
            found = made.wait(made.send(IMAGES.name, "".join(order).encode()))
            assert (found.state, found.fault) == ("scored", None)
            assert found.published == 0 or not is_active("files")
        assert made.wait(made.send(IMAGES.name, "".join(rows[1:]).encode())).state == "invalid"
        assert made.wait(made.send(IMAGES.name, b"0\tnonsense\n")).state == "invalid"


def image_rows(images, names=None) -> list[str]:
    names = range(len(images)) if names is None else names
    return [f"{name}\t{base64.b64encode(encoded(image)).decode()}\n" for name, image in zip(names, images, strict=True)]


def test_the_process_of_images_has_no_network(tmp_path_factory):
    with socket.create_server(("127.0.0.1", 0)) as server:
        rows = image_rows(pictures(1), [server.getsockname()[1]])
        gold = "".join(rows).encode()
        with trial_board(tmp_path_factory.mktemp, IMAGES.name, gold) as made, made.worker(rules=ONE_TRY):
            found = made.wait(made.send(IMAGES.name, gold))
        assert (found.state, found.fault) == ("scored", None)
        assert found.published == 0 or not (is_active("files") and is_active("network"))


@pytest.mark.parametrize("memory", [0, 6 * 1024 * MEGABYTE])
def test_images_are_scored_by_the_inception_network_inside_the_sandbox(tmp_path, weights, memory):
    real, made = pictures(10, seed=1), pictures(10, seed=2)
    board = tmp_path / "board"
    (board / "weights").mkdir(parents=True)
    shutil.copy(weights, board / "weights" / "inception.pth")
    gold = "".join(image_rows(real)).encode()
    options = '[tasks.t2i.options]\nweights = "weights/inception.pth"\nbatch_size = 8\n'
    opened = WorkerBoard(board, gold={"t2i": gold}, toml=options)
    files = {"made": image_rows(made), "short": image_rows(made)[1:]}
    sent = {name: opened.send("t2i", "".join(rows).encode()) for name, rows in files.items()}
    limits = SandboxLimits(memory=memory, cpu_seconds=0) if memory else None
    with opened.worker(rules=ONE_TRY, **({"limits": limits} if limits else {})):
        found = {name: opened.wait(submission, seconds=120) for name, submission in sent.items()}
    opened.board.close()
    assert [(one.state, one.fault) for one in found.values()] == [("scored", None), ("invalid", None)]
    # The same scorer outside of the sandbox.
    paths = {name: tmp_path / f"{name}.img.tsv" for name in ("gold", "made")}
    paths["gold"].write_bytes(gold)
    paths["made"].write_text("".join(files["made"]))
    report = mf.evaluate("t2i", paths["gold"], paths["made"], weights=weights, batch_size=8)
    expected = report.scores["fid"].value
    assert found["made"].scores["fid"] == expected
    assert found["made"].published == round(expected, 2)
