//! Comparison with values recorded from the reference implementations, in the files of `golden/`. The Python tests read
//! the same files.

use std::fs;
use std::path::PathBuf;

use muge_fast_core::Plan;
use muge_fast_core::caption::bleu::{self, Smoothing};
use muge_fast_core::caption::{ItemStatistics, Metrics, References};
use muge_fast_core::sums;
use muge_fast_core::text::tokens::Uncut;
use muge_fast_core::text::{Scratch, Tokenizer};
use serde_json::Value;

fn golden(name: &str) -> Value {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "tests", "golden", &format!("{name}.json")].iter().collect();
    let text = fs::read_to_string(&path).expect("the recorded values are part of the repository");
    serde_json::from_str(&text).expect("the recorded values are JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn strings(value: &Value) -> Vec<&str> {
    list(value).iter().filter_map(Value::as_str).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().filter_map(Value::as_f64).collect()
}

fn tokenizer(name: &Value) -> Tokenizer {
    Tokenizer::named(name.as_str().unwrap_or_default(), None).expect("the name is known")
}

#[track_caller]
fn assert_close(value: f64, expected: &Value) {
    let expected = expected.as_f64().expect("a number is recorded");
    assert!((value - expected).abs() <= 1e-12, "computed {value}, recorded {expected}");
}

fn score(golden: &Value, tokenizer: &Tokenizer) -> ItemStatistics {
    let plan = Plan::new(Some(2));
    let references: Vec<Vec<&str>> = list(&golden["references"]).iter().map(strings).collect();
    let counts: Vec<usize> = references.iter().map(Vec::len).collect();
    let texts = references.concat();
    let references =
        References::new(&Uncut { tokenizer, texts: &texts }, &counts, None, &plan).expect("no item is empty");
    let metrics = Metrics { bleu: true, cider_d: true, cider: true, rouge_l: true, ..Metrics::default() };
    let predictions = strings(&golden["predictions"]);
    references.score(&Uncut { tokenizer, texts: &predictions }, None, &metrics, true, &plan).expect("lengths agree")
}

fn check_mean(name: &str, per_item: impl Fn(ItemStatistics) -> Vec<f64>) {
    let golden = golden(name);
    assert!(!list(&golden["cases"]).is_empty());
    for case in list(&golden["cases"]) {
        let values = per_item(score(&golden, &tokenizer(&case["options"]["tokenizer"])));
        assert_eq!(values.len(), numbers(&case["per_item"]).len());
        values.iter().zip(list(&case["per_item"])).for_each(|(&value, expected)| assert_close(value, expected));
        assert_close(sums::mean(&values), &case["value"]);
    }
}

fn check_bleu(name: &str) {
    let golden = golden(name);
    assert!(!list(&golden["cases"]).is_empty());
    for case in list(&golden["cases"]) {
        let options = &case["options"];
        let name = options["smoothing"].as_str().unwrap_or_default();
        let smoothing = Smoothing::named(name, options["smoothing_value"].as_f64()).expect("the name is known");
        let effective_order = options["effective_order"].as_bool().unwrap_or(false);
        let statistics = score(&golden, &tokenizer(&options["tokenizer"])).bleu;
        assert_eq!(statistics.len(), numbers(&case["per_item"]).len());
        let per_item = bleu::score_items(&statistics, smoothing, effective_order);
        for (by_order, expected) in per_item.iter().zip(list(&case["per_item"])) {
            assert_close(by_order[3], expected);
        }
        let corpus = bleu::score(&sums::sum(&statistics), smoothing, effective_order);
        assert_close(corpus.by_order[3], &case["value"]);
        for (part, expected) in case["parts"].as_object().into_iter().flatten() {
            match part.strip_prefix("bleu_").and_then(|order| order.parse::<usize>().ok()) {
                Some(order) => assert_close(corpus.by_order[order - 1], expected),
                None => assert_close(corpus.brevity_penalty, expected),
            }
        }
    }
}

#[test]
fn bleu_equals_pycocoevalcap() {
    check_bleu("bleu_tiny");
}

#[test]
fn bleu_equals_sacrebleu() {
    check_bleu("bleu_smoothed");
}

#[test]
fn rouge_l_equals_pycocoevalcap() {
    check_mean("rouge_l", |statistics| statistics.rouge_l);
}

#[test]
fn cider_d_equals_pycocoevalcap() {
    check_mean("cider_d", |statistics| statistics.cider_d);
}

#[test]
fn cider_equals_ruotianluo() {
    check_mean("cider", |statistics| statistics.cider);
}

#[test]
fn tokens_equal_sacrebleu_and_python() {
    let golden = golden("tokens");
    let texts = strings(&golden["texts"]);
    let mut scratch = Scratch::default();
    for case in list(&golden["cases"]) {
        let tokenizer = tokenizer(&case["tokenizer"]);
        for (text, expected) in texts.iter().zip(list(&case["tokens"])) {
            let mut tokens: Vec<String> = vec![];
            tokenizer.cut(text, &mut scratch, &mut tokens);
            assert_eq!(tokens, strings(expected), "{tokenizer:?} of {text:?}");
        }
    }
}
