//! Benchmarks of the caption kernels, without Python.

use divan::{Bencher, black_box};
use muge_fast_core::Plan;
use muge_fast_core::caption::{Metrics, References};
use muge_fast_core::text::Tokenizer;
use muge_fast_core::text::tokens::{Uncut, tokenize};

fn main() {
    divan::main();
}

/// Make captions of 40 to 70 characters over an alphabet of 3,000, the first characters more frequent.
fn captions(count: usize) -> Vec<String> {
    let mut state = 1u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut character = || char::from_u32(0x4e00 + (next(3000) * next(3000) / 3000) as u32).unwrap_or('的');
    (0..count).map(|index| (0..40 + index % 31).map(|_| character()).collect()).collect()
}

const ITEMS: usize = 2_000;
const REFERENCES: usize = 5;

fn references(texts: &[String]) -> References {
    let uncut = Uncut { tokenizer: &Tokenizer::Muge, texts };
    References::new(&uncut, &[REFERENCES; ITEMS], None, &Plan::new(Some(1))).expect("references are valid")
}

#[divan::bench(args = ["muge", "char", "whitespace", "13a", "zh", "jieba"])]
fn tokenizer(bencher: Bencher<'_, '_>, name: &str) {
    let texts = captions(ITEMS);
    let tokenizer = Tokenizer::named(name, None).expect("the name is known");
    let characters: usize = texts.iter().map(|text| text.chars().count()).sum();
    bencher
        .counter(divan::counter::CharsCount::new(characters))
        .bench(|| tokenize(&Uncut { tokenizer: &tokenizer, texts: black_box(&texts) }, None, &Plan::new(Some(1))));
}

#[divan::bench]
fn document_frequency(bencher: Bencher<'_, '_>) {
    let references = references(&captions(ITEMS * REFERENCES));
    bencher.bench(|| references.document_frequency(&Plan::new(Some(1))));
}

#[divan::bench(args = ["bleu", "rouge_l", "cider_d", "all"])]
fn score(bencher: Bencher<'_, '_>, name: &str) {
    let references = references(&captions(ITEMS * REFERENCES));
    let predictions = captions(ITEMS);
    let all = name == "all";
    let metrics = Metrics {
        bleu: all || name == "bleu",
        rouge_l: all || name == "rouge_l",
        cider_d: all || name == "cider_d",
        cider: all,
        ..Metrics::default()
    };
    let uncut = Uncut { tokenizer: &Tokenizer::Muge, texts: &predictions };
    bencher.bench(|| references.score(&uncut, None, &metrics, true, &Plan::new(Some(1))));
}
