"""Run one attack under its bounds: ``python tests/attacks/run.py NAME``."""

import importlib
import sys
import time
from pathlib import Path

# For the modules that attacks and tests have in common.
sys.path.append(str(Path(__file__).parents[1]))

from limited_memory import limit_memory

# Machines are noisy: differences below this many seconds do not count.
NOISE = 0.5


def seconds(function, arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def main(name):
    """Run an attack; raise if a bound does not hold."""
    module = importlib.import_module(name)
    arguments = (module.prepare(),) if hasattr(module, "prepare") else ()
    allowed = seconds(module.harmless, arguments) * module.RATIO + NOISE if hasattr(module, "harmless") else None
    limit_memory(module.MEMORY)
    taken = seconds(module.attack, arguments)
    if allowed is not None and taken > allowed:
        raise SystemExit(f"{name} took {taken:.2f} s, allowed are {allowed:.2f} s")
    print(f"{name}: {taken:.2f} s, held")


if __name__ == "__main__":
    main(sys.argv[1])
