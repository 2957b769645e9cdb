"""Modules with the names of pycocoevalcap's, for programs that import it."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from muge_fast.compat.pycocoevalcap.bleu import Bleu
from muge_fast.compat.pycocoevalcap.bleu_scorer import BleuScorer
from muge_fast.compat.pycocoevalcap.cider import Cider
from muge_fast.compat.pycocoevalcap.cider_scorer import CiderScorer
from muge_fast.compat.pycocoevalcap.evaluation import COCOEvalCap
from muge_fast.compat.pycocoevalcap.meteor import Meteor
from muge_fast.compat.pycocoevalcap.ptb_tokenizer import PTBTokenizer
from muge_fast.compat.pycocoevalcap.rouge import Rouge
from muge_fast.compat.pycocoevalcap.spice import Spice

PACKAGE = "pycocoevalcap"

CONTENTS: dict[str, tuple[type, ...]] = {
    "bleu.bleu": (Bleu, BleuScorer),
    "bleu.bleu_scorer": (BleuScorer,),
    "cider.cider": (Cider, CiderScorer),
    "cider.cider_scorer": (CiderScorer,),
    "meteor.meteor": (Meteor,),
    "rouge.rouge": (Rouge,),
    "spice.spice": (Spice,),
    "tokenizer.ptbtokenizer": (PTBTokenizer,),
    "eval": (PTBTokenizer, Bleu, Meteor, Rouge, Cider, Spice, COCOEvalCap),
}
"""The classes of each module."""


def install() -> None:
    """Make ``import pycocoevalcap`` and its modules give the classes of this package, in this process.

    Call it before a program imports pycocoevalcap: names that were imported before stay what they are. The package
    itself need not be installed, but has the data of METEOR and the rules of ``PTBTokenizer``. Processes that the
    program starts by ``spawn`` must call it too.

    Example:
        >>> from muge_fast.compat.pycocoevalcap import install
        >>> import sys
        >>> before = dict(sys.modules)
        >>> install()
        >>> from pycocoevalcap.cider.cider import Cider
        >>> Cider.__module__
        'muge_fast.compat.pycocoevalcap.cider'
        >>> for name in set(sys.modules) - set(before):
        ...     del sys.modules[name]
        >>> sys.modules.update(before)

    """
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    root = _add_module(PACKAGE, is_package=True)
    root.__version__ = "1.2"  # type: ignore[attr-defined]
    for name, classes in CONTENTS.items():
        package, _, _ = name.rpartition(".")
        if package and f"{PACKAGE}.{package}" not in sys.modules:
            _add_module(f"{PACKAGE}.{package}", is_package=True)
        module = _add_module(f"{PACKAGE}.{name}", is_package=False)
        for item in classes:
            setattr(module, item.__name__, item)


def _add_module(name: str, *, is_package: bool) -> ModuleType:
    module = ModuleType(name, f"Stands for {name}: see muge_fast.compat.pycocoevalcap.install.")
    module.__spec__ = ModuleSpec(name, None, is_package=is_package)
    if is_package:
        # A package without folders: other modules of this name are not found.
        module.__path__ = []
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
    return module
