"""Kill the processes of a board at random for a long time, with backups in the middle, and check that nothing is lost.

    python scripts/leaderboard_kills.py --kills 200 --database sqlite --database postgresql

``postgresql`` starts a throw-away server, ``postgresql://…`` uses an empty database of a server that runs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from leaderboard_boards import Server, running_server
from leaderboard_kills import KillRun

PAUSE = 0.3
BACKUP_EVERY = 50


def main() -> None:
    """Run, and print a line of JSON for each database."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database", action="append", help="sqlite, postgresql, or an address; may be repeated")
    parser.add_argument("--seed", type=int, default=20261128)
    options = parser.parse_args()
    for database in options.database or ["sqlite", "postgresql"]:
        with ExitStack() as stack:
            server = stack.enter_context(running_server()) if database == "postgresql" else None
            if database == "postgresql" and server is None:
                sys.exit("there is no initdb in /usr/lib/postgresql/*/bin: install the package postgresql")
            address = server.new_database() if server else None if database == "sqlite" else database
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="muge-kills-")))
            print(json.dumps({"database": database, **kill(folder, address, server, options)}), flush=True)


def kill(folder: Path, address: str | None, server: Server | None, options: argparse.Namespace) -> dict[str, object]:
    """Return the figures of a run on one database."""
    start, restored = time.monotonic(), []
    run = KillRun(folder, address, options.seed)
    try:
        run.wait(lambda: run.scalar("SELECT count(*) FROM verdict") > 0)
        for done in range(0, options.kills, BACKUP_EVERY):
            run.kill_many(min(BACKUP_EVERY, options.kills - done), pause=PAUSE)
            # A board is restored into an empty database, of which an address given has none.
            if (address is None or server is not None) and not (folder / "restored").exists():
                restored.append(run.back_up_and_restore(server.new_database() if server else None))
        run.drain()
    finally:
        run.end()
    figures = run.check()
    run.board.close()
    return {**figures, "restored": restored, "seconds": round(time.monotonic() - start, 1)}


if __name__ == "__main__":
    main()
