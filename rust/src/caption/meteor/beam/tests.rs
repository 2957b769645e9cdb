//! The search against a plain one, which copies every path and sorts them all.

use super::*;

#[derive(Debug, Clone, Default)]
struct Plain {
    matched: u64,
    chunks: u64,
    distance: u64,
    next: usize,
    last_end: Option<usize>,
    taken: Vec<Match>,
    used: Vec<usize>,
}

impl Plain {
    fn key(&self) -> (u64, u64, u64) {
        (u64::MAX - self.matched, self.chunks, self.distance)
    }

    fn take(&mut self, found: Match) {
        self.matched += found.matched_words();
        self.chunks += u64::from(self.last_end.is_some_and(|end| end != usize::from(found.prediction_start)));
        self.next = found.words().end;
        self.last_end = Some(found.prediction_words().end);
        self.taken.push(found);
        self.used.extend(found.prediction_words());
    }

    fn close(&mut self) {
        self.chunks += u64::from(self.last_end.take().is_some());
    }
}

/// Return the matches that the original takes, by the rules at the top of the file of the search.
fn plain_search(matches: &Matches, length: usize) -> Vec<Match> {
    let covers = |found: Match, other: &Match| {
        let common = |left: std::ops::Range<usize>, right: std::ops::Range<usize>| {
            left.start < right.end && right.start < left.end
        };
        common(found.words(), other.words()) || common(found.prediction_words(), other.prediction_words())
    };
    let is_fixed = |found: Match| matches.all().iter().filter(|other| covers(found, other)).count() == 1;
    let mut paths = vec![Plain::default()];
    for index in 0..length {
        let here = matches.at_range(&matches.range(index));
        paths.sort_by_key(Plain::key);
        paths.truncate(40);
        let mut after = Vec::new();
        for mut path in paths {
            if path.next == index {
                match *here {
                    [found] if is_fixed(found) => {
                        path.take(found);
                        path.distance += found.distance();
                    }
                    _ => {
                        for &found in here {
                            if found.prediction_words().all(|word| !path.used.contains(&word)) {
                                let mut longer = path.clone();
                                longer.take(found);
                                path.distance += found.distance();
                                after.push(longer);
                            }
                        }
                        path.close();
                        path.next += 1;
                    }
                }
            }
            after.push(path);
        }
        paths = after;
    }
    paths.sort_by_key(Plain::key);
    paths.truncate(40);
    paths.iter_mut().for_each(Plain::close);
    paths.into_iter().min_by_key(Plain::key).expect("a path").taken
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        ((self.0 >> 33) as usize) % end
    }
}

fn assert_equal_to_plain(beam: &mut Beam, matches: &Matches, length: usize) {
    let mut best = Vec::new();
    beam.search(matches, &mut best, &Plan::new(Some(1))).expect("an alignment");
    best.sort_by_key(|found| found.start);
    assert_eq!(best, plain_search(matches, length));
}

#[test]
fn matches_of_phrases_of_all_modules_are_aligned_as_by_the_plain_search() {
    let mut random = Random(1);
    let mut beam = Beam::default();
    for round in 0..400 {
        let (length, prediction_length) = (1 + random.below(40), 1 + random.below(40));
        let count = random.below(1 + length * (1 + round % 5));
        let found: Vec<Match> = (0..count)
            .map(|_| {
                let (start, prediction_start) = (random.below(length), random.below(prediction_length));
                let module = random.below(4) as u8;
                let longest = |rest: usize| if module == 3 { rest.min(3) } else { 1 };
                Match {
                    start: start as u16,
                    prediction_start: prediction_start as u16,
                    length: 1 + random.below(longest(length - start)) as u8,
                    prediction_length: 1 + random.below(longest(prediction_length - prediction_start)) as u8,
                    module,
                }
            })
            .collect();
        assert_equal_to_plain(&mut beam, &Matches::of(&found, prediction_length, length), length);
    }
}

#[test]
fn many_equal_words_are_aligned_as_by_the_plain_search() {
    let mut random = Random(2);
    let mut beam = Beam::default();
    // Of more words than there are to match, of more bits, and more candidates than are compared with each other.
    let sizes = [(2, 1, 1), (5, 2, 1), (70, 70, 1), (90, 30, 2), (30, 280, 1), (120, 120, 5), (60, 60, 60)];
    for (length, prediction_length, different) in sizes {
        let mut words = |count: usize| (0..count).map(|_| random.below(different)).collect::<Vec<_>>();
        let (reference, prediction) = (words(length), words(prediction_length));
        let mut found = Vec::new();
        for (start, word) in reference.iter().enumerate() {
            for (prediction_start, _) in prediction.iter().enumerate().filter(|&(_, other)| other == word) {
                let (start, prediction_start) = (start as u16, prediction_start as u16);
                found.push(Match { start, prediction_start, length: 1, prediction_length: 1, module: EXACT });
            }
        }
        assert_equal_to_plain(&mut beam, &Matches::of(&found, prediction_length, length), length);
    }
}
