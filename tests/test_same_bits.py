"""The hashes that the core is compared with on each platform are those of the references, and of this package."""

import json
import sys

import pytest

from source_files import ROOT, read

sys.path.insert(0, str(ROOT / "tests" / "golden"))
import check_same_bits
import make_same_bits

HASHES = json.loads(read(check_same_bits.FILE))["hashes"]


@pytest.mark.skipif(sys.platform != "linux", reason="logarithms and powers have the bits of the C library")
def test_the_recorded_hashes_are_those_of_the_references():
    assert make_same_bits.compute_hashes() == HASHES


def test_the_package_has_the_recorded_hashes():
    computed = check_same_bits.compute_hashes()
    assert len(computed) == (26 if sys.platform == "linux" else 14)
    assert computed == {name: HASHES[name] for name in computed}


def test_other_bits_than_recorded_are_an_error(monkeypatch):
    monkeypatch.setattr(check_same_bits, "TOKENIZERS", ("char",))
    monkeypatch.setattr(check_same_bits, "K", 9)
    with pytest.raises(SystemExit, match=r"^other bits than recorded: top_k ip, top_k cosine$"):
        check_same_bits.main()
