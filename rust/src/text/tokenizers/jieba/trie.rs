//! The words of jieba's dictionary as a trie in a double array.
//!
//! The child of a node by the character with code `c` is in slot `base + c`, if the node in that slot has the code `c`. No
//! two nodes share a base, so that node has no other parent.

use std::hint;

use super::letters::Letter;
use crate::huge::HugeArray;

/// A node of the trie: a prefix of at least one word.
///
/// It is one integer, so that it takes one load and [`Trie::child`] can select without a branch. From the lowest bit up:
/// 32 bits of base, 16 bits for the code of the character that leads here, 16 bits for the rank of the word's
/// frequency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node(u64);

const CODE_SHIFT: u32 = 32;
const RANK_SHIFT: u32 = 48;

/// Base of the root. Nodes without children have base 0, which no parent has, so following it finds no node.
const ROOT_BASE: u32 = 1;

impl Node {
    /// The empty prefix.
    pub const ROOT: Self = Self(ROOT_BASE as u64);
    /// No node.
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

    /// Return the rank of the frequency of the word that ends here, from 1; 0 if none does.
    #[inline]
    pub fn rank(self) -> u16 {
        (self.0 >> RANK_SHIFT) as u16
    }

    #[inline]
    pub fn is_none(self) -> bool {
        self.code() == 0
    }
}

/// A power of two, so that masking an index replaces its bounds check.
const SLOTS: usize = 1 << 20;

/// The trie.
pub(super) struct Trie {
    slots: &'static [u64; SLOTS],
}

impl Trie {
    /// Return the trie of nodes at their slots. It is never freed: there is only one.
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

    /// Return the node of a first character, or [`Node::NONE`]. Only children of the root are in these slots.
    #[inline]
    pub fn first(&self, code: u16) -> Node {
        self.node(ROOT_BASE as usize + usize::from(code))
    }

    /// Return the child of `node` by the character with that code, or [`Node::NONE`].
    #[inline]
    pub fn child(&self, node: Node, code: u16) -> Node {
        let child = self.node(node.base() + usize::from(code));
        // Look-ups fail at random, so a branch would be mispredicted too often.
        Node(hint::select_unpredictable(child.code() == code, child.0, Node::NONE.0))
    }

    /// Return the node at the end of a word, or [`Node::NONE`].
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
