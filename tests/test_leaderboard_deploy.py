"""Files of docs/deploy: systemd and nginx accept them, and a board runs behind nginx and as in the container."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import click
import pytest
from click.testing import CliRunner

from documentation_blocks import check_command, commands_of
from muge_fast.cli.main import main
from muge_fast.leaderboard.samples import SAMPLES
from source_files import BUILT, ROOT

DEPLOY = ROOT / "docs" / "deploy"
PROGRAM = "/opt/muge-fast/bin/muge-fast"
CERTIFICATES = "/etc/letsencrypt/live/muge.example"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
PREDICTIONS = SAMPLES / "retrieval" / "MR_sample.pred.large.jsonl"
SECONDS = 30

needs_nginx = pytest.mark.skipif(not (NGINX and shutil.which("openssl")), reason="nginx or openssl is missing")


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - of this test


# systemd


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is missing")
def test_systemd_accepts_the_units(tmp_path):
    units = sorted(path.name for path in DEPLOY.glob("muge-fast-*"))
    assert units == ["muge-fast-backup.service", "muge-fast-backup.timer", "muge-fast-board.service"]
    # The programs must exist, and so must users that systemd cannot make.
    (program := tmp_path / "muge-fast").write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name in units:
        text = (DEPLOY / name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace(PROGRAM, str(program)), "utf-8")
    done = run("systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in units))
    assert (done.returncode, done.stderr) == (0, "")
    # What the check says about a mistake.
    unit = tmp_path / "muge-fast-board.service"
    unit.write_text(unit.read_text("utf-8").replace("RestartSec=2", "RestartSek=2"), "utf-8")
    assert "RestartSek" in run("systemd-analyze", "verify", "--man=no", str(unit)).stderr


def test_units_name_one_program_one_user_and_one_folder():
    board, backup = ((DEPLOY / f"muge-fast-{name}.service").read_text("utf-8") for name in ("board", "backup"))
    started = re.findall(r"^ExecStart=(\S+) board (?:serve|backup) (\S+)", board + backup, re.MULTILINE)
    assert started == [(PROGRAM, "/var/lib/muge-board/board")] * 2
    assert "StateDirectory=muge-board" in board
    for key in ("User", "EnvironmentFile"):
        assert re.findall(rf"^{key}=.*$", board, re.MULTILINE) == re.findall(rf"^{key}=.*$", backup, re.MULTILINE)


# nginx


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def write_nginx(folder: Path, tls: int, plain: int, board: int) -> Path:
    """Write a configuration that includes the one of the documentation, with the ports of the test."""
    site = (DEPLOY / "nginx.conf").read_text("utf-8").replace(CERTIFICATES, str(folder))
    site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{tls} ssl").replace(
        "listen 80;", f"listen 127.0.0.1:{plain};"
    )
    (folder / "site.conf").write_text(site.replace("127.0.0.1:8000", f"127.0.0.1:{board}"), "utf-8")
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=muge.example")
    assert run(*made, "-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")).returncode == 0
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ access_log off;\n{temporary}include {folder}/site.conf; }}\n",
        "utf-8",
    )
    return path


@needs_nginx
def test_nginx_accepts_its_configuration(tmp_path):
    done = run(NGINX, "-t", "-c", str(write_nginx(tmp_path, 443, 80, 8000)))
    assert done.returncode == 0, done.stderr
    assert "test is successful" in done.stderr


@contextmanager
def started(*command: str, **options):
    """Yield a process that is ended afterwards."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)  # noqa: S603 - of this test
    try:
        yield process
    finally:
        process.terminate()
        process.wait(SECONDS)
        process.stdout.close()


def ask(address: str, *, data: bytes | None = None, **headers: str):
    """Return the answer to a request by TLS, whose certificate no one vouches for."""
    request = Request(address, data=data, headers=headers)  # noqa: S310 - of this test
    unknown = ssl._create_unverified_context()  # noqa: S323 - the certificate was made a second ago
    return urlopen(request, context=unknown, timeout=SECONDS)  # noqa: S310 - of this test


def wait_for(condition):
    for _ in range(20 * SECONDS):
        try:
            if found := condition():
                return found
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("it did not happen")


@needs_nginx
def test_a_board_behind_nginx_takes_files_and_knows_its_clients(tmp_path):
    folder, tls, plain, port = tmp_path / "board", free_port(), free_port(), free_port()
    invoke = CliRunner().invoke
    assert invoke(main, ["board", "init", str(folder), "--samples"]).exit_code == 0
    token = invoke(main, ["board", "team", "add", str(folder), "red"]).stdout.split()[-1]
    address = f"https://127.0.0.1:{tls}"
    options = ("--address", address, "--proxy", "127.0.0.1", "--port", str(port), "--workers", "1")
    serve = (sys.executable, "-m", "muge_fast", "board", "serve", str(folder), *options)
    configuration = write_nginx(tmp_path, tls, plain, port)
    with started(*serve), started(NGINX, "-c", str(configuration), stderr=subprocess.DEVNULL):
        assert wait_for(lambda: ask(f"{address}/healthz").status == 200)
        page = ask(f"{address}/tasks/retrieval")
        assert "max-age" in page.headers["strict-transport-security"]
        sent = ask(
            f"{address}/api/v1/tasks/retrieval/submissions",
            data=PREDICTIONS.read_bytes(),
            Authorization=f"Bearer {token}",
            **{"Idempotency-Key": "one", "Content-Type": "application/octet-stream"},
        )
        assert sent.status == 201
        submission = json.load(sent)["id"]
        one = f"{address}/api/v1/submissions/{submission}"
        done = wait_for(lambda: (found := json.load(ask(one, Authorization=f"Bearer {token}")))["verdict"] and found)
        assert (done["state"], done["verdict"]["published"]) == ("scored", "54.69")
        # Those who come through the proxy are not this machine.
        with pytest.raises(HTTPError, match="404") as refused:
            ask(f"{address}/metrics")
        refused.value.close()
        # nginx says 502 if the site has closed the connection before nginx has sent everything.
        with pytest.raises(HTTPError, match=r"413|502") as refused:
            ask(f"{address}/login", data=b"x" * 100_000)
        refused.value.close()
        # Plain HTTP leads to TLS.
        with socket.create_connection(("127.0.0.1", plain), SECONDS) as connection:
            connection.sendall(b"GET /rules HTTP/1.1\r\nHost: muge.example\r\nConnection: close\r\n\r\n")
            answer = connection.makefile("rb").read()
        assert b" 301 " in answer.splitlines()[0]
        assert b"Location: https://muge.example/rules" in answer


# The container


def test_the_command_of_the_container_makes_a_board_once_and_serves_it(tmp_path):
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    command = json.loads(re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)[1])
    (programs := tmp_path / "bin").mkdir()
    (program := programs / "muge-fast").write_text(f'#!/bin/sh\nexec {sys.executable} -m muge_fast "$@"\n')
    program.chmod(0o755)
    command[-1] = command[-1].replace("/board/", f"{tmp_path}/").replace("--host 0.0.0.0", "--host 127.0.0.1 --port 0")
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    made = []
    for _ in range(2):
        with started(*command, env=environment, stderr=subprocess.PIPE) as process:
            wait_for((tmp_path / "challenge" / "board.toml").exists)
            lines = iter(process.stdout.readline, "")
            address = next(line.strip() for line in lines if line.startswith("http"))
            assert wait_for(lambda: urlopen(f"{address}/healthz", timeout=SECONDS).status == 200)  # noqa: S310, B023
            process.stderr.close()
        made.append((tmp_path / "challenge" / "board.toml").stat().st_mtime_ns)
    assert made[0] == made[1]


INSTRUCTIONS = re.findall(r"^([A-Z]+) ((?:.*\\\n)*.*)$", (DEPLOY / "Containerfile").read_text("utf-8"), re.MULTILINE)


def arguments_of(name: str) -> list[str]:
    return [text for found, text in INSTRUCTIONS if found == name]


def test_instructions_of_the_container_are_known_and_in_their_order():
    order = ["FROM", "RUN", "COPY", "RUN", "FROM", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "CMD"]
    assert [name for name, _ in INSTRUCTIONS] == order


def test_stages_of_the_container_fit_each_other_and_the_package():
    build, final = arguments_of("FROM")
    # A wheel that is linked on a newer release of Debian does not load on an older one.
    releases = [re.search(r"-slim-([a-z]+)", image)[1] for image in (build, final)]
    assert releases[0] == releases[1]
    oldest = re.search(r'^requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    python = re.fullmatch(r"python:3\.(\d+)-slim-\w+", final)
    assert int(oldest[1]) <= int(python[1]) <= sys.version_info.minor + 3
    sources = [text.split() for text in arguments_of("COPY")]
    assert sources == [[".", "/source"], ["--from=build", "/wheels", "/wheels"]]
    assert build.endswith(" AS build")
    make, install = arguments_of("RUN")[1:]
    assert "--wheel-dir /wheels /source" in make
    extra = re.search(r'"\$\(ls /wheels/\*\.whl\)\[(\w+)\]"', install)[1]
    assert re.search(rf"^{extra} = \[", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)


def test_the_folder_user_and_port_of_the_container_are_one():
    (user,), (volume,), (port,) = (arguments_of(name) for name in ("USER", "VOLUME", "EXPOSE"))
    install = arguments_of("RUN")[-1]
    assert re.search(rf"useradd --system --uid \d+ --home-dir {volume} {user}\b", install)
    assert f"install -d -o {user} -g {user} -m 0700 {volume}" in install
    command = json.loads(arguments_of("CMD")[0])
    assert set(re.findall(r"(/\w+)/challenge\b", command[-1])) == {volume}
    board = main.get_command(click.Context(main), "board")
    serve = board.get_command(click.Context(board), "serve")
    assert str(next(one for one in serve.params if one.name == "port").default) == port
    assert "--port" not in command[-1]
    # Comments say how to use it.
    comments = "".join(re.findall(r"^#.*\n", (DEPLOY / "Containerfile").read_text("utf-8"), re.MULTILINE))
    assert f"-v muge-board:{volume} " in comments
    assert f":{port}:{port} " in comments
    assert f"{volume}/challenge" in comments
    assert arguments_of("STOPSIGNAL") == ["SIGTERM"]
    for line in [*commands_of(f"`{command[-1]}`"), *re.findall(r"muge-fast board [^;\n]+", command[-1] + comments)]:
        check_command(line.strip())


def test_a_container_gets_all_sources_and_nothing_that_was_built():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    patterns = [line for line in ignored if line and not line.startswith("#")]
    assert {pattern.removeprefix("**/") for pattern in patterns} >= BUILT

    def is_ignored(path: str) -> bool:
        parts = path.split("/")
        heads = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        anywhere = [pattern.removeprefix("**/") for pattern in patterns if pattern.startswith("**/")]
        return bool({*heads} & {*patterns}) or any(fnmatch(part, pattern) for part in parts for pattern in anywhere)

    tracked = run("git", "-C", str(ROOT), "ls-files").stdout.splitlines()
    assert len(tracked) > 500
    assert [path for path in tracked if is_ignored(path)] == []
    assert is_ignored("target/release/lib_core.so")
    assert is_ignored("python/muge_fast/_core.abi3.so")
