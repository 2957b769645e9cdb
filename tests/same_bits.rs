//! Scores have the same bits on every machine: hashes of scores of the sample files and of rankings, against those in
//! `golden/same_bits.json`, which the reference implementations computed on one machine (`golden/make_same_bits.py`).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use muge_fast_core::Plan;
use muge_fast_core::caption::bleu::{self, Smoothing};
use muge_fast_core::caption::{Metrics, References};
use muge_fast_core::retrieval::top_k_embeddings::{Kernels, Metric, Numbers, Precision, TopK, Vectors};
use muge_fast_core::retrieval::{Lists, metrics};
use muge_fast_core::simd::Level;
use muge_fast_core::text::Tokenizer;
use muge_fast_core::text::tokens::Uncut;
use serde_json::Value;

const SYSTEMS: [&str; 3] = ["template", "base", "large"];
/// Metrics that call `ln`, `log2`, `exp` or `pow`, whose last bits are those of the platform's C library. Only those of
/// glibc are known to agree.
const OF_THE_C_LIBRARY: [&str; 3] = ["bleu", "cider_d", "ndcg"];
/// Those whose bits musl changes: BLEU of one of the twelve sets here.
const OF_GLIBC: [&str; 1] = ["bleu"];
/// Queries, items and dimensions of the search.
const SHAPE: (usize, usize, usize) = (24, 300, 70);

fn read(parts: &[&str]) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), ".."].iter().chain(parts).collect();
    fs::read_to_string(path).expect("the file is part of the repository")
}

fn rows(task: &str, name: &str) -> Vec<Value> {
    let text = read(&["python", "muge_fast", "samples", task, name]);
    text.lines().map(|line| serde_json::from_str(line).expect("a line is a JSON object")).collect()
}

/// Return the 64-bit FNV-1a hash of some numbers, as bytes of double precision, the lowest first.
fn hash(values: impl IntoIterator<Item = f64>) -> String {
    let bytes = values.into_iter().flat_map(f64::to_le_bytes);
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

/// Return the hashes that were recorded under a prefix, apart from those that another C library may change.
fn recorded(prefix: &str) -> BTreeMap<String, String> {
    let golden: Value = serde_json::from_str(&read(&["tests", "golden", "same_bits.json"])).expect("it is JSON");
    let hashes = golden["hashes"].as_object().expect("hashes are recorded");
    let chosen = hashes.iter().filter(|(name, _)| name.starts_with(prefix) && is_promised(name));
    chosen.map(|(name, hash)| (name.clone(), hash.as_str().expect("a hash is text").to_owned())).collect()
}

fn is_promised(name: &str) -> bool {
    let changed: &[&str] = if cfg!(target_env = "musl") {
        &OF_GLIBC
    } else if cfg!(target_os = "linux") {
        &[]
    } else {
        &OF_THE_C_LIBRARY
    };
    !changed.contains(&name.rsplit(' ').next().unwrap_or_default())
}

#[track_caller]
fn assert_recorded(prefix: &str, computed: BTreeMap<String, String>) {
    let computed: BTreeMap<_, _> = computed.into_iter().filter(|(name, _)| is_promised(name)).collect();
    assert!(!computed.is_empty());
    assert_eq!(computed, recorded(prefix));
}

fn texts(row: &Value) -> Vec<&str> {
    match &row["text"] {
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        text => text.as_str().into_iter().collect(),
    }
}

/// Return the hashes of one system's captions for one tokenizer. Predictions have the order of the references.
fn caption_hashes(tokenizer_name: &str, system: &str, threads: usize) -> BTreeMap<String, String> {
    let tokenizer = &Tokenizer::named(tokenizer_name, None).expect("the name is known");
    let plan = Plan::new(Some(threads));
    let (gold, predicted) =
        (rows("caption", "IC_sample.jsonl"), rows("caption", &format!("IC_sample.pred.{system}.jsonl")));
    let by_id: BTreeMap<_, _> = predicted.iter().map(|row| (row["image_id"].as_str(), texts(row)[0])).collect();
    let counts: Vec<usize> = gold.iter().map(|row| texts(row).len()).collect();
    let references: Vec<&str> = gold.iter().flat_map(texts).collect();
    let predictions: Vec<&str> = gold.iter().map(|row| by_id[&row["image_id"].as_str()]).collect();
    let references =
        References::new(&Uncut { tokenizer, texts: &references }, &counts, None, &plan).expect("not empty");
    let metrics = Metrics { bleu: true, cider_d: true, rouge_l: true, ..Metrics::default() };
    let predictions = Uncut { tokenizer, texts: &predictions };
    let scores = references.score(&predictions, None, &metrics, true, &plan).expect("lengths agree");
    let bleu = bleu::score_items(&scores.bleu, Smoothing::Tiny, false);
    let name = |metric: &str| format!("caption {tokenizer_name} {system} {metric}");
    BTreeMap::from([
        (name("bleu"), hash(bleu.into_iter().flatten())),
        (name("cider_d"), hash(scores.cider_d)),
        (name("rouge_l"), hash(scores.rouge_l)),
    ])
}

fn all_caption_hashes(threads: usize) -> BTreeMap<String, String> {
    let pairs = ["muge", "char", "jieba", "13a"].into_iter().flat_map(|name| SYSTEMS.map(|system| (name, system)));
    pairs.flat_map(|(name, system)| caption_hashes(name, system, threads)).collect()
}

#[test]
fn captions_have_the_bits_of_pycocoevalcap() {
    assert_recorded("caption ", all_caption_hashes(1));
    assert_recorded("caption ", all_caption_hashes(3));
}

fn ids(rows: &[Value]) -> (Vec<i64>, Vec<i64>) {
    let lists: Vec<Vec<i64>> = rows
        .iter()
        .map(|row| row["item_ids"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect())
        .collect();
    (lists.concat(), lists.iter().map(|list| list.len() as i64).collect())
}

fn retrieval_hashes(system: &str) -> BTreeMap<String, String> {
    let gold = rows("retrieval", "MR_sample_queries.jsonl");
    let predicted = rows("retrieval", &format!("MR_sample.pred.{system}.jsonl"));
    let queries = |rows: &[Value]| rows.iter().map(|row| row["query_id"].as_i64()).collect::<Vec<_>>();
    assert_eq!(queries(&gold), queries(&predicted));
    let ((relevant, relevant_lengths), (ranked, ranked_lengths)) = (ids(&gold), ids(&predicted));
    let references = Lists::new("references", &relevant, &relevant_lengths).expect("lengths agree");
    let predictions = Lists::new("predictions", &ranked, &ranked_lengths).expect("lengths agree");
    let of = |name: &str| {
        let metric = metrics::Metric::named(name, 10).expect("the name is known");
        hash(metrics::rows(&predictions, &references, &[metric], &Plan::new(Some(2))).expect("lists are valid"))
    };
    metrics::Metric::NAMES.iter().map(|name| (format!("retrieval {system} {name}"), of(name))).collect()
}

#[test]
fn retrieval_has_the_bits_of_the_definition() {
    assert_recorded("retrieval ", SYSTEMS.into_iter().flat_map(retrieval_hashes).collect());
}

/// Return vectors of a linear congruential generator: numbers of 24 bits between -8 and 8.
fn vectors(seed: u64, rows: usize) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as i32 - (1 << 23)) as f32 / (1 << 20) as f32
    };
    std::iter::repeat_with(next).take(rows * SHAPE.2).collect()
}

fn search(metric: Metric, kernels: Kernels) -> String {
    let (queries, items) = (vectors(1, SHAPE.0), vectors(2, SHAPE.1));
    let queries = Vectors::new("queries", Numbers::F32(&queries), SHAPE.0, SHAPE.2).expect("the shape is right");
    let items = Vectors::new("items", Numbers::F32(&items), SHAPE.1, SHAPE.2).expect("the shape is right");
    let nothing = Lists::new("exclude", &[], &[]).expect("lengths agree");
    let mut search = TopK::new(10, metric).expect("k is not zero");
    search.update(&queries, &items, 0, &nothing, kernels, &Plan::new(Some(2))).expect("the vectors are finite");
    let (scores, indices) = search.best().expect("there are more items than k");
    hash(scores.into_iter().chain(indices.into_iter().map(|index| index as f64)))
}

#[test]
fn rankings_have_the_bits_of_the_definition_at_each_cpu_level() {
    for level in Level::available() {
        for coarse in [Precision::Int8, Precision::Float] {
            let of = |metric: Metric| (format!("top_k {}", metric.name()), search(metric, Kernels { level, coarse }));
            assert_recorded("top_k ", [Metric::InnerProduct, Metric::Cosine].map(of).into());
        }
    }
}
