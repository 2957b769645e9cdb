//! Words that are not in the dictionary: jieba's `finalseg`.
//!
//! A hidden Markov model gives each Chinese character a state: it begins a word, ends it, is in the middle, or is
//! a word of its own. Viterbi's algorithm finds the states that are most likely together.

use super::letters::{Letter, is_han};

/// The states B, E, M and S, numbered in the order of their letters: jieba breaks ties by the letter.
pub(super) const STATES: usize = 4;
const BEGIN: usize = 0;
const END: usize = 1;
const MIDDLE: usize = 2;
const SINGLE: usize = 3;

/// The two states that can come before each state.
const BEFORE: [[usize; 2]; STATES] = [[END, SINGLE], [BEGIN, MIDDLE], [BEGIN, MIDDLE], [END, SINGLE]];

/// Logarithms of probabilities.
pub(super) struct Hmm {
    pub start: [f64; STATES],
    pub transition: [[f64; STATES]; STATES],
    /// By the code of the character.
    pub emissions: Vec<[f64; STATES]>,
}

impl Hmm {
    /// The lengths of the words in a run of Chinese characters.
    ///
    /// Sums are made in jieba's order, as rounding can make ties and ties decide.
    pub fn words<'a>(&self, run: &[Letter], states: &'a mut Vec<u8>) -> impl Iterator<Item = usize> + use<'a> {
        states.clear();
        let mut scores = self.start;
        for (at, letter) in run.iter().enumerate() {
            let emission = &self.emissions[usize::from(letter.code)];
            if at == 0 {
                scores = std::array::from_fn(|state| scores[state] + emission[state]);
                states.push(0);
            } else {
                states.push(self.advance(&mut scores, emission));
            }
        }
        trace_back(&scores, states);
        let ends_word = |&state: &u8| usize::from(state) == END || usize::from(state) == SINGLE;
        states.split_inclusive(ends_word).map(<[u8]>::len)
    }

    /// Replace the scores by those of the next character. Bit `s` of the result says which of [`BEFORE`] came
    /// before state `s`.
    #[inline]
    fn advance(&self, scores: &mut [f64; STATES], emission: &[f64; STATES]) -> u8 {
        let mut came_from = 0;
        let mut next = [0.0; STATES];
        for state in 0..STATES {
            let [one, other] = BEFORE[state].map(|from| scores[from] + self.transition[from][state] + emission[state]);
            next[state] = if other >= one { other } else { one };
            came_from |= u8::from(other >= one) << state;
        }
        *scores = next;
        came_from
    }
}

/// Replace the results of [`Hmm::advance`] by the states on the best path.
fn trace_back(scores: &[f64; STATES], states: &mut [u8]) {
    let mut state = if scores[SINGLE] >= scores[END] { SINGLE } else { END };
    for entry in states.iter_mut().rev() {
        let before = BEFORE[state][usize::from(*entry >> state & 1)];
        *entry = state as u8;
        state = before;
    }
}

/// The first piece of a run that starts with no Chinese character, cut as Python's `re.split` by
/// `([a-zA-Z0-9]+(?:\.\d+)?%?)`: its length.
pub(super) fn ascii_piece(run: &[Letter]) -> usize {
    let is_at = |at: usize, char: char| run.get(at).is_some_and(|letter| letter.char == char);
    let mut end = count(run, |c| c.is_ascii_alphanumeric());
    if end == 0 {
        return count(run, |c| !c.is_ascii_alphanumeric() && !is_han(c));
    }
    if is_at(end, '.') {
        let digits = count(&run[end + 1..], |c| c.is_ascii_digit());
        end += if digits > 0 { 1 + digits } else { 0 };
    }
    end + usize::from(is_at(end, '%'))
}

/// How many letters at the start of a run are as wanted.
pub(super) fn count(run: &[Letter], wanted: impl Fn(char) -> bool) -> usize {
    run.iter().take_while(|letter| wanted(letter.char)).count()
}
