"""Product captions: ECommerce-IC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from muge_fast._internal.field_names import CAPTION
from muge_fast.caption.options import METRICS
from muge_fast.caption.scoring import Captions, score_captions
from muge_fast.datasets.fields import Text, TextList
from muge_fast.scores import Scores
from muge_fast.tasks.task import Task, score_probe, unofficial_options

TOKENS = "tokenizer:muge"
# Options of muge_fast.Captions; all others are those of its method `score`.
OF_REFERENCES = ("tokenizer", "user_dict", "document_frequency")


def prepare_references(
    references: Mapping[str, list[str]], options: Mapping[str, Any]
) -> Callable[[Mapping[str, str]], Scores]:
    """Tokenize and count references once, to score many submissions.

    Args:
        references: Captions of each item.
        options: Options of :func:`muge_fast.score_captions`.

    Returns:
        A function of a caption for each item that returns the scores of :func:`muge_fast.score_captions`.

    Example:
        >>> from muge_fast.tasks.caption import prepare_references
        >>> score = prepare_references({"a": ["红裙"], "b": ["黑鞋"]}, {"metrics": ["rouge_l"]})
        >>> score({"a": "红裙", "b": "黑鞋"})["rouge_l"].value
        1.0

    """
    of_both = {name: value for name, value in options.items() if name == "threads"}
    of_references = {name: value for name, value in options.items() if name in OF_REFERENCES}
    of_scores = {name: value for name, value in options.items() if name not in OF_REFERENCES}
    captions = Captions(references, **of_references, **of_both)
    if len(captions) > 1:
        # The first call counts n-grams. It must be here, for what processes that are forked count is lost with them.
        captions.score([""], ids=captions.ids[:1], **of_scores)
    return partial(captions.score, **of_scores)


TASK = Task(
    name="caption",
    title="Product captions (ECommerce-IC)",
    title_zh="商品图像描述（ECommerce-IC）",
    fields=(CAPTION,),
    id=Text(),
    gold=TextList(),
    submission=Text(),
    score=score_captions,
    main="cider_d",
    lower_is_better=(),
    main_metric="cider_d",
    option_choices={"metrics": METRICS},
    official={"cider_d": "cider_d", "bleu4": "bleu", "rouge_l": "rouge_l"},
    unofficial=partial(
        unofficial_options,
        {
            "cider_d": f"n:4|sigma:6|document_frequency:references|{TOKENS}",
            "bleu": f"order:4|smoothing:tiny|effective_order:no|{TOKENS}",
            "rouge_l": f"beta:1.2|{TOKENS}",
        },
    ),
    check_values=partial(score_probe, score_captions, {1: "红裙", 2: "黑鞋"}, {1: ["红裙"], 2: ["黑鞋"]}),
    prepare=prepare_references,
)
