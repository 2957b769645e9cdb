//! jieba's dictionary and model, unpacked from `tables.bin` on first use and shared by all.
//!
//! `scripts/jieba_tables.py` writes the file. All numbers are little-endian:
//!
//! | part | type | count |
//! | --- | --- | --- |
//! | magic `MUGEJB01` | bytes | 8 |
//! | length and CRC-32 of everything after the counts | u32 | 2 |
//! | total of all frequencies | u64 | 1 |
//! | counts: characters, frequencies, slots, nodes, parents, emissions | u32 | 6 |
//! | characters, code 1 first (UTF-16) | u16 | characters |
//! | frequencies, rank 1 first | u32 | frequencies |
//! | one bit per slot of the double array: whether a node is there | u64 | slots / 64 |
//! | code of each node, + 0x8000 if it is a parent | u16 | nodes |
//! | rank of each node's frequency, 0 if it ends no word | u16 | nodes |
//! | base of each parent | u24 | parents |
//! | start, and transition from (row) to (column), for the states B, E, M, S | f64 | 4 + 16 |
//! | distinct emissions, the one for missing ones first | f64 | emissions |
//! | index of the emission of each character by each state | u16 | characters x 4 |

use std::fmt;
use std::sync::LazyLock;

use super::hmm::{Hmm, STATES};
use super::letters::Alphabet;
use super::trie::{Node, Trie};
use crate::bits::set_bits;

static FILE: &[u8] = include_bytes!("tables.bin");
const HEADER: usize = 48;
const PARENT: u16 = 0x8000;
/// One for each value of a `u16`, so that ranks need no bounds check.
const RANKS: usize = 1 << 16;

// The file is compiled in, so a wrong one stops the build, not the program.
const _: () = {
    let (header, _) = FILE.split_at(HEADER);
    assert!(matches!(header, [b'M', b'U', b'G', b'E', b'J', b'B', b'0', b'1', ..]));
    assert!(u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize == FILE.len() - HEADER);
};

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::unpack);

/// jieba's dictionary and hidden Markov model.
pub(super) struct Tables {
    pub alphabet: Alphabet,
    pub trie: Trie,
    /// By rank. Rank 0 means no word.
    frequencies: Vec<u64>,
    log_frequencies: Box<[f64; RANKS]>,
    /// Sum of the frequencies of all lines of the dictionary.
    pub total: u64,
    pub hmm: Hmm,
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

impl Tables {
    /// Return the tables; the first call takes some milliseconds.
    pub fn get() -> &'static Self {
        &TABLES
    }

    /// Return the logarithm of the frequency of the word that ends here, minus infinity if none does.
    #[inline]
    pub fn log_frequency(&self, node: Node) -> f64 {
        self.log_frequencies[usize::from(node.rank())]
    }

    /// Return the frequency of the word that ends here, 0 if none does.
    pub fn frequency(&self, node: Node) -> u64 {
        self.frequencies[usize::from(node.rank())]
    }

    fn unpack() -> Self {
        let mut file = Reader(FILE);
        file.bytes(16);
        let total = u64::from_le_bytes(file.array());
        let [chars, frequencies, slots, nodes, parents, emissions] =
            std::array::from_fn(|_| u32::from_le_bytes(file.array()) as usize);
        let alphabet = Alphabet::new(char::decode_utf16(file.u16s(chars)).flatten());
        let ranked = file.arrays(frequencies).map(|bytes| u32::from_le_bytes(bytes).into());
        let frequencies: Vec<u64> = std::iter::once(0).chain(ranked).collect();
        Self {
            alphabet,
            trie: file.trie(slots, nodes, parents),
            log_frequencies: logarithms(&frequencies),
            frequencies,
            total,
            hmm: file.hmm(chars, emissions),
        }
    }
}

/// Return the logarithms of the frequencies.
fn logarithms(frequencies: &[u64]) -> Box<[f64; RANKS]> {
    let mut logarithms = vec![0.0; RANKS];
    for (logarithm, &frequency) in logarithms.iter_mut().zip(frequencies) {
        *logarithm = (frequency as f64).ln();
    }
    logarithms.try_into().expect("the vector has that length")
}

/// The rest of the file.
struct Reader(&'static [u8]);

impl Reader {
    fn bytes(&mut self, count: usize) -> &'static [u8] {
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    fn arrays<const N: usize>(&mut self, count: usize) -> impl Iterator<Item = [u8; N]> + use<N> {
        self.bytes(N * count).as_chunks().0.iter().copied()
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.bytes(1)[0])
    }

    fn u16s(&mut self, count: usize) -> impl Iterator<Item = u16> + use<> {
        self.arrays(count).map(u16::from_le_bytes)
    }

    fn f64s<const N: usize>(&mut self) -> [f64; N] {
        std::array::from_fn(|_| f64::from_le_bytes(self.array()))
    }

    fn trie(&mut self, slots: usize, nodes: usize, parents: usize) -> Trie {
        let taken = self.arrays(slots / 64).map(u64::from_le_bytes);
        let mut codes = self.u16s(nodes);
        let mut ranks = self.u16s(nodes);
        let mut bases = self.arrays(parents).map(|[low, middle, high]| u32::from_le_bytes([low, middle, high, 0]));
        let slots_taken =
            (0..).step_by(64).zip(taken).flat_map(|(first, bits)| set_bits(bits).map(move |bit| first + bit));
        let nodes = slots_taken.map_while(|slot| {
            let (code, rank) = (codes.next()?, ranks.next()?);
            let base = if code & PARENT == 0 { 0 } else { bases.next()? };
            Some((slot, Node::new(base, code & !PARENT, rank)))
        });
        Trie::new(nodes)
    }

    fn hmm(&mut self, chars: usize, emissions: usize) -> Hmm {
        let start = self.f64s();
        let transition = std::array::from_fn(|_| self.f64s());
        let values: Vec<f64> = self.arrays(emissions).map(f64::from_le_bytes).collect();
        let missing = [values[0]; STATES];
        let by_code = self.arrays(chars).map(|bytes: [u8; 2 * STATES]| {
            std::array::from_fn(|state| {
                values[usize::from(u16::from_le_bytes([bytes[2 * state], bytes[2 * state + 1]]))]
            })
        });
        // No character has code 0.
        Hmm { start, transition, emissions: std::iter::once(missing).chain(by_code).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
        })
    }

    #[test]
    fn the_checksum_matches() {
        assert_eq!(FILE[12..16], crc32(&FILE[HEADER..]).to_le_bytes());
    }

    #[test]
    fn values_of_jieba_are_read() {
        let tables = Tables::get();
        // The sum of the frequencies of jieba 0.42.1's dict.txt; the line "B超 3 n" is there twice.
        assert_eq!(tables.total, 60_101_967);
        assert_eq!(tables.alphabet.code('一'), 1);
        // jieba 0.42.1, finalseg/prob_emit.py
        let code = usize::from(tables.alphabet.code('\u{4e00}'));
        assert_eq!(tables.hmm.emissions[code][0].to_bits(), (-3.654_497_875_044_943_3f64).to_bits());
        let from_middle = [-3.14e100, -0.333_448_568_119_485_14, -1.260_362_382_026_822_6, -3.14e100];
        assert_eq!(tables.hmm.transition[2].map(f64::to_bits), from_middle.map(f64::to_bits));
    }
}
