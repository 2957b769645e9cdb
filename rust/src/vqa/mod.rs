//! Scores of answers to questions about images, each by the rules of one protocol.

mod characters;
mod chinese;
mod contractions;
mod levenshtein;
mod normalize;

use std::cmp::Ordering;

use self::levenshtein::Levenshtein;
use self::normalize::{Rules, collapsed, mixed_tokens, one_line, stripped, unpunctuated, vqa};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;

/// Annotators of a question in the protocol `evalai`.
pub const EVALAI_ANSWERS: usize = 10;

/// Questions in a block of work.
const BLOCK: usize = 256;

/// The rules by which a predicted answer is compared with those of annotators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Accuracy of VQA v1 and v2: `vqaEval.py` of github.com/GT-Vision-Lab/VQA.
    VqaV2,
    /// `TextVQAAccuracyEvaluator` of github.com/facebookresearch/mmf, which `EvalAI` and `lmms-eval` use for `TextVQA`.
    EvalAi,
    /// `vqa_score` of `VLMEvalKit`.
    VlmEvalKit,
    /// Average normalized Levenshtein similarity as the package `anls` 0.0.2 computes it: zero at half the length.
    Anls,
    /// The same as `VLMEvalKit` computes it: one half at half the length.
    AnlsInclusive,
    /// Whether an answer is equal, in lower case.
    Exact,
    /// Whether the prediction contains an answer, as for MTVQA in `VLMEvalKit`.
    Contains,
    /// F1 of Chinese characters and other words, as `mlqa_evaluation_v1.py` computes it for Chinese.
    CharF1,
    /// Whether an answer is equal after a normalization of Chinese, which is that of this crate.
    MugeZh,
}

impl Protocol {
    /// The names, in the order of the variants.
    pub const NAMES: &[&str] =
        &["vqa-v2", "evalai", "vlmevalkit", "anls", "anls-inclusive", "exact", "contains", "char-f1", "muge-zh"];

    /// Return the protocol of a name.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "vqa-v2" => Self::VqaV2,
            "evalai" => Self::EvalAi,
            "vlmevalkit" => Self::VlmEvalKit,
            "anls" => Self::Anls,
            "anls-inclusive" => Self::AnlsInclusive,
            "exact" => Self::Exact,
            "contains" => Self::Contains,
            "char-f1" => Self::CharF1,
            "muge-zh" => Self::MugeZh,
            _ => {
                let found = name.to_owned();
                return Err(Error::UnknownName { parameter: "protocol", found, known: Self::NAMES });
            }
        })
    }

    /// Return a text in the form in which answers are compared.
    pub fn normalize(self, text: &str) -> String {
        match self {
            Self::VqaV2 => vqa(text, Rules { words_first: false, keep_after_digit: false }),
            Self::EvalAi => vqa(text, Rules { words_first: true, keep_after_digit: false }),
            Self::VlmEvalKit => vqa(text, Rules { words_first: false, keep_after_digit: true }),
            Self::Anls | Self::AnlsInclusive => collapsed(text),
            Self::Exact => stripped(text),
            Self::Contains => stripped(text).replace('.', ""),
            Self::CharF1 => unpunctuated(text),
            Self::MugeZh => {
                let mut result = String::new();
                chinese::normalize(&text.to_lowercase(), &mut result);
                result
            }
        }
    }
}

/// Texts by index.
pub trait Texts: Sync {
    /// Number of texts.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Append a text.
    fn append(&self, index: usize, text: &mut String);
}

impl<T: AsRef<str> + Sync> Texts for [T] {
    fn len(&self) -> usize {
        <[T]>::len(self)
    }

    fn append(&self, index: usize, text: &mut String) {
        text.push_str(self[index].as_ref());
    }
}

/// Return the score of each prediction, from 0 to 1. `counts` are the numbers of answers of each question.
///
/// # Errors
/// Different numbers of predictions and questions, a question without answers, or for `evalai` with other than ten;
/// [`Error::Cancelled`], [`Error::Memory`].
pub fn score<T: Texts + ?Sized>(
    protocol: Protocol,
    predictions: &T,
    answers: &T,
    counts: &[usize],
    plan: &Plan,
) -> Result<Vec<f64>> {
    check(protocol, predictions.len(), answers.len(), counts)?;
    let mut starts = memory::with_capacity(counts.len())?;
    let mut start = 0;
    for &count in counts {
        starts.push(start);
        start += count;
    }
    let blocks = plan.map(counts.len(), BLOCK, Scorer::default, |scorer, range| {
        let mut scores = memory::with_capacity(range.len())?;
        for question in range {
            let mut prediction = String::new();
            predictions.append(question, &mut prediction);
            scorer.answers.resize(counts[question], String::new());
            for (index, answer) in scorer.answers.iter_mut().enumerate() {
                answer.clear();
                answers.append(starts[question] + index, answer);
            }
            scores.push(scorer.score(protocol, &prediction, plan)?);
        }
        Ok(scores)
    })?;
    Ok(blocks.concat())
}

fn check(protocol: Protocol, predictions: usize, answers: usize, counts: &[usize]) -> Result<()> {
    if predictions != counts.len() {
        let (left, right) = ("predictions", "references");
        return Err(Error::Unequal { left, left_len: predictions, right, right_len: counts.len() });
    }
    if counts.iter().sum::<usize>() != answers {
        return Err(Error::Lengths("references"));
    }
    if let Some(row) = counts.iter().position(|&count| count == 0) {
        return Err(Error::NoReferences { row });
    }
    match counts.iter().position(|&count| count != EVALAI_ANSWERS) {
        Some(row) if protocol == Protocol::EvalAi => {
            let problem = format!("row {row} has {} answers, evalai needs exactly {EVALAI_ANSWERS}", counts[row]);
            Err(Error::Invalid { parameter: "references", problem })
        }
        _ => Ok(()),
    }
}

/// The answers of a question, and buffers for each thread.
#[derive(Default)]
struct Scorer {
    answers: Vec<String>,
    levenshtein: Levenshtein,
}

impl Scorer {
    fn score(&mut self, protocol: Protocol, prediction: &str, plan: &Plan) -> Result<f64> {
        Ok(match protocol {
            Protocol::VqaV2 => self.official_agreement(prediction),
            Protocol::EvalAi | Protocol::VlmEvalKit => {
                let prediction = self.normalize(protocol, prediction);
                self.agreement(&prediction)
            }
            Protocol::Anls | Protocol::AnlsInclusive => {
                let prediction = self.normalize(protocol, prediction);
                self.similarity(&prediction, protocol == Protocol::AnlsInclusive, plan)?
            }
            Protocol::Exact | Protocol::MugeZh => {
                let prediction = self.normalize(protocol, prediction);
                f64::from(u8::from(self.answers.contains(&prediction)))
            }
            Protocol::Contains => {
                let prediction = self.normalize(protocol, prediction);
                let is_contained = self.answers.iter().any(|answer| prediction.contains(answer.as_str()));
                f64::from(u8::from(is_contained))
            }
            Protocol::CharF1 => {
                let prediction = self.normalize(protocol, prediction);
                self.f1(&prediction)
            }
        })
    }

    /// Normalize the answers, and return the prediction in the same form.
    fn normalize(&mut self, protocol: Protocol, prediction: &str) -> String {
        for answer in &mut self.answers {
            *answer = protocol.normalize(answer);
        }
        protocol.normalize(prediction)
    }

    /// Return the accuracy of VQA v2, which leaves answers as they are if all annotators agree.
    fn official_agreement(&mut self, prediction: &str) -> f64 {
        for answer in &mut self.answers {
            *answer = one_line(answer);
        }
        if self.answers.iter().all(|answer| *answer == self.answers[0]) {
            return self.agreement(&one_line(prediction));
        }
        let prediction = self.normalize(Protocol::VqaV2, prediction);
        self.agreement(&prediction)
    }

    /// Return the mean over annotators of a third for each other annotator with the predicted answer, at most one.
    fn agreement(&self, prediction: &str) -> f64 {
        let count = self.answers.iter().filter(|answer| *answer == prediction).count();
        let mut sum = 0.0;
        for answer in &self.answers {
            let others = count - usize::from(answer == prediction);
            sum += (others as f64 / 3.0).min(1.0);
        }
        sum / self.answers.len() as f64
    }

    /// Return the largest similarity to an answer.
    fn similarity(&mut self, prediction: &str, inclusive: bool, plan: &Plan) -> Result<f64> {
        let prediction: Vec<char> = prediction.chars().collect();
        let mut best = 0.0f64;
        for answer in &self.answers {
            let answer: Vec<char> = answer.chars().collect();
            // The package divides by lengths in upper case, where some characters are two.
            let length =
                if inclusive { prediction.len().max(answer.len()) } else { upper(&prediction).max(upper(&answer)) };
            // The largest distance that is less than half of the length, or half of it.
            let most = if inclusive { length / 2 } else { length.saturating_sub(1) / 2 };
            if let Some(distance) = self.levenshtein.distance(&prediction, &answer, most, plan)? {
                let normalized = if length == 0 { 0.0 } else { distance as f64 / length as f64 };
                best = best.max(1.0 - normalized);
            }
        }
        Ok(best)
    }

    /// Return the largest F1 of tokens.
    fn f1(&self, prediction: &str) -> f64 {
        let mut predicted = Vec::new();
        mixed_tokens(prediction, &mut predicted);
        predicted.sort_unstable();
        let mut expected = Vec::new();
        let mut best = 0.0f64;
        for answer in &self.answers {
            expected.clear();
            mixed_tokens(answer, &mut expected);
            expected.sort_unstable();
            let common = count_common(&predicted, &expected);
            if common > 0 {
                let precision = common as f64 / predicted.len() as f64;
                let recall = common as f64 / expected.len() as f64;
                best = best.max((2.0 * precision * recall) / (precision + recall));
            }
        }
        best
    }
}

/// Return the number of characters of a text in upper case.
fn upper(text: &[char]) -> usize {
    text.iter().map(|c| if c.is_ascii() { 1 } else { c.to_uppercase().count() }).sum()
}

/// Return how many elements two sorted lists share, with repetitions.
fn count_common(left: &[&str], right: &[&str]) -> usize {
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < left.len() && j < right.len() {
        match left[i].cmp(right[j]) {
            Ordering::Less => i += 1,
            Ordering::Greater => j += 1,
            Ordering::Equal => {
                common += 1;
                i += 1;
                j += 1;
            }
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::{Plan, Protocol, score};

    fn one(protocol: &str, prediction: &str, answers: &[&str]) -> f64 {
        let protocol = Protocol::named(protocol).expect("a protocol");
        let plan = Plan::new(Some(1));
        score(protocol, &[prediction][..], answers, &[answers.len()], &plan).expect("valid answers")[0]
    }

    fn annotators(answers: &[(&'static str, usize)]) -> Vec<&'static str> {
        answers.iter().flat_map(|&(answer, count)| vec![answer; count]).collect()
    }

    #[test]
    fn official_accuracy_is_as_recorded() {
        for (answers, prediction, expected) in [
            (annotators(&[("yes", 10)]), "yes", 1.0),
            (annotators(&[("yes", 10)]), "Yes.", 0.0),
            (annotators(&[("red", 3), ("blue", 7)]), "red", 0.9),
            (annotators(&[("red", 4), ("blue", 6)]), "red", 1.0),
            (annotators(&[("red", 1), ("blue", 9)]), "red", 0.3),
            (annotators(&[("red", 2), ("blue", 8)]), "red", 0.6),
            (annotators(&[("2", 5), ("two", 5)]), "Two", 1.0),
            (annotators(&[("none", 3), ("0", 7)]), "none", 1.0),
            (annotators(&[("a dog", 5), ("dog", 5)]), "the dog", 1.0),
            (annotators(&[("no", 9), ("the", 1)]), "", 0.3),
        ] {
            let found = one("vqa-v2", prediction, &answers);
            assert!((found - expected).abs() < 1e-15, "{prediction}: {found}");
        }
        assert_eq!(one("evalai", "Yes.", &["yes"; 10]), 1.0);
    }

    #[test]
    fn similarities_are_as_recorded() {
        assert_eq!(one("anls", "hallo", &["hello"]), 0.8);
        assert_eq!(one("anls", "红裙子", &["红色裙子"]), 0.75);
        assert_eq!(one("anls", "ab", &["abcd"]), 0.0);
        assert_eq!(one("anls-inclusive", "ab", &["abcd"]), 0.5);
        assert_eq!(one("anls", "xyz", &["abc", "xyz"]), 1.0);
        assert_eq!(one("anls", "", &[" "]), 1.0);
        // The length of "ß" in upper case is two.
        assert_eq!(one("anls", "ßa", &["ßb"]), 1.0 - 1.0 / 3.0);
        assert_eq!(one("anls-inclusive", "ßa", &["ßb"]), 0.5);
    }

    #[test]
    fn other_protocols_compare_as_documented() {
        assert_eq!(one("exact", " Red ", &["blue", "red"]), 1.0);
        assert_eq!(one("exact", "red.", &["red"]), 0.0);
        assert_eq!(one("contains", "It is a RED dress.", &["red dress"]), 1.0);
        assert_eq!(one("char-f1", "红裙", &["红色裙子"]), 2.0 * 0.5 / 1.5);
        assert_eq!(one("char-f1", "。", &["，"]), 0.0);
        assert_eq!(one("muge-zh", "三件。", &["3件"]), 1.0);
    }

    #[test]
    fn answers_are_checked() {
        let plan = Plan::new(Some(1));
        let check = |protocol, counts: &[usize]| score(protocol, &["a"][..], &["a"][..], counts, &plan);
        assert_eq!(
            check(Protocol::Exact, &[0, 1]).expect_err("two questions").to_string().split(' ').next(),
            Some("predictions")
        );
        assert!(check(Protocol::Exact, &[2]).is_err());
        assert!(check(Protocol::EvalAi, &[1]).expect_err("one answer").to_string().contains("exactly 10"));
        assert!(Protocol::named("bleu").is_err());
    }
}
