//! Every caption metric over sequences of few different words, compared with its definition written plainly.

#![no_main]

use std::collections::{HashMap, HashSet};
use std::f64::consts::E;
use std::fmt;
use std::iter;
use std::sync::{Arc, LazyLock};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use muge_fast_core::caption::bleu::{BleuRow, Smoothing, WIDTH, score};
use muge_fast_core::caption::cider::Cider;
use muge_fast_core::caption::rouge_l::BETA;
use muge_fast_core::caption::{DocumentFrequency, Metrics, References, Rows};
use muge_fast_core::sums::sum;
use muge_fast_core::text::ngrams::MAX_ORDER;
use muge_fast_core::text::tokens::Cut;
use muge_fast_core::{Error, Plan};

const WORDS: [&str; 12] = ["红", "裙", "新款", "连衣裙", "A", "XL", "", "，", "！", "a b", "👗", "2.5"];

/// How often the items are repeated; the many make several blocks of work.
const COPIES: [usize; 8] = [1, 2, 3, 5, 17, 33, 65, 130];

/// Length of a run of one word: two of them fill a machine word, and some more.
const RUN: usize = 33;

/// Enough for several blocks, and little enough for the plain definitions.
const MOST_TOKENS: usize = 3000;

const TOLERANCE: f64 = 1e-9;

const METRICS: Metrics = Metrics {
    bleu: true,
    cider_d: true,
    cider: true,
    rouge_l: true,
    parameters: Cider { sigma: 6.0, orders: MAX_ORDER },
};

#[derive(Debug, Arbitrary)]
struct Input {
    copies: u8,
    /// By how many places each copy goes on in the list of words.
    turn: u8,
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
    /// Words, where a capital letter stands for a run.
    numbers: Vec<u8>,
}

/// A place in [`WORDS`].
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

/// Texts in the form that the library takes.
#[derive(Debug, Default)]
struct Captions {
    predictions: Vec<Text>,
    references: Vec<Text>,
    counts: Vec<usize>,
}

/// In how many documents each n-gram occurs.
struct Frequency {
    documents: f64,
    counts: HashMap<Text, u32>,
}

/// Frequencies with so many tokens that n-grams of token ids need wide keys, and of which some contradict others: pairs
/// of words are more frequent than the words, as in a table whose n-grams come from different places.
static WIDE: LazyLock<(Frequency, Arc<DocumentFrequency>)> = LazyLock::new(|| {
    let words = || (0..WORDS.len() as u8).map(Word);
    let single = words().skip(2).map(|word| (vec![word], 2 * u32::from(word.0)));
    let pairs = words().zip(words().skip(1)).map(|(word, next)| (vec![word, next], 25 - u32::from(word.0)));
    let counts: HashMap<Text, u32> = single.chain(pairs).collect();
    let fillers: Vec<String> = (0..=u16::MAX).map(|number| format!("filler {number}")).collect();
    let all = fillers.iter().map(|filler| (vec![filler.as_str()], 1));
    let all = all.chain(counts.iter().map(|(ngram, &count)| (spell(ngram).collect(), count)));
    let made = DocumentFrequency::from_counts(30.0, all).unwrap();
    (Frequency { documents: 30.0, counts }, Arc::new(made))
});

fuzz_target!(|input: Input| run(&input));

fn run(input: &Input) {
    let captions = Captions::new(input);
    if captions.counts.is_empty() {
        assert_eq!(captions.prepare(None, 1).map(|_| ()), Err(Error::Empty("references")));
        return;
    }
    let references = captions.prepare(None, 1).unwrap();
    let rows = captions.score(&references, 1);
    let counted = Frequency::of(captions.items().map(|(_, references)| references));
    compare_bleu(&captions, &rows);
    compare_rouge_l(&captions, &rows);
    compare_cider(&captions, &rows, &counted);

    let once = captions.prepare(None, 3).unwrap();
    let once = once.score_once(&Cut(&captions.predictions), &METRICS, &Plan::new(Some(3))).unwrap();
    assert_eq!(bits(&once), bits(&rows), "once");
    let three = captions.prepare(None, 3).unwrap();
    assert_eq!(bits(&captions.score(&three, 3)), bits(&rows), "threads");
    assert_eq!(bits(&captions.score_backwards(&references)), bits(&rows), "chosen items");

    let frequency = references.document_frequency(&Plan::new(Some(1))).unwrap();
    counted.compare(&frequency);
    assert_eq!(frequency.fingerprint(), counted.made().fingerprint());
    let given = captions.prepare(Some(frequency), 1).unwrap();
    assert_eq!(bits(&captions.score(&given, 1)), bits(&rows), "given frequencies");

    // Frequencies of other texts: some n-grams of the references are not in them.
    let of_predictions = Frequency::of(captions.predictions.chunks(1));
    let given = captions.prepare(Some(Arc::new(of_predictions.made())), 3).unwrap();
    compare_cider(&captions, &captions.score(&given, 3), &of_predictions);

    let (frequency, made) = &*WIDE;
    let given = captions.prepare(Some(made.clone()), 1).unwrap();
    let wide = captions.score(&given, 1);
    compare_cider(&captions, &wide, frequency);
    assert_eq!((&wide.bleu, &wide.rouge_l), (&rows.bleu, &rows.rouge_l), "wide keys");
    counted.compare(&given.document_frequency(&Plan::new(Some(3))).unwrap());

    stay_in_range(&sum(&rows.bleu));
}

fn compare_bleu(captions: &Captions, rows: &Rows) {
    let wanted: Vec<BleuRow> = captions.items().map(|(prediction, references)| bleu(prediction, references)).collect();
    // Counts are exact.
    assert_eq!(rows.bleu, wanted);
}

fn compare_rouge_l(captions: &Captions, rows: &Rows) {
    let wanted = captions.items().map(|(prediction, references)| rouge_l(prediction, references));
    compare(&rows.rouge_l, &wanted.collect::<Vec<_>>());
}

fn compare_cider(captions: &Captions, rows: &Rows, frequency: &Frequency) {
    let wanted = captions.items().map(|(prediction, references)| cider(prediction, references, frequency));
    let (cider_d, cider): (Vec<_>, Vec<_>) = wanted.unzip();
    compare(&rows.cider_d, &cider_d);
    compare(&rows.cider, &cider);
}

fn compare(found: &[f64], wanted: &[f64]) {
    let close = |found: f64, wanted: f64| (found - wanted).abs() <= TOLERANCE * wanted.abs().max(1.0);
    assert!(
        found.len() == wanted.len() && found.iter().zip(wanted).all(|(&found, &wanted)| close(found, wanted)),
        "{found:?} is not {wanted:?}"
    );
}

impl Captions {
    fn new(input: &Input) -> Self {
        let mut captions = Self::default();
        let mut tokens = 0;
        for copy in 0..COPIES[usize::from(input.copies) % COPIES.len()] {
            let turn = copy * usize::from(input.turn);
            for item in &input.items {
                captions.predictions.push(item.prediction.spell(turn));
                let before = captions.references.len();
                captions.references.push(item.first.spell(turn));
                captions.references.extend(item.others.iter().map(|words| words.spell(turn)));
                captions.counts.push(captions.references.len() - before);

                let references = captions.references[before..].iter().map(Vec::len);
                tokens += captions.predictions.last().map_or(0, Vec::len) + references.sum::<usize>();
                if tokens > MOST_TOKENS {
                    return captions;
                }
            }
        }
        captions
    }

    fn prepare(&self, given: Option<Arc<DocumentFrequency>>, threads: usize) -> Result<References, Error> {
        References::new(&Cut(&self.references), &self.counts, given, &Plan::new(Some(threads)))
    }

    fn score(&self, references: &References, threads: usize) -> Rows {
        references.score(&Cut(&self.predictions), None, &METRICS, &Plan::new(Some(threads))).unwrap()
    }

    /// The same rows, though items are chosen one by one and from the last to the first.
    fn score_backwards(&self, references: &References) -> Rows {
        let chosen: Vec<usize> = (0..references.len()).rev().collect();
        let predictions: Vec<Text> = self.predictions.iter().rev().cloned().collect();
        let plan = Plan::new(Some(1));
        let mut rows = references.score(&Cut(&predictions), Some(&chosen), &METRICS, &plan).unwrap();
        rows.bleu.reverse();
        rows.cider_d.reverse();
        rows.cider.reverse();
        rows.rouge_l.reverse();
        rows
    }

    /// Predictions with their references.
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
    fn spell(&self, turn: usize) -> Text {
        let times = 1 + usize::from(self.times) % 8;
        let word = |number| Word(((usize::from(number) + turn) % WORDS.len()) as u8);
        let run = |number: u8| if number.is_ascii_uppercase() { RUN } else { 1 };
        let text = self.numbers.iter().flat_map(|&number| iter::repeat_n(word(number), run(number)));
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

    fn made(&self) -> DocumentFrequency {
        let counts = self.counts.iter().map(|(ngram, &count)| (spell(ngram), count));
        DocumentFrequency::from_counts(self.documents, counts).unwrap()
    }

    fn compare(&self, found: &DocumentFrequency) {
        assert_eq!((found.documents().to_bits(), found.len()), (self.documents.to_bits(), self.counts.len()));
        for (ngram, &count) in &self.counts {
            let ids: Vec<u32> = spell(ngram).map(|token| found.vocab().get(token).unwrap()).collect();
            assert_eq!(found.get(&ids), count, "{ngram:?}");
        }
    }

    /// The tf-idf vector of a text.
    fn weigh<'t>(&self, text: &'t [Word], order: usize) -> HashMap<&'t [Word], f64> {
        count(text, order).into_iter().map(|(ngram, count)| (ngram, f64::from(count) * self.idf(ngram))).collect()
    }

    fn idf(&self, ngram: &[Word]) -> f64 {
        let count = self.counts.get(ngram).copied().unwrap_or(0).max(1);
        self.documents.ln() - f64::from(count).ln()
    }
}

fn bits(rows: &Rows) -> Vec<u64> {
    let single = [&rows.cider_d, &rows.cider, &rows.rouge_l].into_iter().flatten();
    rows.bleu.iter().flatten().chain(single).map(|value| value.to_bits()).collect()
}

fn spell(text: &[Word]) -> impl Iterator<Item = &str> {
    text.iter().map(Word::as_ref)
}

/// How often each n-gram occurs.
fn count(text: &[Word], order: usize) -> HashMap<&[Word], u32> {
    let mut counts = HashMap::new();
    for ngram in text.windows(order) {
        *counts.entry(ngram).or_default() += 1;
    }
    counts
}

fn bleu(prediction: &Text, references: &[Text]) -> BleuRow {
    let length = prediction.len();
    let closest = references.iter().map(Vec::len).min_by_key(|&other| (other.abs_diff(length), other)).unwrap();
    let mut row = [0.0; WIDTH];
    row[0] = length as f64;
    row[1] = closest as f64;
    for order in 1..=MAX_ORDER {
        let others: Vec<_> = references.iter().map(|reference| count(reference, order)).collect();
        for (ngram, own) in count(prediction, order) {
            let most = others.iter().filter_map(|counts| counts.get(ngram)).max().copied().unwrap_or(0);
            row[1 + order] += f64::from(own.min(most));
        }
        row[1 + MAX_ORDER + order] = prediction.windows(order).count() as f64;
    }
    row
}

/// `CIDEr-D` and `CIDEr`.
fn cider(prediction: &Text, references: &[Text], frequency: &Frequency) -> (f64, f64) {
    let (mut clipped, mut plain) = (0.0, 0.0);
    for order in 1..=MAX_ORDER {
        let own = frequency.weigh(prediction, order);
        for reference in references {
            let other = frequency.weigh(reference, order);
            let norms = norm(&own) * norm(&other);
            let penalty = length_penalty(prediction, reference);
            for (ngram, weight) in &own {
                let wanted = other.get(ngram).copied().unwrap_or(0.0);
                if norms != 0.0 {
                    clipped += weight.min(wanted) * wanted / norms * penalty;
                    plain += weight * wanted / norms;
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

/// A Gaussian of the difference in length, in bigrams.
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

/// Length of the longest common subsequence, by the textbook table.
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

/// BLEU is between 0 and 1, whatever the smoothing.
fn stay_in_range(row: &BleuRow) {
    for name in Smoothing::NAMES {
        let smoothing = Smoothing::named(name, None).unwrap();
        for effective_order in [false, true] {
            let bleu = score(row, smoothing, effective_order);
            let all = bleu.by_order.iter().chain([&bleu.brevity_penalty]);
            assert!(all.clone().all(|value| (0.0..=1.0 + TOLERANCE).contains(value)), "{name} {row:?} {bleu:?}");
        }
    }
}
