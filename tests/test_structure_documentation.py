"""Documentation: docstrings of all public modules, and docs/api.md."""

import importlib
import inspect
import re

import pytest

import muge_fast as mf
from muge_fast.text.tokenizers import TOKENIZERS
from source_files import ROOT, read

MODULES = {
    "muge_fast": "NumPy",
    "muge_fast.caption": "NumPy",
    "muge_fast.comparison": "NumPy",
    "muge_fast.compat.chinese_clip": "NumPy",
    "muge_fast.compat.pycocoevalcap": "NumPy",
    "muge_fast.compat.sacrebleu": "NumPy",
    "muge_fast.datasets": "NumPy",
    "muge_fast.evaluation": "NumPy",
    "muge_fast.features": "NumPy",
    "muge_fast.image": "NumPy",
    "muge_fast.image.extractors": "torch",
    "muge_fast.integrations.evaluate": "NumPy",
    "muge_fast.integrations.lmms_eval": "NumPy",
    "muge_fast.integrations.ray": "ray",
    "muge_fast.integrations.torchmetrics": "torch",
    "muge_fast.integrations.transformers": "NumPy",
    "muge_fast.models": "NumPy",
    "muge_fast.retrieval": "NumPy",
    "muge_fast.scores": "NumPy",
    "muge_fast.tasks": "NumPy",
    "muge_fast.text": "NumPy",
    "muge_fast.vqa": "NumPy",
}

# Names and signatures of these are those of other packages.
DROP_INS = ("muge_fast.compat.pycocoevalcap", "muge_fast.compat.chinese_clip")

# Options that may be given by position, and why.
METHODS = ("", ".from_state", ".load")
EXTRACTOR = {"extractor": "the first argument, as torchmetrics has it"}
POSITIONAL: dict[str, dict[str, str]] = {
    "tokenize": {"tokenizer": "calls name the texts and the tokenizer, in this order"},
    "preprocess": {"protocol": "calls name the images and the protocol, in this order"},
    "InceptionExtractor": {"weights": "the file that the extractor is made from"},
    "ImageTsvDataset": {"transform": "the second argument, as torchvision has it"},
    "Comparison.plot": {"metric": "the value that is plotted, as torchmetrics has it"},
    "sign_flip_test": {"b": "the scores of the second system, as in tests of SciPy"},
}
POSITIONAL["Score.interval"] = dict.fromkeys(("level", "method", "resamples", "seed"), "short calls: interval(0.9)")
POSITIONAL["paired_test"] = dict.fromkeys(("test", "samples", "seed", "numpy"), "a replacement, as other DROP_INS")
POSITIONAL["compare"] = {"metrics": "the second question after the systems"}
POSITIONAL["sign_flip_test"] = {"b": "the scores of the second system"}
POSITIONAL |= {
    name: {"tokenizer": "what a metric of captions depends on"} for name in ("CIDErD", "CIDEr", "BLEU", "ROUGEL")
}
TORCHMETRICS = (
    "BLEU",
    "CIDEr",
    "CIDErD",
    "CLIPScore",
    "FID",
    "InceptionScore",
    "KID",
    "METEOR",
    "ROUGEL",
    "RetrievalRecall",
)
POSITIONAL |= {f"{name}.plot": dict.fromkeys(("val", "ax"), "as torchmetrics has them") for name in TORCHMETRICS}
POSITIONAL["RetrievalRecall"] = {"k": "the number after the at sign"}
POSITIONAL["RetrievalRecall.update"] = {"item_ids": "tensors of one batch"}
POSITIONAL["CLIPScore"] = {"model": "the first argument, as torchmetrics has it"}
POSITIONAL |= {name + method: EXTRACTOR for name in ("FID", "KID", "InceptionScore") for method in METHODS}


def load(module: str):
    if MODULES[module] != "NumPy":
        pytest.importorskip(MODULES[module])
    return importlib.import_module(module)


def public_names(module: str) -> list[str]:
    """Return the public names of a module without the sub-modules among them."""
    loaded = load(module)
    return [
        name for name in loaded.__all__ if not name.startswith("__") and not inspect.ismodule(getattr(loaded, name))
    ]


def members(cls: type) -> dict[str, object]:
    """Return the public methods and properties of a class that this package defines, inherited ones included."""
    bases = [base for base in reversed(cls.__mro__) if base.__module__.startswith("muge_fast")]
    return {name: value for base in bases for name, value in vars(base).items() if not name.startswith("_")}


def functions(name: str, value: object):
    """Yield the function of a name, or the constructor, methods and class methods of a class, each with its name."""
    if not inspect.isclass(value):
        yield from [(name, value)] if callable(value) else []  # Not a constant.
        return
    for key, member in members(value).items():
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if inspect.isfunction(function):
            yield f"{name}.{key}", function


def parameters(function: object) -> list[inspect.Parameter]:
    return [made for name, made in inspect.signature(function).parameters.items() if name not in ("self", "cls")]


def section(documentation: str, title: str) -> str:
    """Return the text of a section such as ``Args:``, without its title; empty if there is none."""
    found = re.search(rf"^{title}:\n((?:[ \t]+.*\n?|\n)*)", documentation, re.MULTILINE)
    return inspect.cleandoc(found[1]) if found else ""


def entries(documentation: str, title: str) -> set[str]:
    return set(re.findall(r"^(\w+)(?: \([^)]*\))?: ", section(documentation, title), re.MULTILINE))


def flaws(name: str, function: object) -> list[str]:
    """Return what a function's docstring lacks."""
    documentation = inspect.getdoc(function) or ""
    flaws = []
    if not re.match(r"[A-Z][^\n]*(\n[^\n]+)?\.(\n|$)", documentation):
        flaws.append("no first sentence")
    names = [parameter.name for parameter in parameters(function)]
    if missing := [name for name in names if name not in entries(documentation, "Args")]:
        flaws.append(f"no Args of {', '.join(missing)}")
    if unknown := entries(documentation, "Args") - set(names):
        flaws.append(f"Args of {', '.join(sorted(unknown))}, which are not parameters")
    returned = inspect.signature(function).return_annotation
    if names and returned not in (None, "None", "Never", "NoReturn") and not returns(documentation):
        flaws.append("no Returns")
    return [f"{name}: {flaw}" for flaw in flaws]


def returns(documentation: str) -> bool:
    return bool(section(documentation, "Returns") or section(documentation, "Yields"))


@pytest.mark.parametrize("module", MODULES)
def test_public_modules_list_their_names(module):
    loaded = load(module)
    assert loaded.__doc__
    assert len(set(loaded.__all__)) == len(loaded.__all__)
    assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_public_functions_are_documented(module):
    loaded = load(module)
    pairs = [pair for name in public_names(module) for pair in functions(name, getattr(loaded, name))]
    assert [flaw for pair in pairs for flaw in flaws(*pair)] == []


@pytest.mark.parametrize("module", MODULES)
def test_public_classes_document_their_parameters_and_properties(module):
    loaded = load(module)
    wrong = []
    for name in public_names(module):
        cls = getattr(loaded, name)
        if not inspect.isclass(cls) or issubclass(cls, BaseException):
            continue
        documentation = inspect.getdoc(cls) or ""
        documented = entries(documentation, "Args") | entries(documentation, "Attributes")
        if not is_protocol(cls):
            wrong += [f"{name}({p.name})" for p in parameters(cls) if p.name not in documented and p.name[0] != "_"]
        properties = {key: value for key, value in members(cls).items() if isinstance(value, property)}
        wrong += [
            f"{name}.{key}" for key, value in properties.items() if not re.match(r"[A-Z].*\.", value.__doc__ or "")
        ]
    assert wrong == []


def is_protocol(cls: type) -> bool:
    return getattr(cls, "_is_protocol", False)


@pytest.mark.parametrize("module", MODULES)
def test_public_names_have_an_example(module):
    loaded = load(module)
    assert [name for name in public_names(module) if not has_example(getattr(loaded, name))] == []


def has_example(value: object) -> bool:
    if not callable(value):
        return True  # A constant.
    documented = [value, *(members(value).values() if inspect.isclass(value) else ())]
    return any(">>>" in (inspect.getdoc(member) or "") for member in documented)


@pytest.mark.parametrize("module", [module for module in MODULES if module not in DROP_INS])
def test_options_are_keyword_only(module):
    loaded = load(module)
    wrong = []
    for name in public_names(module):
        value = getattr(loaded, name)
        callables = dict(functions(name, value)) | ({name: value} if is_constructed_by_users(value) else {})
        for qualified, function in callables.items():
            allowed = POSITIONAL.get(qualified, {})
            wrong += [
                f"{qualified}({p.name})"
                for p in parameters(function)
                if is_positional_option(p) and p.name not in allowed
            ]
    assert wrong == []


def is_positional_option(parameter: inspect.Parameter) -> bool:
    return parameter.default is not parameter.empty and parameter.kind is not parameter.KEYWORD_ONLY


def is_constructed_by_users(value: object) -> bool:
    """Return whether a class takes options: results and records, which the library makes, have fields."""
    records = (mf.Score, mf.Scores, mf.DocumentFrequency)
    is_record = hasattr(value, "__dataclass_fields__") or hasattr(value, "_fields") or value in records
    return inspect.isclass(value) and not is_record and not is_protocol(value) and not issubclass(value, BaseException)


# docs/api.md


def api_lines() -> dict[str, dict[str, str]]:
    """Read docs/api.md: module -> name -> description."""
    modules: dict[str, dict[str, str]] = {}
    for line in read(ROOT / "docs" / "api.md").splitlines():
        if title := re.fullmatch(r"## `([\w.]+)`.*", line):
            names = modules.setdefault(title[1], {})
        elif entry := re.fullmatch(r"\| `(\w+)(?:\([^`]*\))?` \| (.+) \|", line):
            assert entry[1] not in names, line
            names[entry[1]] = entry[2]
    return modules


def test_the_list_of_the_api_has_every_module():
    assert set(api_lines()) == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_the_list_of_the_api_has_every_public_name_and_no_other(module):
    assert set(api_lines()[module]) == set(public_names(module))


def test_the_tokenizers_in_the_documentation_are_those_of_the_core():
    documented = re.findall(r'``"([^"`]+)"``', mf.tokenize.__doc__ or "")
    assert tuple(dict.fromkeys(documented)) == TOKENIZERS
    readme = re.search(r"Tokenizers: (.*?)or any function", read(ROOT / "README.md"), re.DOTALL)[1]
    assert tuple(re.findall(r"`(\w+)`", readme)) == TOKENIZERS


# Paths in the documents

DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md")]
)


@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if path.name != "CHANGELOG.md"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_files_named_in_documents_exist(path):
    named = re.findall(r"`((?:\.?\w[\w.-]*/)+[\w.-]*)`|\]\(([^):#]+)\)", read(path))
    bases = (ROOT, path.parent, ROOT / "python" / "muge_fast", ROOT / "rust" / "src")
    links = [name or link for name, link in named]
    ours = [link for link in links if link.split("/")[0] in FOLDERS or link.endswith((".py", ".rs", ".md"))]
    assert [link for link in ours if not any((base / link).exists() for base in bases)] == []


FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in (".git", ".venv", "target")}
FOLDERS |= {path.name for path in (ROOT / "python" / "muge_fast").iterdir() if path.is_dir()}


@pytest.mark.parametrize(
    "path", ["docs/inputs.md", "docs/leaderboard-threats.md", "docs/verdicts.md", "docs/exactness.md", "SECURITY.md"]
)
def test_tests_named_in_documents_exist(path):
    named = re.findall(r"`(?:tests/)?(test_\w+\.py)(?:::(\w+))?`", read(ROOT / path))
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / "tests" / file).exists() or (test and f"def {test}(" not in read(ROOT / "tests" / file))
    ]
    assert missing == []
