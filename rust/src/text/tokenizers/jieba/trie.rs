//! The words of jieba's dictionary as a tree in a double array.
//!
//! A node says where its children are: the child by the character with code `c` is in slot `base + c`, if the
//! node in that slot has come by `c`. No two nodes share a base, so no other parent can be meant.

use std::hint;

use super::letters::Letter;
use crate::huge::HugeArray;

/// A place in the tree: the start of at least one word.
///
/// One number, so that one load tells all and [`Trie::child`] can choose without a branch. From the lowest bit up:
/// 32 bits of base, 16 bits for the code of the character that leads here, 16 bits for the rank of the word's
/// frequency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node(u64);

const CODE_SHIFT: u32 = 32;
const RANK_SHIFT: u32 = 48;

/// Base of the start. Nodes without children have base 0, which no parent has, so whoever follows it finds nothing.
const ROOT_BASE: u32 = 1;

impl Node {
    /// The start of every word.
    pub const ROOT: Self = Self(ROOT_BASE as u64);
    /// Where all end up that leave the tree.
    pub const NONE: Self = Self(0);

    pub fn new(base: u32, code: u16, rank: u16) -> Self {
        Self(u64::from(base) | u64::from(code) << CODE_SHIFT | u64::from(rank) << RANK_SHIFT)
    }

    #[inline]
    fn base(self) -> usize {
        self.0 as u32 as usize
    }

    #[inline]
    fn code(self) -> u16 {
        (self.0 >> CODE_SHIFT) as u16
    }

    /// Rank of the word's frequency among all frequencies from 1; 0 if no word ends here.
    #[inline]
    pub fn rank(self) -> u16 {
        (self.0 >> RANK_SHIFT) as u16
    }

    #[inline]
    pub fn is_none(self) -> bool {
        self.code() == 0
    }
}

/// A power of two, so that cutting off the bits above replaces a test of each index.
const SLOTS: usize = 1 << 20;

/// The tree.
pub(super) struct Trie {
    slots: &'static [u64; SLOTS],
}

impl Trie {
    /// A tree of the nodes at their slots, which is never given back: there is one.
    pub fn new(nodes: impl Iterator<Item = (usize, Node)>) -> Self {
        // Zeros are [`Node::NONE`].
        let slots: &mut HugeArray<u64> = Box::leak(Box::new(HugeArray::zeroed(SLOTS)));
        for (slot, node) in nodes {
            slots[slot] = node.0;
        }
        Self { slots: (&**slots).try_into().expect("the array has that length") }
    }

    #[inline]
    fn node(&self, slot: usize) -> Node {
        Node(self.slots[slot & (SLOTS - 1)])
    }

    /// The node of a first character, or [`Node::NONE`]. Only children of the start are in these slots.
    #[inline]
    pub fn first(&self, code: u16) -> Node {
        self.node(ROOT_BASE as usize + usize::from(code))
    }

    /// The child of `node` by the character with that code, or [`Node::NONE`].
    #[inline]
    pub fn child(&self, node: Node, code: u16) -> Node {
        let child = self.node(node.base() + usize::from(code));
        // Most look-ups fail, but at random: a branch here would be guessed wrong too often.
        Node(hint::select_unpredictable(child.code() == code, child.0, Node::NONE.0))
    }

    /// The end of the word, or [`Node::NONE`].
    pub fn find(&self, word: &[Letter]) -> Node {
        let mut node = Node::ROOT;
        for letter in word {
            node = self.child(node, letter.code);
            if node.is_none() {
                break;
            }
        }
        node
    }
}
