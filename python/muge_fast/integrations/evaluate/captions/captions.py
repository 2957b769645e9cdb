"""CIDEr-D, CIDEr, BLEU and ROUGE-L of captions, as a metric of Hugging Face evaluate."""

import datasets
import evaluate

from muge_fast.caption import score_captions

DESCRIPTION = "Metrics of captions with the numbers of pycocoevalcap, and tokenizers for Chinese."
INPUTS = """
Args:
    predictions: One caption for each item.
    references: One caption or a list of captions for each item.
    Options of muge_fast.score_captions: metrics, tokenizer, smoothing, sigma, document_frequency, threads and others.

Returns:
    The value of each metric by name.
"""
CITATION = """
@inproceedings{vedantam2015cider,
  title={CIDEr: Consensus-based Image Description Evaluation},
  author={Vedantam, Ramakrishna and Zitnick, C. Lawrence and Parikh, Devi},
  booktitle={CVPR},
  year={2015}
}
"""


class Captions(evaluate.Metric):
    """Scores of captions.

    Example:
        >>> from muge_fast.integrations.evaluate import path
        >>> metric = evaluate.load(path("captions"))  # doctest: +SKIP

    """

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=[
                datasets.Features({"predictions": text, "references": datasets.Sequence(text)}),
                datasets.Features({"predictions": text, "references": text}),
            ],
        )

    def _compute(
        self, predictions: list[str], references: list[str | list[str]], **options: object
    ) -> dict[str, float]:
        texts = [[item] if isinstance(item, str) else item for item in references]
        scores = score_captions(predictions, texts, **options)  # type: ignore[arg-type] # checked there
        return {name: score.value for name, score in scores.items()}
