"""Visual question answering: one answer in words to each question, of VQA, TextVQA, DocVQA and sets like them."""

from __future__ import annotations

from functools import partial

from muge_fast._internal.field_names import FieldNames
from muge_fast.datasets.fields import Integer, Text, TextList
from muge_fast.tasks.task import Task, score_probe
from muge_fast.vqa.official_files import convert_annotations, convert_results
from muge_fast.vqa.scoring import PROTOCOLS, score_answers

TASK = Task(
    name="vqa",
    title="Visual question answering",
    title_zh="视觉问答",
    fields=(FieldNames("question_id", "answer"),),
    id=Integer(),
    gold=TextList(allow_blank=True),
    submission=Text(allow_blank=True),
    text_fields=("question",),
    group_fields=("question_type", "answer_type"),
    convert_gold=convert_annotations,
    convert_submission=convert_results,
    option_choices={"protocol": PROTOCOLS},
    score=score_answers,
    main="vqa",
    lower_is_better=(),
    official={"vqa": "vqa"},
    check_values=partial(score_probe, score_answers, {1: "红色"}, {1: ["红色"] * 10}),
)
