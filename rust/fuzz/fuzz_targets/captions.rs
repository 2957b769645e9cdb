//! Compares every caption metric, on sequences of few different words, with a plain implementation of its definition.

#![no_main]

use std::collections::{HashMap, HashSet};
use std::f64::consts::E;
use std::fmt;
use std::iter;
use std::sync::{Arc, LazyLock};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use muge_fast_core::caption::bleu::{BleuStatistics, Smoothing, WIDTH, score};
use muge_fast_core::caption::cider::CiderParameters;
use muge_fast_core::caption::rouge_l::BETA;
use muge_fast_core::caption::{DocumentFrequency, ItemStatistics, Metrics, References};
use muge_fast_core::sums::sum;
use muge_fast_core::text::ngrams::MAX_ORDER;
use muge_fast_core::text::tokens::Cut;
use muge_fast_core::{Error, Plan};

const WORDS: [&str; 12] = ["红", "裙", "新款", "连衣裙", "A", "XL", "", "，", "！", "a b", "👗", "2.5"];

/// How often the items are repeated. The large numbers make several blocks of work.
const COPIES: [usize; 8] = [1, 2, 3, 5, 17, 33, 65, 130];

/// Length of a run of one word. Two runs exceed the 64 bits of a machine word.
const RUN: usize = 33;

/// Enough for several blocks, and few enough for the plain definitions.
const MAX_TOKENS: usize = 3000;

const TOLERANCE: f64 = 1e-9;

const METRICS: Metrics = Metrics {
    bleu: true,
    cider_d: true,
    cider: true,
    rouge_l: true,
    parameters: CiderParameters { sigma: 6.0, orders: MAX_ORDER },
};

#[derive(Debug, Arbitrary)]
struct Input {
    copies: u8,
    /// Number of words by which each copy is shifted in [`WORDS`].
    shift: u8,
    items: Vec<Item>,
}

#[derive(Debug, Arbitrary)]
struct Item {
    prediction: Words,
    first: Words,
    others: Vec<Words>,
}

#[derive(Debug, Arbitrary)]
struct Words {
    times: u8,
    /// Indices in [`WORDS`], modulo its length. A capital letter stands for a run.
    indices: Vec<u8>,
}

/// An index in [`WORDS`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Word(u8);

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        WORDS[usize::from(self.0)]
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

type Text = Vec<Word>;

/// Texts in the form that the library accepts.
#[derive(Debug, Default)]
struct Captions {
    predictions: Vec<Text>,
    references: Vec<Text>,
    counts: Vec<usize>,
}

/// Document frequencies, counted plainly.
struct Frequency {
    documents: f64,
    counts: HashMap<Text, u32>,
}

/// Frequencies with more tokens than fit 64-bit keys, and that contradict themselves: pairs of words are more
/// frequent than the words, as in a table whose n-grams come from different sources.
static WIDE: LazyLock<(Frequency, Arc<DocumentFrequency>)> = LazyLock::new(|| {
    let words = || (0..WORDS.len() as u8).map(Word);
    let single = words().skip(2).map(|word| (vec![word], 2 * u32::from(word.0)));
    let pairs = words().zip(words().skip(1)).map(|(word, next)| (vec![word, next], 25 - u32::from(word.0)));
    let counts: HashMap<Text, u32> = single.chain(pairs).collect();
    let fillers: Vec<String> = (0..=u16::MAX).map(|index| format!("filler {index}")).collect();
    let all = fillers.iter().map(|filler| (vec![filler.as_str()], 1));
    let all = all.chain(counts.iter().map(|(ngram, &count)| (spell(ngram).collect(), count)));
    let table = DocumentFrequency::from_counts(30.0, all).unwrap();
    (Frequency { documents: 30.0, counts }, Arc::new(table))
});

fuzz_target!(|input: Input| run(&input));

fn run(input: &Input) {
    let captions = Captions::new(input);
    if captions.counts.is_empty() {
        assert_eq!(captions.prepare(None, 1).map(|_| ()), Err(Error::Empty("references")));
        return;
    }
    let references = captions.prepare(None, 1).unwrap();
    let statistics = captions.score(&references, true, 1);
    let counted = Frequency::of(captions.items().map(|(_, references)| references));
    compare_bleu(&captions, &statistics);
    compare_rouge_l(&captions, &statistics);
    compare_cider(&captions, &statistics, &counted);

    let once = captions.score(&captions.prepare(None, 3).unwrap(), false, 3);
    assert_eq!(bits(&once), bits(&statistics), "without tables that are kept");
    let three = captions.score(&captions.prepare(None, 3).unwrap(), true, 3);
    assert_eq!(bits(&three), bits(&statistics), "threads");
    assert_eq!(bits(&captions.score_backwards(&references)), bits(&statistics), "chosen items");

    let frequency = references.document_frequency(&Plan::new(Some(1))).unwrap();
    counted.compare(&frequency);
    assert_eq!(frequency.fingerprint(), counted.table().fingerprint());
    let references = captions.prepare(Some(frequency), 1).unwrap();
    assert_eq!(bits(&captions.score(&references, true, 1)), bits(&statistics), "the same frequencies");

    // Frequencies of other texts: some n-grams of the references are not in them.
    let of_predictions = Frequency::of(captions.predictions.chunks(1));
    let references = captions.prepare(Some(Arc::new(of_predictions.table())), 3).unwrap();
    compare_cider(&captions, &captions.score(&references, true, 3), &of_predictions);

    let (frequency, table) = &*WIDE;
    let references = captions.prepare(Some(table.clone()), 1).unwrap();
    let wide = captions.score(&references, true, 1);
    compare_cider(&captions, &wide, frequency);
    assert_eq!((&wide.bleu, &wide.rouge_l), (&statistics.bleu, &statistics.rouge_l), "wide keys");
    counted.compare(&references.document_frequency(&Plan::new(Some(3))).unwrap());

    check_range(&sum(&statistics.bleu));
}

fn compare_bleu(captions: &Captions, statistics: &ItemStatistics) {
    let expected = captions.items().map(|(prediction, references)| bleu(prediction, references));
    // Counts are exact.
    assert_eq!(statistics.bleu, expected.collect::<Vec<_>>());
}

fn compare_rouge_l(captions: &Captions, statistics: &ItemStatistics) {
    let expected = captions.items().map(|(prediction, references)| rouge_l(prediction, references));
    compare(&statistics.rouge_l, &expected.collect::<Vec<_>>());
}

fn compare_cider(captions: &Captions, statistics: &ItemStatistics, frequency: &Frequency) {
    let expected = captions.items().map(|(prediction, references)| cider(prediction, references, frequency));
    let (cider_d, cider): (Vec<_>, Vec<_>) = expected.unzip();
    compare(&statistics.cider_d, &cider_d);
    compare(&statistics.cider, &cider);
}

fn compare(values: &[f64], expected: &[f64]) {
    let close = |value: f64, expected: f64| (value - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
    assert!(
        values.len() == expected.len() && values.iter().zip(expected).all(|(&value, &expected)| close(value, expected)),
        "{values:?} is not {expected:?}"
    );
}

impl Captions {
    fn new(input: &Input) -> Self {
        let mut captions = Self::default();
        let mut tokens = 0;
        for copy in 0..COPIES[usize::from(input.copies) % COPIES.len()] {
            let shift = copy * usize::from(input.shift);
            for item in &input.items {
                captions.predictions.push(item.prediction.spell(shift));
                let before = captions.references.len();
                captions.references.push(item.first.spell(shift));
                captions.references.extend(item.others.iter().map(|words| words.spell(shift)));
                captions.counts.push(captions.references.len() - before);

                let references = captions.references[before..].iter().map(Vec::len);
                tokens += captions.predictions.last().map_or(0, Vec::len) + references.sum::<usize>();
                if tokens > MAX_TOKENS {
                    return captions;
                }
            }
        }
        captions
    }

    fn prepare(&self, frequency: Option<Arc<DocumentFrequency>>, threads: usize) -> Result<References, Error> {
        References::new(&Cut(&self.references), &self.counts, frequency, &Plan::new(Some(threads)))
    }

    fn score(&self, references: &References, keep_tables: bool, threads: usize) -> ItemStatistics {
        let plan = Plan::new(Some(threads));
        references.score(&Cut(&self.predictions), None, &METRICS, keep_tables, &plan).unwrap()
    }

    /// Return the same statistics by choosing the items from the last to the first.
    fn score_backwards(&self, references: &References) -> ItemStatistics {
        let chosen: Vec<usize> = (0..references.len()).rev().collect();
        let predictions: Vec<Text> = self.predictions.iter().rev().cloned().collect();
        let plan = Plan::new(Some(1));
        let mut statistics = references.score(&Cut(&predictions), Some(&chosen), &METRICS, true, &plan).unwrap();
        statistics.bleu.reverse();
        statistics.cider_d.reverse();
        statistics.cider.reverse();
        statistics.rouge_l.reverse();
        statistics
    }

    /// Iterate over the predictions with their references.
    fn items(&self) -> impl Iterator<Item = (&Text, &[Text])> {
        let mut rest = self.references.as_slice();
        self.predictions.iter().zip(&self.counts).map(move |(prediction, &count)| {
            let (references, after) = rest.split_at(count);
            rest = after;
            (prediction, references)
        })
    }
}

impl Words {
    fn spell(&self, shift: usize) -> Text {
        let times = 1 + usize::from(self.times) % 8;
        let word = |index| Word(((usize::from(index) + shift) % WORDS.len()) as u8);
        let run = |index: u8| if index.is_ascii_uppercase() { RUN } else { 1 };
        let text = self.indices.iter().flat_map(|&index| iter::repeat_n(word(index), run(index)));
        text.collect::<Text>().repeat(times)
    }
}

impl Frequency {
    fn of<'a>(documents: impl Iterator<Item = &'a [Text]>) -> Self {
        let mut frequency = Self { documents: 0.0, counts: HashMap::new() };
        for texts in documents {
            let ngrams = |order| texts.iter().flat_map(move |text| text.windows(order));
            for ngram in (1..=MAX_ORDER).flat_map(ngrams).collect::<HashSet<_>>() {
                *frequency.counts.entry(ngram.to_vec()).or_default() += 1;
            }
            frequency.documents += 1.0;
        }
        frequency
    }

    fn table(&self) -> DocumentFrequency {
        let counts = self.counts.iter().map(|(ngram, &count)| (spell(ngram), count));
        DocumentFrequency::from_counts(self.documents, counts).unwrap()
    }

    fn compare(&self, table: &DocumentFrequency) {
        assert_eq!((table.documents().to_bits(), table.len()), (self.documents.to_bits(), self.counts.len()));
        for (ngram, &count) in &self.counts {
            let ids: Vec<u32> = spell(ngram).map(|token| table.vocab().get(token).unwrap()).collect();
            assert_eq!(table.get(&ids), count, "{ngram:?}");
        }
    }

    /// Return the tf-idf vector of a text.
    fn vector<'t>(&self, text: &'t [Word], order: usize) -> HashMap<&'t [Word], f64> {
        count(text, order).into_iter().map(|(ngram, count)| (ngram, f64::from(count) * self.idf(ngram))).collect()
    }

    fn idf(&self, ngram: &[Word]) -> f64 {
        let count = self.counts.get(ngram).copied().unwrap_or(0).max(1);
        self.documents.ln() - f64::from(count).ln()
    }
}

fn bits(statistics: &ItemStatistics) -> Vec<u64> {
    let single = [&statistics.cider_d, &statistics.cider, &statistics.rouge_l].into_iter().flatten();
    statistics.bleu.iter().flatten().chain(single).map(|value| value.to_bits()).collect()
}

fn spell(text: &[Word]) -> impl Iterator<Item = &str> {
    text.iter().map(Word::as_ref)
}

/// Count how often each n-gram occurs.
fn count(text: &[Word], order: usize) -> HashMap<&[Word], u32> {
    let mut counts = HashMap::new();
    for ngram in text.windows(order) {
        *counts.entry(ngram).or_default() += 1;
    }
    counts
}

fn bleu(prediction: &Text, references: &[Text]) -> BleuStatistics {
    let length = prediction.len();
    let lengths = references.iter().map(Vec::len);
    let closest = lengths.min_by_key(|&reference| (reference.abs_diff(length), reference)).unwrap();
    let mut statistics = [0.0; WIDTH];
    statistics[0] = length as f64;
    statistics[1] = closest as f64;
    for order in 1..=MAX_ORDER {
        let reference_counts: Vec<_> = references.iter().map(|reference| count(reference, order)).collect();
        for (ngram, occurrences) in count(prediction, order) {
            let max = reference_counts.iter().filter_map(|counts| counts.get(ngram)).max().copied().unwrap_or(0);
            statistics[1 + order] += f64::from(occurrences.min(max));
        }
        statistics[1 + MAX_ORDER + order] = prediction.windows(order).count() as f64;
    }
    statistics
}

/// Return CIDEr-D and CIDEr.
fn cider(prediction: &Text, references: &[Text], frequency: &Frequency) -> (f64, f64) {
    let (mut clipped, mut plain) = (0.0, 0.0);
    for order in 1..=MAX_ORDER {
        let prediction_vector = frequency.vector(prediction, order);
        for reference in references {
            let reference_vector = frequency.vector(reference, order);
            let norms = norm(&prediction_vector) * norm(&reference_vector);
            let penalty = length_penalty(prediction, reference);
            for (ngram, weight) in &prediction_vector {
                let reference_weight = reference_vector.get(ngram).copied().unwrap_or(0.0);
                if norms != 0.0 {
                    clipped += weight.min(reference_weight) * reference_weight / norms * penalty;
                    plain += weight * reference_weight / norms;
                }
            }
        }
    }
    let mean = |sum: f64| sum / MAX_ORDER as f64 / references.len() as f64 * 10.0;
    (mean(clipped), mean(plain))
}

fn norm(vector: &HashMap<&[Word], f64>) -> f64 {
    vector.values().map(|weight| weight * weight).sum::<f64>().sqrt()
}

/// Return the Gaussian of the difference in length, in bigrams.
fn length_penalty(prediction: &Text, reference: &Text) -> f64 {
    let bigrams = |text: &Text| text.windows(2).count() as f64;
    let difference = bigrams(prediction) - bigrams(reference);
    E.powf(-difference * difference / (2.0 * METRICS.parameters.sigma * METRICS.parameters.sigma))
}

fn rouge_l(prediction: &Text, references: &[Text]) -> f64 {
    let (mut precision, mut recall) = (0.0f64, 0.0f64);
    for reference in references {
        let common = longest_common(prediction, reference) as f64;
        if common > 0.0 {
            precision = precision.max(common / prediction.len() as f64);
            recall = recall.max(common / reference.len() as f64);
        }
    }
    if precision == 0.0 {
        return 0.0;
    }
    (1.0 + BETA * BETA) * precision * recall / (recall + BETA * BETA * precision)
}

/// Return the length of the longest common subsequence, by the textbook table.
fn longest_common(a: &Text, b: &Text) -> usize {
    let mut row = vec![0; b.len() + 1];
    for x in a {
        let mut diagonal = 0;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if x == y { diagonal + 1 } else { above.max(row[j]) };
            diagonal = above;
        }
    }
    row[b.len()]
}

/// Check that BLEU is between 0 and 1 under every smoothing.
fn check_range(statistics: &BleuStatistics) {
    for name in Smoothing::NAMES {
        let smoothing = Smoothing::named(name, None).unwrap();
        for effective_order in [false, true] {
            let bleu = score(statistics, smoothing, effective_order);
            let all = bleu.by_order.iter().chain([&bleu.brevity_penalty]);
            assert!(all.clone().all(|value| (0.0..=1.0 + TOLERANCE).contains(value)), "{name} {statistics:?} {bleu:?}");
        }
    }
}
