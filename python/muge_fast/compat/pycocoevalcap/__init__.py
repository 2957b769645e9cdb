"""Drop-in for pycocoevalcap 1.2 and for ``CiderD`` of github.com/ruotianluo/cider: the same results without Java.

Only the import changes::

    from muge_fast.compat.pycocoevalcap import Bleu, Cider, CiderD, COCOEvalCap, Meteor, PTBTokenizer, Rouge

or nothing, after :func:`install`, which makes ``import pycocoevalcap`` give these classes.

``gts`` is a dictionary with a list of references for each id, ``res`` one with a list of exactly one caption for each
id. Captions are tokenized text: :class:`Bleu`, :class:`Cider` and :class:`CiderD` split it at white space,
:class:`Rouge` at each single space; :class:`Meteor` normalizes it. Values (to the last bit), types, printed lines and
exceptions are those of the originals, including the peculiarities that each class documents. An ``AssertionError``
reports ids that differ, or an id without exactly one caption and at least one reference.

Chinese text must be cut first, as by ``' '.join(tokens)`` of :func:`muge_fast.tokenize`: text without spaces is one
token, which no other caption has, so scores are 0. A ``UserWarning`` says so.

There are three other differences: a caption that is not a string is a ``TypeError`` that names it, a lone surrogate is
a ``ValueError`` that names it, and input is also checked under ``python -O``.
"""

from muge_fast.compat.pycocoevalcap.bleu import Bleu
from muge_fast.compat.pycocoevalcap.bleu_scorer import BleuScorer
from muge_fast.compat.pycocoevalcap.cider import Cider, CiderD
from muge_fast.compat.pycocoevalcap.cider_scorer import CiderScorer
from muge_fast.compat.pycocoevalcap.evaluation import COCOEvalCap
from muge_fast.compat.pycocoevalcap.installing import install
from muge_fast.compat.pycocoevalcap.meteor import Meteor
from muge_fast.compat.pycocoevalcap.ptb_tokenizer import PTBTokenizer
from muge_fast.compat.pycocoevalcap.rouge import Rouge
from muge_fast.compat.pycocoevalcap.spice import Spice

__all__ = [
    "Bleu",
    "BleuScorer",
    "COCOEvalCap",
    "Cider",
    "CiderD",
    "CiderScorer",
    "Meteor",
    "PTBTokenizer",
    "Rouge",
    "Spice",
    "install",
]
