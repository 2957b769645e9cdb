"""Recall@K and other metrics of rankings, as a metric of Hugging Face evaluate."""

import datasets
import evaluate

from muge_fast.retrieval import score_retrieval

DESCRIPTION = "Recall@K and MeanRecall as the MUGE benchmark defines them, and the metrics of rankings of trec_eval."
INPUTS = """
Args:
    predictions: Ranked items of each query, best first: integers, or strings.
    references: Relevant items of each query, of the same type.
    Options of muge_fast.score_retrieval: ks, metrics, threads.

Returns:
    The value of each metric by name, such as recall@1 and mean_recall.
"""
CITATION = "https://tianchi.aliyun.com/muge"


class Retrieval(evaluate.Metric):
    """Scores of rankings.

    Example:
        >>> from muge_fast.integrations.evaluate import path
        >>> metric = evaluate.load(path("retrieval"))  # doctest: +SKIP

    """

    def _info(self) -> evaluate.MetricInfo:
        items = [datasets.Sequence(datasets.Value(name)) for name in ("int64", "string")]
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=[datasets.Features({"predictions": kind, "references": kind}) for kind in items],
        )

    def _compute(
        self, predictions: list[list[int]], references: list[list[int]], **options: object
    ) -> dict[str, float]:
        scores = score_retrieval(predictions, references, **options)  # type: ignore[arg-type] # checked there
        return {name: score.value for name, score in scores.items()}
