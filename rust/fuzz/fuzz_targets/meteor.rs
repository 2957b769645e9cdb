//! METEOR: words of any text, tables of any paraphrases, rows that a plain definition or their meaning demands.

#![no_main]

use std::collections::HashSet;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use muge_fast_core::Plan;
use muge_fast_core::caption::meteor::{
    Dictionaries, Meteor, MeteorStatistics, Prepared, TableBuilder, rows, score, score_corpus,
};

/// Words with stems, synonyms and function words in common.
const WORDS: [&str; 16] = [
    "red", "crimson", "dress", "dresses", "gown", "run", "running", "ran", "the", "of", "2", "14", "红", "裙", ",", ".",
];

/// Words that match if they are equal, and the only function word among them.
const EQUAL_WORDS: [char; 6] = ['红', '裙', '新', '款', '，', FUNCTION_WORD];
const FUNCTION_WORD: char = ',';

const DICTIONARIES: Dictionaries<'static> = Dictionaries {
    function_words: "the\nof\n,\n.\n",
    prefixes: "Mr\nNo #NUMERIC_ONLY#\n",
    synsets: "red\n1 2\ncrimson\n2\ndress\n3\ngown\n3 4\nrun\n5\n",
    exceptions: "run\nran\n",
};

/// Enough for several alignments to compete, and few enough for the plain definition.
const MAX_WORDS: usize = 40;
const MAX_ITEMS: usize = 6;
const BEAM: usize = 40;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    text: &'a str,
    lines: &'a [u8],
    pairs: Vec<[Vec<u8>; 2]>,
    /// How often the items are repeated: several blocks of work.
    copies: u8,
    items: Vec<Item>,
}

#[derive(Debug, Arbitrary)]
struct Item {
    prediction: Vec<u8>,
    first: Vec<u8>,
    others: Vec<Vec<u8>>,
}

fuzz_target!(|input: Input<'_>| {
    let meteor = tables(&input);
    for word in meteor.words(input.text) {
        assert!(!word.is_empty() && !word.contains([' ', '\t', '\n', '\r', '\u{c}']), "{word:?}");
    }
    if input.items.is_empty() {
        return;
    }
    let equal = all_rows(&Meteor::without_data(), &texts(&input, equal_text));
    for (index, item) in input.items.iter().take(MAX_ITEMS).enumerate() {
        assert_eq!(equal[index], plain_best(item), "{item:?}");
    }
    let with_data = all_rows(&meteor, &texts(&input, |words| text(words).join(" ")));
    equal.iter().chain(&with_data).for_each(check_row);
    assert!((0.0..=1.0).contains(&score_corpus(&with_data)));
});

/// Make tables of any lines, which may be refused, and of pairs of phrases, whose sections must be as they were written.
fn tables(input: &Input<'_>) -> Meteor {
    let mut builder = TableBuilder::default();
    if builder.feed(input.lines).is_ok() {
        if let Ok(tables) = builder.finish(&DICTIONARIES, &Plan::new(Some(1))) {
            Meteor::from_head(&tables.head).expect("a head that was written");
        }
    }
    let mut builder = TableBuilder::default();
    let mut lines = String::new();
    for pair in &input.pairs {
        let [phrase, paraphrase] = pair.each_ref().map(|words| text(&words[..words.len().min(7)]).join(" "));
        if !phrase.is_empty() && !paraphrase.is_empty() {
            lines += &format!("0.5\n{phrase}\n{paraphrase}\n");
        }
    }
    let cut = lines.len() * usize::from(input.copies) / 256;
    builder.feed(&lines.as_bytes()[..cut]).expect("lines of phrases");
    builder.feed(&lines.as_bytes()[cut..]).expect("lines of phrases");
    let tables = builder.finish(&DICTIONARIES, &Plan::new(Some(1))).expect("lines of phrases");
    let meteor = Meteor::from_head(&tables.head).expect("a head that was written");
    let all = WORDS.join(" ");
    let prepared =
        Prepared::new(&meteor, &[all][..], &[1], None, "predictions", &Plan::new(Some(1))).expect("one text");
    for id in prepared.unread(&meteor) {
        meteor.add_section(id, &tables.sections[meteor.section_range(id)]).expect("a section that was written");
    }
    meteor
}

/// References of all items with their numbers, and predictions.
struct Texts {
    references: Vec<String>,
    counts: Vec<usize>,
    predictions: Vec<String>,
}

fn texts(input: &Input<'_>, make: impl Fn(&[u8]) -> String) -> Texts {
    let copies = 1 + usize::from(input.copies % 30);
    let items = input.items.iter().take(MAX_ITEMS).cycle().take(input.items.len().min(MAX_ITEMS) * copies);
    let mut texts = Texts { references: vec![], counts: vec![], predictions: vec![] };
    for item in items {
        let before = texts.references.len();
        texts.references.extend(references(item).map(|words| make(words)));
        texts.counts.push(texts.references.len() - before);
        texts.predictions.push(make(&item.prediction));
    }
    texts
}

fn references(item: &Item) -> impl Iterator<Item = &Vec<u8>> {
    [&item.first].into_iter().chain(item.others.iter().take(2))
}

fn text(words: &[u8]) -> Vec<&'static str> {
    words.iter().take(MAX_WORDS).map(|&word| WORDS[usize::from(word) % WORDS.len()]).collect()
}

fn equal_words(words: &[u8]) -> Vec<char> {
    words.iter().take(MAX_WORDS).map(|&word| EQUAL_WORDS[usize::from(word) % EQUAL_WORDS.len()]).collect()
}

/// Words with spaces between them: of commas side by side, some are one word.
fn equal_text(words: &[u8]) -> String {
    equal_words(words).into_iter().flat_map(|word| [word, ' ']).collect()
}

/// Return the rows, which must be the same on any number of threads, for items that are chosen, and for copies.
fn all_rows(meteor: &Meteor, texts: &Texts) -> Vec<MeteorStatistics> {
    let [one, three] = [1, 3].map(|threads| {
        let plan = Plan::new(Some(threads));
        let references =
            Prepared::new(meteor, &texts.references[..], &texts.counts, None, "references", &plan).unwrap();
        let ones = vec![1; texts.predictions.len()];
        let make = |texts: &[String]| {
            let mut made = Prepared::new(meteor, texts, &ones, Some(&references), "predictions", &plan).unwrap();
            made.attach(meteor);
            made
        };
        let all = rows(&references, &make(&texts.predictions), None, &plan).unwrap();
        let reversed: Vec<_> = texts.predictions.iter().rev().cloned().collect();
        let chosen: Vec<_> = (0..ones.len()).rev().collect();
        let mut chosen = rows(&references, &make(&reversed), Some(&chosen), &plan).unwrap();
        chosen.reverse();
        assert_eq!(all, chosen);
        all
    });
    assert_eq!(one, three);
    one
}

/// Check that matches are words, and that the score is one.
fn check_row(row: &MeteorStatistics) {
    assert!(row.iter().all(|value| value.fract() == 0.0 && *value >= 0.0), "{row:?}");
    for side in 0..2 {
        let of_kind = |first: usize| (0..4).map(|module| row[first + 4 * module + side]).sum::<f64>();
        assert!(of_kind(4) <= row[side] - row[2 + side] && of_kind(6) <= row[2 + side], "{row:?}");
        assert_eq!(of_kind(4) + of_kind(6), row[21 + side], "{row:?}");
    }
    assert!(row[20] <= row[21].min(row[22]), "{row:?}");
    assert!((0.0..=1.0).contains(&score(row)), "{row:?}");
}

/// Return the row of the first reference with the highest score.
fn plain_best(item: &Item) -> MeteorStatistics {
    let prediction = equal_words(&item.prediction);
    let mut best: Option<MeteorStatistics> = None;
    for reference in references(item) {
        let row = plain_row(&prediction, &equal_words(reference));
        if best.is_none_or(|best| score(&row) > score(&best)) {
            best = Some(row);
        }
    }
    best.unwrap()
}

/// Return the row of two texts whose words match if they are equal.
fn plain_row(prediction: &[char], reference: &[char]) -> MeteorStatistics {
    let taken = align(prediction, reference);
    let functions = |words: &[char]| words.iter().filter(|&&word| word == FUNCTION_WORD).count();
    let of_function = taken.iter().filter(|&&(start, _)| reference[start] == FUNCTION_WORD).count();
    let content = taken.len() - of_function;
    let chunks =
        taken.iter().filter(|&&(start, place)| start == 0 || place == 0 || !taken.contains(&(start - 1, place - 1)));
    let mut row = [0.0; 23];
    let lengths = [prediction.len(), reference.len(), functions(prediction), functions(reference)];
    for (value, count) in row.iter_mut().zip([&lengths[..], &[content, content, of_function, of_function]].concat()) {
        *value = count as f64;
    }
    row[20] = chunks.count() as f64;
    row[21..].fill(taken.len() as f64);
    row
}

#[derive(Clone, Default)]
struct Path {
    words: i64,
    chunks: i64,
    distance: i64,
    last_end: Option<usize>,
    taken: Vec<(usize, usize)>,
    used: HashSet<usize>,
}

impl Path {
    fn rank(&self) -> (i64, i64, i64) {
        (-self.words, self.chunks, self.distance)
    }

    fn take(&mut self, start: usize, place: usize) {
        self.words += 2;
        self.chunks += i64::from(self.last_end.is_some_and(|end| end != place));
        self.last_end = Some(place + 1);
        self.taken.push((start, place));
        self.used.insert(place);
    }
}

/// Return pairs of places in the reference and in the prediction, in the order of the reference.
fn align(prediction: &[char], reference: &[char]) -> Vec<(usize, usize)> {
    let places = |word: char| (0..prediction.len()).filter(move |&place| prediction[place] == word);
    let is_fixed =
        |word: char| places(word).count() == 1 && reference.iter().filter(|&&other| other == word).count() == 1;
    let fixed = reference.iter().filter(|&&word| is_fixed(word)).flat_map(|&word| places(word)).collect();
    let mut paths = vec![Path { used: fixed, ..Path::default() }];
    for (start, &word) in reference.iter().enumerate() {
        paths.sort_by_key(Path::rank);
        paths.truncate(BEAM);
        let mut after = vec![];
        for mut path in paths {
            if is_fixed(word) {
                let place = places(word).next().unwrap();
                path.take(start, place);
                path.distance += start.abs_diff(place) as i64;
                after.push(path);
                continue;
            }
            for place in places(word) {
                if !path.used.contains(&place) {
                    let mut longer = path.clone();
                    longer.take(start, place);
                    // It counts for what is made from the path later, and not for the copy.
                    path.distance += start.abs_diff(place) as i64;
                    after.push(longer);
                }
            }
            path.chunks += i64::from(path.last_end.take().is_some());
            after.push(path);
        }
        paths = after;
    }
    paths.sort_by_key(Path::rank);
    paths.truncate(BEAM);
    for path in &mut paths {
        path.chunks += i64::from(path.last_end.is_some());
    }
    paths.into_iter().min_by_key(Path::rank).unwrap().taken
}
