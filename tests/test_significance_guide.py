"""The examples of docs/significance.md run and print what the page shows."""

import doctest
import re

from source_files import ROOT, read

GUIDE = ROOT / "docs" / "significance.md"


def test_examples_print_what_the_page_shows():
    code = "\n".join(re.findall(r"```pycon\n(.*?)```", read(GUIDE), re.DOTALL))
    assert code.count(">>>") > 15
    examples = doctest.DocTestParser().get_doctest(code, {}, "significance.md", str(GUIDE), 0)
    results = doctest.DocTestRunner().run(examples)
    assert results.failed == 0
