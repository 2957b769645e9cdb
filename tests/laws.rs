//! Properties of the caption metrics that hold for every set of captions, any number of threads and any vocabulary.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use muge_fast_core::caption::bleu::{self, BleuStatistics, Smoothing};
use muge_fast_core::caption::{DocumentFrequency, ItemStatistics, Metrics, References};
use muge_fast_core::text::tokens::{Cut, Uncut};
use muge_fast_core::text::{Scratch, Tokenizer, is_space};
use muge_fast_core::{Error, Plan, sums};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Few tokens, so that n-grams repeat within captions and between items.
const TOKENS: [&str; 4] = ["a", "b", "红", "连衣裙"];

/// More different tokens than sixteen bits can index.
static MANY: LazyLock<Vec<String>> = LazyLock::new(|| (0..70_000).map(|index| format!("w{index}")).collect());

static TOKENIZERS: LazyLock<HashMap<&str, Tokenizer>> = LazyLock::new(|| {
    let named = |&name| (name, Tokenizer::named(name, None).expect("the name is known"));
    Tokenizer::NAMES.iter().map(named).collect()
});

type Caption = Vec<&'static str>;

#[derive(Debug, Clone)]
struct Item {
    prediction: Caption,
    references: Vec<Caption>,
}

fn caption() -> impl Strategy<Value = Caption> {
    prop::collection::vec(select(&TOKENS), 0..12)
}

fn item() -> impl Strategy<Value = Item> {
    let references = prop::collection::vec(caption(), 1..4);
    (caption(), references).prop_map(|(prediction, references)| Item { prediction, references })
}

fn items(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Item>> {
    prop::collection::vec(item(), count)
}

/// Return the configuration of slow tests.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn plan(threads: usize) -> Plan {
    Plan::new(Some(threads))
}

fn all() -> Metrics {
    Metrics { bleu: true, cider_d: true, cider: true, rouge_l: true, ..Metrics::default() }
}

fn prepare(items: &[Item], document_frequency: Option<&Arc<DocumentFrequency>>, threads: usize) -> References {
    let texts: Vec<Caption> = items.iter().flat_map(|item| item.references.clone()).collect();
    let counts: Vec<usize> = items.iter().map(|item| item.references.len()).collect();
    References::new(&Cut(&texts), &counts, document_frequency.cloned(), &plan(threads))
        .expect("every item has references")
}

fn predictions(items: &[Item]) -> Vec<Caption> {
    items.iter().map(|item| item.prediction.clone()).collect()
}

/// Score with and without tables that are kept, and return the statistics, which must have the same bits.
fn score(items: &[Item], document_frequency: Option<&Arc<DocumentFrequency>>, threads: usize) -> ItemStatistics {
    let references = prepare(items, document_frequency, threads);
    let predictions = predictions(items);
    let run = |keep_tables| references.score(&Cut(&predictions), None, &all(), keep_tables, &plan(threads));
    let once = run(false).expect("lengths agree");
    let statistics = run(true).expect("lengths agree");
    assert_eq!(bits(&once), bits(&statistics));
    statistics
}

fn frequency(items: &[Item]) -> Arc<DocumentFrequency> {
    prepare(items, None, 1).document_frequency(&plan(1)).expect("not cancelled")
}

/// Return the bits of all numbers of each item.
fn bits(statistics: &ItemStatistics) -> Vec<Vec<u64>> {
    let fractions = statistics.cider_d.iter().zip(&statistics.cider).zip(&statistics.rouge_l);
    let item = |(bleu, ((cider_d, cider), rouge_l)): (&BleuStatistics, ((&f64, &f64), &f64))| {
        bleu.iter().chain([cider_d, cider, rouge_l]).map(|value| value.to_bits()).collect()
    };
    statistics.bleu.iter().zip(fractions).map(item).collect()
}

/// Count in how many items each n-gram occurs, straight from the definition.
fn naive_frequency(items: &[Item]) -> HashMap<Vec<&str>, u32> {
    let mut counts = HashMap::new();
    for item in items {
        let windows = |tokens| (1..=4).flat_map(move |order| <[&str]>::windows(tokens, order));
        let distinct: HashSet<&[&str]> = item.references.iter().flat_map(|tokens| windows(tokens.as_slice())).collect();
        for ngram in distinct {
            *counts.entry(ngram.to_vec()).or_default() += 1;
        }
    }
    counts
}

/// Return lengths, clipped matches and totals, straight from the definition.
fn naive_bleu_statistics(item: &Item) -> Vec<usize> {
    let prediction = item.prediction.as_slice();
    let lengths = item.references.iter().map(Vec::len);
    let closest = lengths.min_by_key(|length| (length.abs_diff(prediction.len()), *length)).unwrap_or(0);
    let count = |tokens: &[&str], ngram: &[&str]| tokens.windows(ngram.len()).filter(|window| *window == ngram).count();
    let matched = |order| {
        let distinct: HashSet<&[&str]> = prediction.windows(order).collect();
        let clipped = |ngram: &[&str]| {
            let max = item.references.iter().map(|reference| count(reference, ngram)).max();
            count(prediction, ngram).min(max.unwrap_or(0))
        };
        distinct.into_iter().map(clipped).sum::<usize>()
    };
    let totals = (1..=4).map(|order| (prediction.len() + 1).saturating_sub(order));
    [prediction.len(), closest].into_iter().chain((1..=4).map(matched)).chain(totals).collect()
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn threads_do_not_change_bits(items in items(150..600), with_frequency: bool) {
        let frequency = with_frequency.then(|| frequency(&items[..100]));
        let one = bits(&score(&items, frequency.as_ref(), 1));
        for threads in [2, 3, 8] {
            prop_assert_eq!(&bits(&score(&items, frequency.as_ref(), threads)), &one);
        }
    }

    #[test]
    fn narrow_and_wide_keys_agree(items in items(1..20), with_frequency: bool) {
        let frequency = with_frequency.then(|| frequency(&items));
        // One more item, which shares nothing with the rest: only its size differs.
        let with_filler = |size: usize| {
            let filler = MANY[..size].iter().map(String::as_str).collect();
            let more = Item { prediction: vec!["a"], references: vec![filler] };
            bits(&score(&[items.clone(), vec![more]].concat(), frequency.as_ref(), 2))
        };
        prop_assert_eq!(&with_filler(1)[..items.len()], &with_filler(MANY.len())[..items.len()]);
    }

    #[test]
    fn many_predictions_are_scored_like_few(few in items(3..40)) {
        // More than one chunk, with unknown tokens, which get new ids in each chunk.
        let mut items: Vec<Item> = few.iter().cycle().take(16_500).cloned().collect();
        items.iter_mut().zip(MANY.iter()).for_each(|(item, token)| item.prediction.push(token));
        let references = prepare(&items, None, 2);
        let whole = bits(&score(&items, None, 2));
        for chosen in [0, 16_383, 16_384, 16_499] {
            let alone = references.score(&Cut(&[items[chosen].prediction.clone()]), Some(&[chosen]), &all(), true, &plan(1));
            prop_assert_eq!(&bits(&alone.expect("lengths agree"))[0], &whole[chosen]);
        }
    }

    #[test]
    fn a_prediction_of_many_unknown_tokens_changes_no_other(items in items(2..20)) {
        let references = prepare(&items, None, 1);
        let short = references.score(&Cut(&predictions(&items)), None, &all(), true, &plan(2)).expect("lengths agree");
        let mut long = predictions(&items);
        long[0].extend(MANY.iter().map(String::as_str));
        let long = references.score(&Cut(&long), None, &all(), true, &plan(2)).expect("lengths agree");
        prop_assert_eq!(&bits(&short)[1..], &bits(&long)[1..]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn items_keep_their_order_and_do_not_depend_on_it(
        (items, order) in items(1..12).prop_flat_map(|items| {
            let order: Vec<usize> = (0..items.len()).collect();
            (Just(items), Just(order).prop_shuffle())
        })
    ) {
        let shuffled: Vec<Item> = order.iter().map(|&index| items[index].clone()).collect();
        let whole = bits(&score(&items, None, 1));
        let expected: Vec<_> = order.iter().map(|&index| whole[index].clone()).collect();
        prop_assert_eq!(bits(&score(&shuffled, None, 1)), expected);
    }

    #[test]
    fn shards_add_up_to_the_whole(items in items(2..12), cut: Index) {
        let frequency = frequency(&items);
        let (left, right) = items.split_at(cut.index(items.len() - 1) + 1);
        let shards = [score(left, Some(&frequency), 1), score(right, Some(&frequency), 1)];
        let whole = score(&items, Some(&frequency), 1);
        prop_assert_eq!([bits(&shards[0]), bits(&shards[1])].concat(), bits(&whole));
        let merged = sums::sum(&[shards[0].bleu.as_slice(), &shards[1].bleu].concat());
        prop_assert_eq!(merged.map(f64::to_bits), sums::sum(&whole.bleu).map(f64::to_bits));
    }

    #[test]
    fn frequencies_of_the_references_themselves_change_nothing(items in items(1..12)) {
        prop_assert_eq!(bits(&score(&items, Some(&frequency(&items)), 1)), bits(&score(&items, None, 1)));
    }

    #[test]
    fn chosen_items_score_as_among_all(items in items(1..12), chosen in prop::collection::vec(any::<Index>(), 1..20)) {
        let chosen: Vec<usize> = chosen.iter().map(|index| index.index(items.len())).collect();
        let predictions: Vec<Caption> = chosen.iter().map(|&index| items[index].prediction.clone()).collect();
        let references = prepare(&items, None, 1);
        let statistics = references.score(&Cut(&predictions), Some(&chosen), &all(), true, &plan(1));
        let whole = bits(&score(&items, None, 1));
        let expected: Vec<_> = chosen.iter().map(|&index| whole[index].clone()).collect();
        prop_assert_eq!(bits(&statistics.expect("lengths agree")), expected);
    }

    #[test]
    fn one_metric_alone_equals_the_same_among_all(items in items(1..8)) {
        let references = prepare(&items, None, 1);
        let run = |metrics: &Metrics| references.score(&Cut(&predictions(&items)), None, metrics, true, &plan(1));
        let whole = run(&all()).expect("lengths agree");
        let alone = |change: fn(&mut Metrics)| {
            let mut metrics = Metrics::default();
            change(&mut metrics);
            run(&metrics).expect("lengths agree")
        };
        prop_assert_eq!(alone(|metrics| metrics.bleu = true), ItemStatistics { bleu: whole.bleu, ..ItemStatistics::default() });
        prop_assert_eq!(alone(|metrics| metrics.cider_d = true), ItemStatistics { cider_d: whole.cider_d, ..ItemStatistics::default() });
        prop_assert_eq!(alone(|metrics| metrics.cider = true), ItemStatistics { cider: whole.cider, ..ItemStatistics::default() });
        prop_assert_eq!(alone(|metrics| metrics.rouge_l = true), ItemStatistics { rouge_l: whole.rouge_l, ..ItemStatistics::default() });
    }

    #[test]
    fn bleu_statistics_equal_the_definition(items in items(1..8)) {
        let statistics: Vec<Vec<f64>> = score(&items, None, 1).bleu.iter().map(|values| values.to_vec()).collect();
        let expected: Vec<Vec<f64>> =
            items.iter().map(|item| naive_bleu_statistics(item).into_iter().map(|count| count as f64).collect()).collect();
        prop_assert_eq!(statistics, expected);
    }

    #[test]
    fn bleu_is_between_zero_and_one(items in items(1..4), effective_order: bool) {
        for statistics in score(&items, None, 1).bleu {
            for name in Smoothing::NAMES {
                let smoothing = Smoothing::named(name, None).expect("the name is known");
                let score = bleu::score(&statistics, smoothing, effective_order);
                prop_assert!(score.by_order.iter().all(|value| (0.0..=1.0 + 1e-12).contains(value)), "{:?}", score);
                prop_assert!((0.0..=1.0).contains(&score.brevity_penalty));
            }
        }
    }

    #[test]
    fn document_frequencies_equal_the_definition(items in items(1..12)) {
        let frequency = frequency(&items);
        let tokens: Vec<_> = (0..=frequency.vocab().max_id()).map(|id| frequency.vocab().token(id)).collect();
        let spell = |ids: Vec<u32>| ids.iter().filter_map(|&id| tokens[id as usize].as_deref()).collect::<Vec<_>>();
        let counts: HashMap<Vec<&str>, u32> =
            frequency.sorted().into_iter().map(|(ids, count)| (spell(ids), count)).collect();
        prop_assert_eq!(counts.len(), frequency.len());
        prop_assert_eq!(counts, naive_frequency(&items));
        prop_assert!((frequency.documents() - items.len() as f64).abs() < f64::EPSILON);
    }

    #[test]
    fn a_table_made_from_its_own_counts_is_the_same(items in items(1..12)) {
        let counted = frequency(&items);
        let rebuilt = DocumentFrequency::from_counts(counted.documents(), naive_frequency(&items)).expect("valid counts");
        prop_assert_eq!(rebuilt.fingerprint(), counted.fingerprint());
        prop_assert_eq!(rebuilt.len(), counted.len());
        prop_assert_eq!(bits(&score(&items, Some(&Arc::new(rebuilt)), 1)), bits(&score(&items, Some(&counted), 1)));
    }

    #[test]
    fn tokenizers_drop_only_white_space(text in "\\PC{0,20}|[ab1. \t红，&;\u{3000}]{0,20}") {
        let cut = |name: &str| {
            let mut tokens: Vec<String> = vec![];
            TOKENIZERS[name].cut(&text, &mut Scratch::default(), &mut tokens);
            tokens
        };
        let solid: String = text.chars().filter(|&c| !is_space(c)).collect();
        for name in ["muge", "char", "whitespace", "zh"] {
            prop_assert_eq!(&cut(name).concat(), &solid, "{}", name);
        }
        prop_assert_eq!(cut("space").join(" "), text.as_str());
        prop_assert_eq!(cut("jieba").concat(), text.as_str());
        prop_assert!(cut("char").iter().all(|token| token.chars().count() == 1));
    }
}

#[test]
fn a_cancelled_plan_ends_every_call() {
    let texts = vec![vec!["红", "裙"]; 3];
    let references = References::new(&Cut(&texts), &[1, 2], None, &plan(1)).expect("every item has references");
    let cancelled = plan(2);
    cancelled.cancel();
    assert_eq!(References::new(&Cut(&texts), &[1, 2], None, &cancelled).err(), Some(Error::Cancelled));
    assert_eq!(references.score(&Cut(&texts[..2]), None, &all(), true, &cancelled), Err(Error::Cancelled));
    assert_eq!(references.document_frequency(&cancelled).err(), Some(Error::Cancelled));
    // A cancelled call can be repeated.
    assert!(references.score(&Cut(&texts[..2]), None, &all(), true, &plan(2)).is_ok());
}

#[test]
fn errors_name_the_argument() {
    let texts = ["红裙", "黑鞋"];
    let uncut = Uncut { tokenizer: &Tokenizer::Muge, texts: &texts };
    let error_of =
        |counts: &[usize]| References::new(&uncut, counts, None, &plan(1)).err().map(|error| error.to_string());
    assert_eq!(error_of(&[]).as_deref(), Some("references is empty, needs at least one item"));
    assert_eq!(error_of(&[2, 0]).as_deref(), Some("references[1] is empty, needs at least one reference"));
    assert_eq!(error_of(&[1]).as_deref(), Some("references has 2 items but counts has 1"));
    assert_eq!(
        error_of(&[usize::MAX, 3]).as_deref(),
        Some(&*format!("references has 2 items but counts has {}", usize::MAX))
    );
    let references = References::new(&uncut, &[1, 1], None, &plan(1)).expect("every item has references");
    let score = |chosen: Option<&[usize]>| {
        references.score(&uncut, chosen, &all(), true, &plan(1)).map(|statistics| statistics.bleu.len())
    };
    assert_eq!(score(None), Ok(2));
    let message = score(Some(&[0])).map_err(|error| error.to_string());
    assert_eq!(message, Err("predictions has 2 items but references has 1".to_owned()));
    let message = score(Some(&[0, 2])).map_err(|error| error.to_string());
    assert_eq!(message, Err("items: item 2 does not exist, there are 2".to_owned()));
}
