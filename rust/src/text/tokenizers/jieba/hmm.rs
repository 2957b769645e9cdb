//! Words that are not in the dictionary: jieba's `finalseg`.
//!
//! A hidden Markov model assigns each Chinese character a state: the beginning, the end or the middle of a word, or a word
//! of one character. Viterbi's algorithm finds the most likely sequence of states.

use super::letters::{Letter, is_han};

/// The states B, E, M and S, in alphabetical order: jieba breaks ties by the letter.
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
    /// Return the lengths of the words in a run of Chinese characters.
    ///
    /// Numbers are added in jieba's order, because rounding can cause ties, and ties matter.
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

    /// Replace the scores by those of the next character. Bit `s` of the result is the index in [`BEFORE`] of the state
    /// before state `s`.
    #[inline]
    fn advance(&self, scores: &mut [f64; STATES], emission: &[f64; STATES]) -> u8 {
        let mut came_from = 0;
        let mut next = [0.0; STATES];
        for state in 0..STATES {
            let [first, second] =
                BEFORE[state].map(|from| scores[from] + self.transition[from][state] + emission[state]);
            next[state] = if second >= first { second } else { first };
            came_from |= u8::from(second >= first) << state;
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

/// Return the length of the first piece of a run that does not start with a Chinese character, split as by Python's
/// `re.split` with `([a-zA-Z0-9]+(?:\.\d+)?%?)`.
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

/// Return the number of letters at the start of a run that satisfy a predicate.
pub(super) fn count(run: &[Letter], predicate: impl Fn(char) -> bool) -> usize {
    run.iter().take_while(|letter| predicate(letter.char)).count()
}
