//! Every caption metric over sequences of few different words, compared with its definition written plainly.

#![no_main]

use std::collections::{HashMap, HashSet};
use std::f64::consts::E;
use std::sync::{Arc, LazyLock};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use muge_fast_core::caption::bleu::{BleuRow, Smoothing, WIDTH, score};
use muge_fast_core::caption::rouge_l::BETA;
use muge_fast_core::caption::{DocumentFrequency, Metrics, References, Rows};
use muge_fast_core::rows::sum;
use muge_fast_core::text::ngrams::MAX_ORDER;
use muge_fast_core::text::tokens::Cut;
use muge_fast_core::{Error, Plan};

const WORDS: [&str; 12] = ["红", "裙", "新款", "连衣裙", "A", "XL", "", "，", "！", "a b", "👗", "2.5"];

/// How often the items are repeated; the many make several blocks of work.
const COPIES: [usize; 8] = [1, 2, 3, 5, 17, 33, 65, 130];

/// Enough for several blocks, and little enough for the plain definitions.
const MOST_TOKENS: usize = 3000;

const TOLERANCE: f64 = 1e-9;

const METRICS: Metrics = Metrics {
    bleu: true,
    cider_d: true,
    cider: true,
    rouge_l: true,
    parameters: muge_fast_core::caption::cider::Cider { sigma: 6.0, orders: MAX_ORDER },
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
    numbers: Vec<u8>,
}

type Text = Vec<&'static str>;

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

/// Frequencies with so many tokens that n-grams of token ids need wide keys.
static WIDE: LazyLock<(Frequency, Arc<DocumentFrequency>)> = LazyLock::new(|| {
    let counts: HashMap<Text, u32> = (1..).zip(&WORDS[2..]).map(|(count, &word)| (vec![word], 2 * count)).collect();
    let fillers: Vec<String> = (0..=u16::MAX).map(|number| format!("filler {number}")).collect();
    let all = fillers.iter().map(|filler| (vec![filler.as_str()], 1));
    let all = all.chain(counts.iter().map(|(ngram, &count)| (ngram.clone(), count)));
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
    captions.compare(&rows, &counted);

    let three = captions.prepare(None, 3).unwrap();
    assert_eq!(bits(&captions.score(&three, 3)), bits(&rows), "threads");
    assert_eq!(bits(&captions.score_backwards(&references)), bits(&rows), "chosen items");

    let frequency = references.document_frequency(&Plan::new(Some(1))).unwrap();
    counted.compare(&frequency);
    assert_eq!(frequency.fingerprint(), counted.made().fingerprint());
    let given = captions.prepare(Some(frequency), 1).unwrap();
    assert_eq!(bits(&captions.score(&given, 1)), bits(&rows), "given frequencies");

    // Frequencies of other texts: there, an n-gram may be more frequent than in the references.
    let of_predictions = Frequency::of(captions.predictions.chunks(1));
    let given = captions.prepare(Some(Arc::new(of_predictions.made())), 3).unwrap();
    captions.compare(&captions.score(&given, 3), &of_predictions);

    let (frequency, made) = &*WIDE;
    let given = captions.prepare(Some(made.clone()), 1).unwrap();
    captions.compare(&captions.score(&given, 1), frequency);
    counted.compare(&given.document_frequency(&Plan::new(Some(3))).unwrap());

    stay_in_range(&sum(&rows.bleu));
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

    /// Compare rows with the definitions.
    fn compare(&self, rows: &Rows, frequency: &Frequency) {
        for (row, (prediction, references)) in self.items().enumerate() {
            let context = || format!("item {row}: {prediction:?} {references:?}");
            assert_eq!(
                rows.bleu[row].map(f64::to_bits),
                bleu(prediction, references).map(f64::to_bits),
                "{}",
                context()
            );
            let (cider_d, cider) = cider(prediction, references, frequency);
            let found = [rows.cider_d[row], rows.cider[row], rows.rouge_l[row]];
            for (found, wanted) in found.into_iter().zip([cider_d, cider, rouge_l(prediction, references)]) {
                assert!((found - wanted).abs() <= TOLERANCE * wanted.abs().max(1.0), "{found} {wanted} {}", context());
            }
        }
        let items = self.counts.len();
        assert_eq!([rows.bleu.len(), rows.cider_d.len(), rows.cider.len(), rows.rouge_l.len()], [items; 4]);
    }
}

impl Words {
    fn spell(&self, turn: usize) -> Text {
        let times = 1 + usize::from(self.times) % 8;
        let text = self.numbers.iter().map(|&number| WORDS[(usize::from(number) + turn) % WORDS.len()]);
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
        let counts = self.counts.iter().map(|(ngram, &count)| (ngram.iter().copied(), count));
        DocumentFrequency::from_counts(self.documents, counts).unwrap()
    }

    fn compare(&self, found: &DocumentFrequency) {
        assert_eq!((found.documents().to_bits(), found.len()), (self.documents.to_bits(), self.counts.len()));
        for (ngram, &count) in &self.counts {
            let ids: Vec<u32> = ngram.iter().map(|token| found.vocab().get(token).unwrap()).collect();
            assert_eq!(found.get(&ids), count, "{ngram:?}");
        }
    }

    fn idf(&self, ngram: &[&'static str]) -> f64 {
        let count = self.counts.get(ngram).copied().unwrap_or(0).max(1);
        self.documents.ln() - f64::from(count).ln()
    }
}

fn bits(rows: &Rows) -> Vec<u64> {
    let single = [&rows.cider_d, &rows.cider, &rows.rouge_l].into_iter().flatten();
    rows.bleu.iter().flatten().chain(single).map(|value| value.to_bits()).collect()
}

fn count(text: &[&'static str], order: usize) -> HashMap<Text, u32> {
    let mut counts = HashMap::new();
    for ngram in text.windows(order) {
        *counts.entry(ngram.to_vec()).or_default() += 1;
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
            let most = others.iter().filter_map(|counts| counts.get(&ngram)).max().copied().unwrap_or(0);
            row[1 + order] += f64::from(own.min(most));
        }
        row[1 + MAX_ORDER + order] = prediction.windows(order).count() as f64;
    }
    row
}

/// `CIDEr-D` and `CIDEr`.
fn cider(prediction: &Text, references: &[Text], frequency: &Frequency) -> (f64, f64) {
    let vector = |text: &Text, order| -> HashMap<Text, f64> {
        let weigh = |(ngram, count): (Text, u32)| (frequency.idf(&ngram), ngram, f64::from(count));
        count(text, order).into_iter().map(weigh).map(|(idf, ngram, count)| (ngram, idf * count)).collect()
    };
    let norm = |vector: &HashMap<Text, f64>| vector.values().map(|weight| weight * weight).sum::<f64>().sqrt();
    let bigrams = |text: &Text| text.windows(2).count() as f64;
    let (mut clipped, mut plain) = (0.0, 0.0);
    for reference in references {
        let difference = bigrams(prediction) - bigrams(reference);
        let penalty = E.powf(-difference * difference / (2.0 * 36.0));
        for order in 1..=MAX_ORDER {
            let (own, other) = (vector(prediction, order), vector(reference, order));
            let norms = norm(&own) * norm(&other);
            for (ngram, weight) in own {
                let wanted = other.get(&ngram).copied().unwrap_or(0.0);
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
