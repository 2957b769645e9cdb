//! Sets of synonyms of `WordNet`, by word.

use std::collections::HashMap;

use super::bytes::{Rest, Strings, put_number};
use super::normalize::split;
use crate::error::{Error, Result};
use crate::parallel::Plan;

/// Endings of inflected words and what they become, in the order in which they are tried: nouns, verbs, adjectives.
const ENDINGS: [(&str, &str); 20] = [
    ("s", ""),
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
    ("s", ""),
    ("ies", "y"),
    ("es", "e"),
    ("es", ""),
    ("ed", "e"),
    ("ed", ""),
    ("ing", "e"),
    ("ing", ""),
    ("er", ""),
    ("est", ""),
    ("er", "e"),
    ("est", "e"),
];

/// Sets of synonyms, each known by its number.
#[derive(Debug, Default)]
pub(super) struct Synonyms {
    words: Sets,
    /// Sets of the base forms of irregular words.
    irregular: Sets,
}

/// Sets of numbers by string.
#[derive(Debug, Default)]
struct Sets {
    keys: Strings,
    bounds: Vec<u32>,
    values: Vec<u32>,
}

impl Synonyms {
    pub fn read(rest: &mut Rest<'_>) -> Result<Self> {
        Ok(Self { words: Sets::read(rest)?, irregular: Sets::read(rest)? })
    }

    /// Write the tables of two files, in which every second line lists what belongs to the line before: the sets of a word,
    /// and the irregular forms of a base form.
    pub fn write(table: &mut Vec<u8>, synsets: &str, exceptions: &str, plan: &Plan) -> Result<()> {
        let mut words = HashMap::new();
        for (word, list) in pairs(synsets) {
            plan.check()?;
            // Words of texts have no spaces and no underscores.
            if !word.contains([' ', '_']) {
                words.insert(word, numbers(list?)?);
            }
        }
        let mut irregular: HashMap<&str, Vec<u32>> = HashMap::new();
        for (base, forms) in pairs(exceptions) {
            plan.check()?;
            for form in split(forms?) {
                let sets = irregular.entry(form).or_default();
                sets.extend(words.get(base).into_iter().flatten());
            }
        }
        Sets::write(table, words);
        Sets::write(table, irregular);
        Ok(())
    }

    /// Append the sets that a word, or its base form, belongs to: different numbers in ascending order.
    pub fn extend(&self, word: &str, sets: &mut Vec<u32>) {
        let start = sets.len();
        sets.extend_from_slice(self.words.get(word).unwrap_or_default());
        let of_base = self.irregular.get(word).or_else(|| self.words.get(&self.base(word)?));
        sets.extend_from_slice(of_base.unwrap_or_default());
        sets[start..].sort_unstable();
        let mut kept = start;
        for index in start..sets.len() {
            if index == start || sets[index] != sets[kept - 1] {
                sets[kept] = sets[index];
                kept += 1;
            }
        }
        sets.truncate(kept);
    }

    /// Return the base form of a regular word, by the first ending that leads to a word with synonyms.
    fn base(&self, word: &str) -> Option<String> {
        if word.ends_with("ss") || word.chars().map(char::len_utf16).sum::<usize>() <= 2 {
            return Some(word.to_owned());
        }
        let bases = ENDINGS.iter().filter_map(|(ending, base)| Some(format!("{}{base}", word.strip_suffix(ending)?)));
        let mut known = bases.filter(|base| self.words.keys.find(base).is_some());
        // For "…ful" the original appends the ending to the base form.
        known.next().map(|base| if word.ends_with("ful") { base + "ful" } else { base })
    }
}

impl Sets {
    fn read(rest: &mut Rest<'_>) -> Result<Self> {
        let keys = Strings::read(rest)?;
        let count = rest.number()? as usize;
        let bounds = rest.bounds(keys.len(), |_| count)?;
        Ok(Self { keys, bounds, values: rest.numbers(count)? })
    }

    fn write(table: &mut Vec<u8>, sets: HashMap<&str, Vec<u32>>) {
        let mut sets: Vec<_> = sets.into_iter().collect();
        sets.sort_unstable_by_key(|&(key, _)| key);
        Strings::write(table, sets.iter().map(|(key, _)| *key));
        put_number(table, sets.iter().map(|(_, values)| values.len()).sum());
        put_number(table, 0);
        let mut end = 0;
        for (_, values) in &sets {
            end += values.len();
            put_number(table, end);
        }
        sets.iter().flat_map(|(_, values)| values).for_each(|&value| put_number(table, value as usize));
    }

    fn get(&self, key: &str) -> Option<&[u32]> {
        let index = self.keys.find(key)?;
        self.values.get(self.bounds[index] as usize..self.bounds[index + 1] as usize)
    }
}

/// Iterate over every second line and the one that follows.
fn pairs(text: &str) -> impl Iterator<Item = (&str, Result<&str>)> {
    let mut lines = text.lines().enumerate();
    std::iter::from_fn(move || {
        let (index, first) = lines.next()?;
        let missing = Error::Line { number: index + 2, problem: "is missing, each word has two lines".to_owned() };
        Some((first, lines.next().map(|(_, second)| second).ok_or(missing)))
    })
}

fn numbers(list: &str) -> Result<Vec<u32>> {
    let number = |field: &str| {
        let problem = "is not a list of numbers".to_owned();
        field.parse().map_err(|_| Error::Invalid { parameter: "synsets", problem })
    };
    split(list).map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_sets_of_their_base_forms() {
        let mut table = Vec::new();
        let synsets = "dog\n1 2\nhand\n3\nhandful\n4\nbus\n5\ngo\n6\nice cream\n7\n";
        Synonyms::write(&mut table, synsets, "go\nwent gone\n", &Plan::new(Some(1))).unwrap();
        let synonyms = Synonyms::read(&mut Rest(&table)).unwrap();
        let sets = |word| {
            let mut sets = vec![9];
            synonyms.extend(word, &mut sets);
            sets.split_off(1)
        };
        assert_eq!(
            [sets("dog"), sets("dogs"), sets("went"), sets("buses")],
            [vec![1, 2], vec![1, 2], vec![6], vec![5]]
        );
        // Where an irregular form is listed, its ending does not matter.
        assert_eq!([sets("handful"), sets("ss"), sets("as"), sets("")], [vec![4], vec![], vec![], vec![]]);
        for length in 0..table.len() {
            assert!(Synonyms::read(&mut Rest(&table[..length])).is_err(), "{length}");
        }
    }
}
