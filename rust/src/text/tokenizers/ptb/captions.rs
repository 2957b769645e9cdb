//! The captions of one call of pycocoevalcap's `PTBTokenizer`: one text, a caption on each line.
//!
//! The automaton begins each match in the same state, so a match depends on its position alone. The text is cut at lines, and
//! each part is read on a separate thread from its first line on. The results are those of reading the whole text if each
//! part ends where the next one begins, at the start of a line; a part for which that does not hold is read again.

use super::actions::{self, Kind, Token};
use super::{PUNCTUATION, Ptb};
use crate::error::Result;
use crate::parallel::Plan;
use crate::text::is_space;

/// Length of the parts, in UTF-16 units.
const PART: usize = 1 << 16;

/// Matches between two checks for cancellation.
const MATCHES_PER_CHECK: usize = 1 << 12;

/// The lines that the original prints for a part of the text.
struct Printed {
    text: String,
    /// Where the match after the last one begins.
    end: usize,
    /// Whether nothing is printed after the last line break.
    at_line_start: bool,
}

impl Ptb {
    /// Return the lines that pycocoevalcap has for the captions: tokens without punctuation, joined by spaces.
    ///
    /// There is one for each caption, unless a caption has a character other than a line feed that breaks a line.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn lines<'t>(&self, captions: impl Iterator<Item = &'t str>, plan: &Plan) -> Result<Vec<String>> {
        let text = join(captions);
        let starts = part_starts(&text);
        let limit = |part: usize| starts.get(part + 1).copied().unwrap_or(text.len());
        let parts = plan.map(starts.len(), 1, Token::default, |token, parts| {
            self.print(&text, starts[parts.start], limit(parts.start), true, token, plan)
        })?;
        let mut pieces: Vec<String> = vec![];
        let (mut end, mut at_line_start) = (0, true);
        for (part, printed) in parts.into_iter().enumerate() {
            let fits = end == starts[part] && at_line_start;
            let printed = match fits {
                true => printed,
                false => self.print(&text, end, limit(part), at_line_start, &mut Token::default(), plan)?,
            };
            match pieces.last_mut() {
                Some(last) if !at_line_start => last.push_str(&printed.text),
                _ => pieces.push(printed.text),
            }
            (end, at_line_start) = (printed.end, printed.at_line_start);
        }
        finish(&pieces, plan)
    }

    /// Return what is printed for the matches from `start` on that begin before `limit`.
    fn print(
        &self,
        text: &[u16],
        start: usize,
        limit: usize,
        at_line_start: bool,
        token: &mut Token,
        plan: &Plan,
    ) -> Result<Printed> {
        let mut printed =
            Printed { text: String::with_capacity(limit.saturating_sub(start)), end: start, at_line_start };
        let mut matches = 0_usize;
        while printed.end < limit {
            let Some(end) = actions::next(&self.tables, text, printed.end, token) else { break };
            printed.end = end;
            match token.kind() {
                Kind::Nothing => {}
                Kind::LineBreak => {
                    printed.text.push('\n');
                    printed.at_line_start = true;
                }
                Kind::Word => {
                    if !std::mem::take(&mut printed.at_line_start) {
                        printed.text.push(' ');
                    }
                    printed.text.push_str(token.text());
                }
            }
            matches += 1;
            if matches.is_multiple_of(MATCHES_PER_CHECK) {
                plan.check()?;
            }
        }
        Ok(printed)
    }
}

fn join<'t>(captions: impl Iterator<Item = &'t str>) -> Vec<u16> {
    let mut text = vec![];
    for (index, caption) in captions.enumerate() {
        if index > 0 {
            text.push(u16::from(b'\n'));
        }
        text.extend(caption.encode_utf16().map(|unit| if unit == u16::from(b'\n') { u16::from(b' ') } else { unit }));
    }
    text
}

/// Return where parts of the text begin: at its start, and at the first line after each [`PART`] units.
fn part_starts(text: &[u16]) -> Vec<usize> {
    let mut starts = vec![0];
    let mut position = PART;
    while let Some(rest) = text.get(position..)
        && let Some(length) = rest.iter().position(|&unit| unit == u16::from(b'\n'))
    {
        position += length + 1;
        starts.push(position);
        position += PART;
    }
    starts
}

/// Split what was printed into lines, and remove punctuation.
fn finish(pieces: &[String], plan: &Plan) -> Result<Vec<String>> {
    let lines = plan.map(
        pieces.len(),
        1,
        || (),
        |(), range| {
            // All pieces but the last one end with a line break.
            let piece = &pieces[range.start];
            let whole = if range.end < pieces.len() { piece.strip_suffix('\n').unwrap_or(piece) } else { piece };
            Ok(whole.split('\n').map(without_punctuation).collect::<Vec<_>>())
        },
    )?;
    Ok(lines.into_iter().flatten().collect())
}

fn without_punctuation(line: &str) -> String {
    let line = line.trim_end_matches(is_space);
    let mut result = String::with_capacity(line.len());
    let mut is_first = true;
    for token in line.split(' ').filter(|token| !is_punctuation(token)) {
        if !std::mem::take(&mut is_first) {
            result.push(' ');
        }
        result.push_str(token);
    }
    result
}

fn is_punctuation(token: &str) -> bool {
    token.len() <= 5 && !token.starts_with(|c: char| c.is_ascii_alphanumeric()) && PUNCTUATION.contains(&token)
}
