"""Product captions: ECommerce-IC."""

from functools import partial

from muge_fast._internal.field_names import CAPTION
from muge_fast.caption.scoring import score_captions
from muge_fast.datasets.fields import Text, TextList
from muge_fast.tasks.task import Task, score_probe, unofficial_options

TOKENS = "tokenizer:muge"

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
    main_metric="cider_d",
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
)
