"""Settings of the Python tests."""

import os
import shutil
import sys

import pytest
from hypothesis import HealthCheck, settings

import muge_fast as mf

# Workers of pytest-xdist share the cores. With one torch thread per core in every worker, a quarter of the time would
# go into waiting for locks. torch reads the variable when it is imported, here and in processes that tests start.
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

# A script that writes recorded values, with no tests.
collect_ignore = ["golden"]

# Shared machines are slow at times, so there is no deadline. `--hypothesis-profile slow` tries more, and new, inputs.
settings.register_profile("fast", deadline=None, max_examples=100, derandomize=True)
settings.register_profile("slow", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fast")

LEVELS = ["portable", "avx2", "avx-vnni", "avx512bw", "avx512-vnni", "neon", "neon-dotprod"]


def has_level(level):
    """Return whether this CPU has a level: asking for one that it lacks is an error."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("MUGE_FAST_CPU", level)
        try:
            return mf.cpu_level() == level
        except ValueError as error:
            if f"does not have {level}" not in str(error):
                raise
            return False


AVAILABLE = [level for level in LEVELS if has_level(level)]
MISSING = [level for level in LEVELS if level not in AVAILABLE]
UNTESTED = f"CPU levels not tested on this machine: {', '.join(MISSING) or 'none'}"


def pytest_report_header():
    """Name the CPU levels that this run does not reach."""
    return f"muge_fast: {UNTESTED}"


def pytest_terminal_summary(terminalreporter, config):
    """Name them in quiet runs too, which have no header."""
    if MISSING and config.get_verbosity() < 0:
        terminalreporter.write_line(f"muge_fast: {UNTESTED}")


def pytest_collection_modifyitems(items):
    """Mark the tests that run the Inception network as slow."""
    for item in items:
        if "weights" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=AVAILABLE)
def level(request, monkeypatch):
    """Run a test once at each CPU level that this CPU has."""
    monkeypatch.setenv("MUGE_FAST_CPU", request.param)
    assert mf.cpu_level() == request.param
    return request.param


@pytest.fixture(params=["int8", "float"])
def coarse(request, monkeypatch):
    """Run a test once with each number format of the coarse scores of top-k searches, at any CPU level."""
    monkeypatch.setenv("MUGE_FAST_COARSE", request.param)
    return request.param


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Path of an Inception checkpoint in the published format, with random weights."""
    torch = pytest.importorskip("torch")
    from muge_fast.image.extractors.networks import random_weights  # noqa: PLC0415 - it imports torch

    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(random_weights(5), path)
    return path


@pytest.fixture(params=["openvino", "torch"])
def engine(request, monkeypatch):
    """Name of the engine that runs networks on a CPU: OpenVINO, or plain torch because OpenVINO is not installed."""
    if request.param == "openvino":
        pytest.importorskip("openvino")
    else:
        monkeypatch.setitem(sys.modules, "openvino", None)
    return request.param


@pytest.fixture
def passes(engine, monkeypatch):
    """Numbers of images of each pass through a network, by either engine."""
    from torch import Tensor  # noqa: PLC0415 - an optional package

    from muge_fast.image.extractors import cpu_engine, networks  # noqa: PLC0415 - imports torch

    counts = []
    passing, name = (networks.Inception, "forward") if engine == "torch" else (cpu_engine.CompiledGraph, "run")
    original = getattr(passing, name)

    def counted(self, x, *outputs):
        # The network is also called to record its operations, without images.
        if isinstance(x, Tensor):
            counts.append(len(x))
        return original(self, x, *outputs)

    monkeypatch.setattr(passing, name, counted)
    return counts


# Databases of the leaderboard


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """Path of a database file with the tables and no rows."""
    from leaderboard_boards import make_sqlite_template  # noqa: PLC0415 - it needs an extra

    return make_sqlite_template(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_server():
    """Start a server of PostgreSQL for the tests of this process."""
    from leaderboard_boards import running_server  # noqa: PLC0415 - it needs an extra

    with running_server() as server:
        if server is None:
            pytest.skip("PostgreSQL is not tested: there is no initdb in /usr/lib/postgresql/*/bin")
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    """Address of an empty database, in SQLite and in PostgreSQL."""
    if request.param == "sqlite":
        return str(shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "board.sqlite"))
    return request.getfixturevalue("postgresql_server").emptied_database()


@pytest.fixture
def board(address):
    """Open a board with a task, an evaluator, two teams and a clock that stands still."""
    from leaderboard_boards import Board  # noqa: PLC0415 - it needs an extra

    opened = Board(address)
    yield opened
    opened.database.close()


@pytest.fixture
def site(tmp_path, sqlite_template, monkeypatch):
    """Open a site with two teams, an organizer and plain pages, on SQLite."""
    from leaderboard_sites import TestSite, fast_hashes  # noqa: PLC0415 - it needs an extra

    fast_hashes(monkeypatch)
    shutil.copy(sqlite_template, tmp_path / "board.sqlite")
    opened = TestSite(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def client(site):
    """Open a client of the site, which follows no redirects."""
    with site.client() as opened:
        yield opened


# Storages of files of the leaderboard


@pytest.fixture(scope="session")
def moto_server():
    """Serve a bucket by Moto, which checks keys and signatures."""
    pytest.importorskip("moto.server", reason="S3 is not tested with Moto: it is not installed")
    from moto_storage import serving_moto  # noqa: PLC0415 - it needs Moto

    with serving_moto() as bucket:
        yield bucket


@pytest.fixture
def moto(moto_server, monkeypatch):
    """Set the environment of the bucket, which is empty."""
    import obstore  # noqa: PLC0415 - it needs an extra

    from muge_fast.leaderboard.blobs.object_storage import open_bucket  # noqa: PLC0415 - it needs an extra

    for name, value in moto_server.environment.items():
        monkeypatch.setenv(name, value)
    store = open_bucket(f"s3://{moto_server.name}")._store
    for batch in obstore.list(store):
        obstore.delete(store, [meta["path"] for meta in batch])
    return moto_server


@pytest.fixture
def replaced_pycocoevalcap():
    """Replace pycocoevalcap by the package of the same names, and restore it."""
    from muge_fast.compat.pycocoevalcap import install  # noqa: PLC0415 - few tests need it

    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "pycocoevalcap"}
    install()
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "pycocoevalcap"]:
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture(scope="module")
def one_torch_thread():
    """Compute such small matrices on one thread: others mostly wait for each other."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
