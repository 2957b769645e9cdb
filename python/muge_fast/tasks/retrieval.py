"""Image retrieval by text, MUGE Multimodal Retrieval, in the forms of MUGE and of Chinese-CLIP."""

from muge_fast.retrieval.scoring import score_retrieval
from muge_fast.tasks.task import Form, Ids, Integer, Task

TASK = Task(
    name="retrieval",
    title="Image retrieval by text (Multimodal Retrieval)",
    title_zh="图文检索（Multimodal Retrieval）",
    forms=(Form("query_id", "item_ids"), Form("text_id", "image_ids"), Form("image_id", "text_ids")),
    id=Integer(),
    gold=Ids(),
    submission=Ids(count=10),
    optional=("query_text", "text"),
    score=score_retrieval,
    main="mean_recall",
    official={"mean_recall": "mean_recall", "r1": "recall@1", "r5": "recall@5", "r10": "recall@10"},
    pool=True,
)
