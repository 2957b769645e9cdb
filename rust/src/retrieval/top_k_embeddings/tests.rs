//! Against a full sort of all scores.

use super::*;
use crate::simd::dot::dot;

/// All combinations of a level that this CPU has and a precision of the coarse pass.
fn kernels() -> impl Iterator<Item = Kernels> {
    Level::available().flat_map(|level| [Precision::Int8, Precision::Float].map(|coarse| Kernels { level, coarse }))
}

/// Return pseudo-random numbers between -1 and 1.
fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mix = |index: u64| {
        let mut bits = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed.wrapping_mul(0xd1b5_4a32_d192_ed03);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits >> 40) as f32 / 8_388_608.0) - 1.0
    };
    (0..count as u64).map(mix).collect()
}

fn sorted(queries: &[f32], items: &[f32], dims: usize, k: usize) -> Vec<Vec<Entry>> {
    let ranked = queries.chunks(dims).map(|query| {
        let scored =
            items.chunks(dims).zip(0..).map(|(item, index)| Entry { score: dot(query, item, Level::Portable), index });
        let mut all: Vec<Entry> = scored.collect();
        all.sort_by(Entry::order);
        all.truncate(k);
        all
    });
    ranked.collect()
}

fn vectors<'a>(name: &'static str, numbers: &'a [f32], dims: usize) -> Vectors<'a> {
    Vectors::new(name, Numbers::F32(numbers), numbers.len() / dims, dims).expect("whole rows")
}

fn none() -> Lists<'static> {
    Lists::new("exclude", &[], &[]).expect("no lists")
}

#[test]
fn every_kernel_gives_the_ranking_of_a_full_sort() {
    for (dims, rows, columns) in [(1, 7, 33), (5, 13, 100), (64, 25, 700), (100, 3, 65)] {
        let (queries, items) = (noise(rows * dims, 1), noise(columns * dims, 2));
        let expected = sorted(&queries, &items, dims, 10);
        for kernels in kernels() {
            for threads in [1, 3] {
                let mut top = TopK::new(10, Metric::InnerProduct).expect("a good k");
                let (queries, items) = (vectors("queries", &queries, dims), vectors("items", &items, dims));
                top.update(&queries, &items, 0, &none(), kernels, &Plan::new(Some(threads))).expect("good input");
                assert_eq!(top.best, expected, "{dims} {rows} {columns} {kernels:?}");
            }
        }
    }
}

#[test]
fn blocks_and_merged_searches_give_the_same_ranking() {
    let (dims, plan) = (32, Plan::new(Some(2)));
    let (queries, items) = (noise(20 * dims, 3), noise(300 * dims, 4));
    let expected = sorted(&queries, &items, dims, 5);
    let show = |top: &mut TopK, rows: Range<usize>| {
        let (queries, items) =
            (vectors("queries", &queries, dims), vectors("items", &items[rows.start * dims..rows.end * dims], dims));
        top.update(&queries, &items, rows.start as i64, &none(), Level::best().into(), &plan)
    };
    let (mut first, mut second) =
        (TopK::new(5, Metric::InnerProduct).expect("k"), TopK::new(5, Metric::InnerProduct).expect("k"));
    show(&mut first, 200..300).expect("good");
    show(&mut first, 0..3).expect("good");
    show(&mut second, 3..200).expect("good");
    let before = second.best.clone();
    assert!(show(&mut second, 199..201).is_err());
    assert_eq!(second.best, before);
    first.merge(&second).expect("other items");
    assert_eq!(first.best, expected);
    assert!(first.merge(&second).is_err());
}

#[test]
fn a_state_restores_the_search() {
    let (queries, items) = (noise(12, 3), noise(40, 4));
    let (queries, items) = (vectors("queries", &queries, 4), vectors("items", &items, 4));
    let mut top = TopK::new(3, Metric::Cosine).expect("a good k");
    let plan = Plan::new(Some(1));
    for offset in [50, 0] {
        top.update(&queries, &items, offset, &none(), Level::Portable.into(), &plan).expect("good input");
        let mut again = TopK::from_state(3, Metric::Cosine, &top.state().expect("room")).expect("a state");
        assert_eq!((again.state(), again.best()), (top.state(), top.best()));
        again.update(&queries, &items, offset, &none(), Level::Portable.into(), &plan).expect_err("seen before");
    }
}

#[test]
fn states_of_no_search_are_errors() {
    let good =
        State { dims: 1, ends: vec![1, 3], scores: vec![2.0, 1.0, 1.0], indices: vec![0, 0, 1], blocks: vec![(0, 2)] };
    let wrong = [
        State { ends: vec![1, 4], ..good.clone() },
        State { ends: vec![2, 1], ..good.clone() },
        State { ends: vec![1, 2], ..good.clone() },
        State { ends: vec![0, 3], ..good.clone() },
        State { indices: vec![0, 1, 0], ..good.clone() },
        State { indices: vec![0, 1], ..good.clone() },
        State { blocks: vec![(0, 2), (1, 3)], ..good.clone() },
        State { blocks: vec![(2, 0)], ..good.clone() },
        State { blocks: vec![(-1, 2)], ..good.clone() },
    ];
    assert!(TopK::from_state(2, Metric::InnerProduct, &good).is_ok());
    for state in wrong {
        assert!(TopK::from_state(2, Metric::InnerProduct, &state).is_err(), "{state:?}");
    }
}

#[test]
fn a_result_that_does_not_fit_is_an_error_before_the_search() {
    let (queries, items) = (noise(1, 1), noise(1, 2));
    let (queries, items) = (vectors("queries", &queries, 1), vectors("items", &items, 1));
    let mut top = TopK::new(1, Metric::InnerProduct).expect("a good k");
    top.k = usize::MAX;
    // As if it had seen nearly all items that there can be.
    top.seen.push(1..i64::MAX);
    (top.best, top.dims) = (vec![Vec::new()], 1);
    let error = top.update(&queries, &items, 0, &none(), Level::Portable.into(), &Plan::new(Some(1))).unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error}");
}

#[test]
fn another_number_of_excluded_lists_is_an_error() {
    let (queries, items) = (noise(4, 1), noise(2, 2));
    let (queries, items) = (vectors("queries", &queries, 1), vectors("items", &items, 1));
    let mut top = TopK::new(1, Metric::InnerProduct).expect("a good k");
    let exclude = Lists::new("exclude", &[0], &[1]).expect("one list");
    let error = top.update(&queries, &items, 0, &exclude, Level::Portable.into(), &Plan::new(Some(1))).unwrap_err();
    assert_eq!(error.to_string(), "exclude has 1 items but queries has 4");
}

#[test]
fn kernels_have_names() {
    for (&name, precision) in Precision::NAMES.iter().zip([Precision::Int8, Precision::Float]) {
        assert_eq!(name.parse(), Ok(precision));
    }
    let error = "int4".parse::<Precision>().unwrap_err().to_string();
    assert_eq!(error, "unknown MUGE_FAST_COARSE \"int4\", choose one of int8, float");
    assert_eq!(Kernels::from(Level::Avx512Vnni).coarse, Precision::Int8);
    assert_eq!(Kernels::from(Level::Portable).coarse, Precision::Float);
}

#[test]
fn vectors_that_8_bits_cannot_tell_apart_are_ranked_by_every_kernel() {
    let dims = 48;
    let base = noise(dims, 5);
    let items: Vec<f32> = (0..200_usize)
        .flat_map(|item| {
            base.iter()
                .enumerate()
                .map(move |(index, &number)| if index == item % 48 { number.next_up() } else { number })
        })
        .collect();
    let queries = [noise(dims, 6), base.clone()].concat();
    let expected = sorted(&queries, &items, dims, 7);
    for kernels in kernels() {
        let mut top = TopK::new(7, Metric::InnerProduct).expect("a good k");
        let (queries, items) = (vectors("queries", &queries, dims), vectors("items", &items, dims));
        top.update(&queries, &items, 0, &none(), kernels, &Plan::new(Some(2))).expect("good input");
        assert_eq!(top.best, expected, "{kernels:?}");
    }
}

/// Return 600 vectors: near copies of one, exact copies of another, and random ones, mixed.
fn with_copies(dims: usize, noise_size: f32) -> Vec<f32> {
    let (near, exact, noise) = (noise(dims, 7), noise(dims, 8), noise(600 * dims, 9));
    let number = |(at, &noise): (usize, &f32)| match at / dims % 3 {
        0 => near[at % dims] + noise_size * noise,
        1 => exact[at % dims],
        _ => noise,
    };
    noise.iter().enumerate().map(number).collect()
}

#[test]
fn copies_and_near_copies_are_ranked_by_every_kernel() {
    let dims = 48;
    let queries = [noise(dims, 6), noise(dims, 7), noise(dims, 8)].concat();
    let usual = [(1e-3, 7, 1.0), (1e-6, 7, 1.0), (1e-6, 250, 1.0), (0.0, 7, 1.0)];
    // Products beyond single precision, and numbers that are not normal in it.
    let extreme = [(1e-3, 7, 1e37), (1e-6, 250, 1e37), (1e-3, 250, 1e-43)];
    for (noise_size, k, factor) in usual.into_iter().chain(extreme) {
        let items: Vec<f32> = with_copies(dims, noise_size).into_iter().map(|number| number * factor).collect();
        let expected = sorted(&queries, &items, dims, k);
        for kernels in kernels() {
            let mut top = TopK::new(k, Metric::InnerProduct).expect("a good k");
            let (queries, items) = (vectors("queries", &queries, dims), vectors("items", &items, dims));
            top.update(&queries, &items, 0, &none(), kernels, &Plan::new(Some(2))).expect("good input");
            assert_eq!(top.best, expected, "{noise_size} {k} {factor} {kernels:?}");
        }
    }
}
