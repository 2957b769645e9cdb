"""Image retrieval by text: MUGE Multimodal Retrieval, with the field names of MUGE or of Chinese-CLIP."""

from functools import partial

from muge_fast._internal.field_names import QUERY_TEXTS, RETRIEVAL
from muge_fast.datasets.fields import Integer, IntegerList
from muge_fast.retrieval.scoring import score_retrieval
from muge_fast.tasks.task import Task, score_probe, unofficial_options

TASK = Task(
    name="retrieval",
    title="Image retrieval by text (Multimodal Retrieval)",
    title_zh="图文检索（Multimodal Retrieval）",
    fields=RETRIEVAL,
    id=Integer(),
    gold=IntegerList(),
    submission=IntegerList(count=10),
    text_fields=QUERY_TEXTS,
    score=score_retrieval,
    main="mean_recall",
    main_metric="recall",
    official={"mean_recall": "mean_recall", "r1": "recall@1", "r5": "recall@5", "r10": "recall@10"},
    has_pool=True,
    strict_lines=True,
    unofficial=partial(unofficial_options, {"mean_recall": "ks:1,5,10"}),
    check_values=partial(score_probe, score_retrieval, {1: [2]}, {1: [2]}),
)
