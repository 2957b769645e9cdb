"""Try many hostile inputs, and write what happened to ``docs/attacks.md``: ``python scripts/attack_campaign.py``.

Each class of inputs of ``scripts/attack_inputs.py`` and ``scripts/attack_field_inputs.py`` runs in a separate process
with a limit of memory. An input fails
if it ends the process, raises an error that is not documented, takes longer than allowed or more memory than allowed,
or gives a report that cannot be parsed. Inputs follow from ``--seed``, the class and a number, which failures name:
``--class "pickles" --only 17 --seed 1`` runs one again, without limits.
"""

import argparse
import datetime as dt
import faulthandler
import json
import os
import platform
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import attack_field_inputs
import attack_inputs
import muge_fast as mf

CLASSES = attack_inputs.CLASSES | attack_field_inputs.CLASSES
DOCUMENT = Path(__file__).parent.parent / "docs" / "attacks.md"
# What one input may take: seconds on shared cores, and bytes beyond those of the process before.
MOST_SECONDS, MOST_MEMORY = 10, 512 << 20
# The C library sets aside 64 MiB of address space for each of many heaps, how many depends on the load of the machine.
ENVIRONMENT = {**os.environ, "MALLOC_ARENA_MAX": "2"}


class TooSlowError(Exception):
    """Raised for an input that takes longer than allowed; no reader catches it as one of its errors."""


def attempt(name: str, seed: int, index: int) -> str:
    """Try one input and return its outcome."""
    with tempfile.TemporaryDirectory(prefix="attack.") as folder:
        return CLASSES[name](random.Random(f"{seed} {name} {index}"), Path(folder))


def limit_memory() -> None:
    """Allow some bytes of address space beyond those in use."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def work(name: str, seed: int, first: int, seconds: float, count: int | None) -> None:
    """Try inputs until the time or the number is reached; write a line of JSON for each, before and after."""

    def stop(*_: object) -> None:
        raise TooSlowError

    faulthandler.enable()
    signal.signal(signal.SIGALRM, stop)
    warnings.simplefilter("ignore")
    # What is loaded with the first input does not count, nor do the stacks of threads.
    threading.stack_size(1 << 20)
    for index in range(3):
        attempt(name, -1, index)
    limit_memory()
    start, index = time.perf_counter(), first
    while time.perf_counter() - start < seconds and (count is None or index - first < count):
        print(json.dumps({"index": index}), flush=True)
        before = time.perf_counter()
        signal.alarm(MOST_SECONDS)
        try:
            outcome, failure = attempt(name, seed, index), None
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is what is looked for
            outcome, failure = f"failed: {type(error).__name__}", traceback.format_exc()
        finally:
            signal.alarm(0)
        taken = time.perf_counter() - before
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(json.dumps({"outcome": outcome, "seconds": taken, "peak": peak, "failure": failure}), flush=True)
        index += 1


def run_class(name: str, seed: int, seconds: float, count: int | None) -> dict[str, object]:
    """Run the worker of a class, again after each crash; return what happened."""
    outcomes: Counter[str] = Counter()
    failures, slowest, peak, first = [], 0.0, 0, 0
    start = time.perf_counter()
    while (left := seconds - (time.perf_counter() - start)) > 0 and (count is None or first < count):
        command = [sys.executable, __file__, "--worker", name, "--seed", str(seed), "--first", str(first)]
        command += ["--seconds", str(left), *([] if count is None else ["--count", str(count - first)])]
        with tempfile.TemporaryFile() as log, tempfile.TemporaryFile() as errors:
            done = subprocess.run(command, stdout=log, stderr=errors, check=False, env=ENVIRONMENT)  # noqa: S603 - this file
            code = done.returncode
            log.seek(0)
            errors.seek(0)
            lines = [json.loads(line) for line in log]
            message = errors.read().decode("utf-8", "replace")
        for line in lines:
            if "index" in line:
                first = line["index"]
                continue
            outcomes[line["outcome"]] += 1
            slowest, peak = max(slowest, line["seconds"]), max(peak, line["peak"])
            if line["failure"]:
                failures.append(f"{name} {first}: …{line['failure'][-600:]}")
            first += 1
        if code:
            outcomes[f"failed: exit code {code}"] += 1
            failures.append(f"{name} {first}: exit code {code}: {message[-2000:]}")
            first += 1
        if code and not lines:
            break
    return {
        "outcomes": outcomes,
        "failures": failures,
        "slowest": slowest,
        "peak": peak,
        "seconds": time.perf_counter() - start,
    }


def document(results: dict[str, dict], seed: int) -> str:
    """Return the document with a table of all classes."""
    total = sum(sum(result["outcomes"].values()) for result in results.values())
    date = dt.datetime.now(tz=dt.timezone.utc).date()
    rows = [
        f"| {name} | {sum(result['outcomes'].values()):,} | "
        f"{', '.join(f'{outcome} {count:,}' for outcome, count in sorted(result['outcomes'].items()))} | "
        f"{result['slowest']:.2f} | {result['peak']} | {result['seconds']:.0f} |"
        for name, result in results.items()
    ]
    failed = sum(len(result["failures"]) for result in results.values())
    return "\n".join(
        [
            "# Hostile inputs tried",
            "",
            "Written by `python scripts/attack_campaign.py --write`. (`make attacks` runs a short one.)",
            f"{date}, muge_fast {mf.__version__}, Python {platform.python_version()}, seed {seed}: {total:,} inputs,",
            f"of which {failed} failed. Each class runs in a separate process. An input fails if it ends that,",
            f"raises an error that is not documented, takes more than {MOST_SECONDS} s or {MOST_MEMORY >> 20} MiB, or",
            "gives a report that cannot be parsed: as JSON, as HTML that loads nothing, as Markdown without links.",
            "",
            "| class of inputs | inputs | outcomes | slowest, s | largest process, MiB | all, s |",
            "| --- | ---: | --- | ---: | ---: | ---: |",
            *rows,
            "",
        ]
    )


def main() -> int:
    """Run the campaign; return 1 if an input failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--class", dest="names", action="append", choices=list(CLASSES), help="only this class")
    parser.add_argument("--seconds", type=float, default=600, help="seconds for each class")
    parser.add_argument("--count", type=int, help="inputs of each class, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--only", type=int, help="try this input of the class alone")
    parser.add_argument("--write", action="store_true", help=f"write docs/{DOCUMENT.name}")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker, given.seed, given.first, given.seconds, given.count)
        return 0
    if given.only is not None:
        print(attempt(given.names[0], given.seed, given.only))
        return 0
    os.nice(5)
    results = {}
    for name in given.names or CLASSES:
        results[name] = run_class(name, given.seed, given.seconds, given.count)
        result = results[name]
        slowest, peak = f"slowest {result['slowest']:.2f} s", f"largest {result['peak']} MiB"
        print(name, dict(result["outcomes"]), slowest, peak, f"{result['seconds']:.1f} s", flush=True)
        for failure in results[name]["failures"][:3]:
            print(failure)
    if given.write:
        DOCUMENT.write_text(document(results, given.seed), encoding="utf-8")
    return int(any(result["failures"] for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
