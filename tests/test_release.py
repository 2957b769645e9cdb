"""What is checked before a release: wheels, versions and dates, known faults of dependencies."""

import json
import struct
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import audit
import check_release
from check_release import find_problems, next_steps
from check_wheel import MAX_BYTES, check_content

TODAY = date(2026, 3, 1)
MACHINES = {"x86_64": 62, "aarch64": 183}
MACOS = {"x86_64": 0x01000007, "arm64": 0x0100000C}
WINDOWS = {"amd64": 0x8664, "arm64": 0xAA64}


def elf(machine: str = "x86_64", symbols: bytes = b"GLIBC_2.17") -> bytes:
    return b"\x7fELF" + bytes(14) + struct.pack("<H", MACHINES[machine]) + b"\0" + symbols + b"\0"


def mach_o(machine: str) -> bytes:
    return b"\xcf\xfa\xed\xfe" + struct.pack("<I", MACOS[machine]) + bytes(16)


def pe(machine: str) -> bytes:
    return b"MZ" + bytes(58) + struct.pack("<I", 128) + bytes(64) + b"PE\0\0" + struct.pack("<H", WINDOWS[machine])


def make_wheel(
    folder,
    platform,
    extension,
    *,
    abi="cp310-abi3",
    file="_core.abi3.so",
    tags=None,
    content=("py.typed", "_core.pyi", "samples/a"),
):
    path = folder / f"muge_fast-1.0.0-{abi}-{platform}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in content:
            archive.writestr(f"muge_fast/{name}", "")
        archive.writestr(f"muge_fast/{file}", extension)
        lines = [f"Tag: {abi}-{tag}" for tag in tags or platform.split(".")]
        archive.writestr("muge_fast-1.0.0.dist-info/WHEEL", "\n".join(["Wheel-Version: 1.0", *lines]))
    return path


MANYLINUX = "manylinux_2_17_x86_64.manylinux2014_x86_64"


@pytest.mark.parametrize(
    ("platform", "extension", "names"),
    [
        (MANYLINUX, elf(), {}),
        ("manylinux_2_17_aarch64.manylinux2014_aarch64", elf("aarch64"), {}),
        ("musllinux_1_2_x86_64", elf(symbols=b"libc.so"), {}),
        ("musllinux_1_2_aarch64", elf("aarch64", b"libc.so"), {}),
        ("macosx_10_12_x86_64", mach_o("x86_64"), {}),
        ("macosx_11_0_arm64", mach_o("arm64"), {}),
        ("win_amd64", pe("amd64"), {"file": "_core.pyd"}),
        ("win_arm64", pe("arm64"), {"file": "_core.cp314t-win_arm64.pyd", "abi": "cp314-cp314t"}),
        (MANYLINUX, elf(), {"file": "_core.cpython-314t-x86_64-linux-gnu.so", "abi": "cp314-cp314t"}),
    ],
)
def test_wheels_of_each_platform_pass(tmp_path, platform, extension, names):
    check_content(make_wheel(tmp_path, platform, extension, **names))


@pytest.mark.parametrize(
    ("platform", "extension", "names", "problem"),
    [
        (MANYLINUX, elf("aarch64"), {}, "is for the system linux and the processor aarch64"),
        ("macosx_11_0_arm64", mach_o("x86_64"), {}, "is for the system macosx and the processor x86_64"),
        ("macosx_11_0_arm64", pe("arm64"), {}, "is for the system win and the processor arm64"),
        ("win_amd64", pe("arm64"), {"file": "_core.pyd"}, "is for the system win and the processor arm64"),
        (MANYLINUX, b"\x7fELF", {}, "the processor unknown"),
        (MANYLINUX, elf(symbols=f"{Path.home()}/.cargo/a.rs".encode()), {}, r"such as .*/\.cargo/a\.rs;"),
        (MANYLINUX, elf(symbols=b"GLIBC_2.4\0GLIBC_2.28\0GLIBC_2.3.4"), {}, r"needs glibc 2\.28"),
        ("musllinux_1_2_x86_64", elf(), {}, r"needs glibc 2\.17"),
        (MANYLINUX, pe("amd64"), {}, "is for the system win"),
        ("manylinux_2_34_x86_64", elf(), {}, "unknown platform: manylinux_2_34_x86_64"),
        ("linux_x86_64", elf(), {}, "unknown platform: linux_x86_64"),
        (MANYLINUX, elf(), {"tags": ["linux_x86_64"]}, "other tags in its metadata: cp310-abi3-linux_x86_64"),
        (MANYLINUX, elf(), {"abi": "cp311-cp311"}, "is for cp311-cp311"),
        (MANYLINUX, elf(), {"abi": "cp314-cp314t"}, "needs one for its ABI"),
        (MANYLINUX, elf(), {"file": "_core.cpython-314t-x86_64-linux-gnu.so"}, "needs one for its ABI"),
        (MANYLINUX, elf(), {"content": ("_core.pyi", "samples/a")}, r"lacks muge_fast/py\.typed"),
        (MANYLINUX, elf() + bytes(MAX_BYTES), {}, "at most 5,242,880 are allowed"),
    ],
)
def test_wheels_that_would_fail_on_the_machines_of_users_are_refused(tmp_path, platform, extension, names, problem):
    with pytest.raises(SystemExit, match=problem):
        check_content(make_wheel(tmp_path, platform, extension, **names))


def test_wheels_built_from_source_may_need_a_new_system(tmp_path):
    check_content(make_wheel(tmp_path, "manylinux_2_34_x86_64", elf(symbols=b"GLIBC_2.34")), local=True)
    with pytest.raises(SystemExit, match="aarch64"):
        check_content(make_wheel(tmp_path, "linux_x86_64", elf("aarch64")), local=True)


LOCKED = '[[package]]\nname = "{name}"\nversion = "1.2.0"\n'
FILES = {
    "Cargo.toml": '[workspace.package]\nversion = "1.2.0"\n\n[workspace.dependencies]\n'
    'muge-fast-core = { path = "rust", version = "1.2.0" }\n',
    "Cargo.lock": "\n".join(LOCKED.format(name=name) for name in ("muge-fast-core", "muge_fast")),
    "CITATION.cff": "cff-version: 1.2.0\nversion: 1.2.0\ndate-released: 2026-02-28\n",
    "CHANGELOG.md": "# Changelog\n\n## 1.2.0 - 2026-02-28\n\n### Added\n\n- A metric.\n\n## 1.1.0 - 2026-01-01\n\n- B",
    "pyproject.toml": '[project]\nname = "muge-fast"\ndynamic = ["version"]\n\n[tool.x]\nversion = "9"\n',
}


def run_git(root, *arguments):
    names = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", root, *names, *arguments], check=True, capture_output=True)  # noqa: S603, S607 - our own commands


@pytest.fixture
def release(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    run_git(tmp_path, "init", "--initial-branch", "main")
    run_git(tmp_path, "add", ".")
    run_git(tmp_path, "commit", "--message", "Begin")
    return tmp_path


def test_a_release_whose_files_agree_has_no_problems_and_says_what_is_next(release):
    assert find_problems(release, TODAY) == []
    assert "git tag --annotate v1.2.0" in next_steps(release)
    tags = subprocess.run(["git", "-C", release, "tag"], check=True, capture_output=True)  # noqa: S603, S607 - our own command
    assert tags.stdout == b""


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        ("Cargo.toml", 'version = "1.2.0"\n\n', 'version = "1.2"\n\n', "Cargo.toml: the version is 1.2, needs three"),
        ("Cargo.toml", 'rust", version = "1.2.0"', 'rust", version = "1.1.0"', "muge-fast-core: the version is 1.1.0"),
        ("Cargo.lock", 'muge_fast"\nversion = "1.2.0"', 'muge_fast"\nversion = "1.1.0"', "Cargo.lock, muge_fast: the"),
        ("Cargo.lock", 'muge-fast-core"', 'other"', "Cargo.lock, muge-fast-core: the version is None"),
        ("CITATION.cff", "\nversion: 1.2.0", "\nversion: 1.1.0", "CITATION.cff: the version is 1.1.0, not 1.2.0"),
        ("CITATION.cff", "02-28", "02-27", "CITATION.cff: date-released is 2026-02-27, not 2026-02-28"),
        ("CHANGELOG.md", "## 1.2.0 -", "## 1.3.0 -", "CHANGELOG.md, first heading: the version is 1.3.0, not 1.2.0"),
        ("CHANGELOG.md", " - 2026-02-28", "", "the heading has no date: write ## 1.2.0 - 2026-03-01"),
        ("CHANGELOG.md", "2026-02-28", "28.2.2026", "the date 28.2.2026 is not written as in ## 1.2.0 - 2026-03-01"),
        ("CHANGELOG.md", "2026-02-28", "20260228", "the date 20260228 is not written as in ## 1.2.0 - 2026-03-01"),
        ("CHANGELOG.md", "2026-02-28", "2026-03-02", "the date 2026-03-02 is in the future: write 2026-03-01"),
        ("CHANGELOG.md", "- A metric.\n", "", "the section 1.2.0 lists no change"),
        ("CHANGELOG.md", "## ", "### ", "there is no heading with a version"),
        ("pyproject.toml", 'dynamic = ["version"]', 'version = "1.1.0"', "pyproject.toml: the version is 1.1.0"),
    ],
)
def test_files_that_disagree_about_a_release_are_named(release, name, old, new, problem):
    assert old in FILES[name]
    (release / name).write_text(FILES[name].replace(old, new), encoding="utf-8")
    run_git(release, "commit", "--all", "--message", "Change")
    problems = find_problems(release, TODAY)
    assert any(problem in found for found in problems), problems


def test_a_first_run_names_all_that_is_to_be_written(release, monkeypatch, capsys):
    for name, dated in (("CHANGELOG.md", " - 2026-02-28"), ("CITATION.cff", "date-released: 2026-02-28\n")):
        (release / name).write_text(FILES[name].replace(dated, ""), encoding="utf-8")
    run_git(release, "commit", "--all", "--message", "Change")
    problems = [
        "CHANGELOG.md: the heading has no date: write ## 1.2.0 - 2026-03-01",
        "CITATION.cff: there is no date-released: write date-released: 2026-03-01",
    ]
    assert find_problems(release, TODAY) == problems
    monkeypatch.setattr(check_release, "ROOT", release)
    monkeypatch.setattr(sys, "argv", ["check_release.py", "--next"])
    assert check_release.main() == 1
    printed = capsys.readouterr().out
    assert printed.startswith(
        "Version 1.2.0 cannot be released yet, and nothing else was checked:\n  1. CHANGELOG.md: "
    )
    assert printed.endswith("Then commit, and run `make release` again.\n")


def test_changes_that_are_not_committed_and_tags_that_exist_are_problems(release):
    (release / "new.txt").write_text("", encoding="utf-8")
    assert find_problems(release, TODAY) == [
        "git: there are changes that are not committed: new.txt: commit or remove them"
    ]
    (release / "new.txt").unlink()
    run_git(release, "tag", "v1.2.0")
    assert find_problems(release, TODAY) == ["git: the tag v1.2.0 exists already: raise the version in Cargo.toml"]


def package(**fields):
    return {"name": "numpy", "version": "1.0", **fields}


FAULT = package(vulns=[{"id": "PYSEC-1", "fix_versions": ["1.1"]}])


@pytest.mark.parametrize(
    ("dependencies", "passed", "text"),
    [
        ([package(vulns=[])], True, ""),
        ([FAULT, package(vulns=[])], False, "numpy 1.0: PYSEC-1, fixed in 1.1"),
        ([package(vulns=[]), package(skip_reason="not found")], None, "no answer about 1 of 2: numpy"),
        ([package(skip_reason="not found"), FAULT], False, "PYSEC-1"),
        ([], False, "no packages"),
    ],
)
def test_packages_without_an_answer_are_not_called_sound(dependencies, passed, text):
    result = audit.packages(json.dumps({"dependencies": dependencies}))
    assert result.passed is passed
    assert text in result.text


def test_databases_that_cannot_be_reached_are_said_and_are_errors_where_all_must_be_checked():
    crates = audit.advisories_of_crates("crates", CompletedProcess([], 1, "", "failed to fetch advisory database of x"))
    results = [crates, audit.packages("Traceback …"), *audit.crates(None)]
    assert [result.passed for result in results] == [None] * 4
    assert all("NOT CHECKED" in result.line() for result in results)
    assert "cargo install --locked cargo-deny" in results[2].line()
    assert (audit.exit_code(results, strict=False), audit.exit_code(results, strict=True)) == (0, 1)


def test_faults_of_crates_are_errors():
    result = audit.advisories_of_crates("crates", CompletedProcess([], 1, "", "error[vulnerability]: RUSTSEC-1"))
    assert audit.exit_code([result], strict=False) == 1
    assert result.line() == "crates: FAILED\nerror[vulnerability]: RUSTSEC-1"
