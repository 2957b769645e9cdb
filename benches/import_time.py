"""Time ``import muge_fast`` in new processes, without the time of NumPy: ``python -m benches.import_time [ROUNDS]``."""

from __future__ import annotations

import statistics
import subprocess
import sys

STATEMENTS = {"numpy": "import numpy", "muge_fast": "import muge_fast", "muge_fast.image": "import muge_fast.image"}

TIMED = """
import sys, time
start = time.perf_counter()
{statement}
seconds = time.perf_counter() - start
assert "torch" not in sys.modules
print(seconds, len(sys.modules))
"""


def main(rounds: int) -> None:
    """Print the best and the median time of each import, and what the package adds to NumPy."""
    seconds: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    modules: dict[str, int] = {}
    for _ in range(rounds):
        # The imports take turns, so that a busy moment of the machine does not affect only one of them.
        for name, statement in STATEMENTS.items():
            time, modules[name] = import_once(statement)
            seconds[name].append(time)
    print(f"best and median of {rounds} processes, Python {sys.version.split()[0]}")
    for name, times in seconds.items():
        best, median = min(times), statistics.median(times)
        above = "" if name == "numpy" else f", {(best - min(seconds['numpy'])) * 1000:.0f} ms above numpy"
        print(f"import {name}: {best * 1000:.0f} ms, {median * 1000:.0f} ms{above}, {modules[name]} modules")


def import_once(statement: str) -> tuple[float, int]:
    """Return the seconds that an import takes in a new process, and the number of modules loaded after it."""
    command = [sys.executable, "-c", TIMED.format(statement=statement)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own script
    seconds, modules = output.split()
    return float(seconds), int(modules)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
