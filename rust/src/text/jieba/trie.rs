//! The words of jieba's dictionary as a tree in a double array.
//!
//! A node says where its children are: the child by the character with code `c` is in slot `base + c`, if the
//! node in that slot has come by `c`. No two nodes share a base, so no other parent can be meant.

use std::hint;

use super::letters::Letter;

/// A place in the tree: the start of at least one word.
///
/// One number, so that one load tells all and [`Trie::child`] can choose without a branch. From the lowest bit up:
///
/// | bits | meaning |
/// | --- | --- |
/// | 16 | which remainders by 16 the codes of the children have |
/// | 15 | code of the character that leads here |
/// | 13 | rank of the word's frequency among all frequencies from 1; 0 if no word ends here |
/// | 20 | base: slot of the (impossible) child with code 0; 0 without children |
#[derive(Debug, Clone, Copy)]
pub(super) struct Node(u64);

const CODE_SHIFT: u32 = 16;
const RANK_SHIFT: u32 = 31;
const BASE_SHIFT: u32 = 44;

/// Ranks are below this.
pub(super) const RANKS: usize = 1 << (BASE_SHIFT - RANK_SHIFT);
/// Slots are below this. A power of two, so that cutting off the bits above replaces a test of each index.
const SLOTS: usize = 1 << (u64::BITS - BASE_SHIFT);
const ROOT_BASE: usize = 1;

impl Node {
    /// The start of every word.
    pub const ROOT: Self = Self((ROOT_BASE as u64) << BASE_SHIFT | 0xffff);
    /// Where words end that are not in the tree. It has no children, so once here one stays here.
    pub const NONE: Self = Self(0);

    pub fn new(base: u32, code: u16, rank: u16) -> Self {
        Self(u64::from(base) << BASE_SHIFT | u64::from(rank) << RANK_SHIFT | u64::from(code) << CODE_SHIFT)
    }

    #[inline]
    fn base(self) -> usize {
        (self.0 >> BASE_SHIFT) as usize
    }

    #[inline]
    fn code(self) -> u16 {
        (self.0 >> CODE_SHIFT) as u16 & 0x7fff
    }

    #[inline]
    pub fn rank(self) -> usize {
        (self.0 >> RANK_SHIFT) as usize & (RANKS - 1)
    }

    #[inline]
    pub fn is_none(self) -> bool {
        self.code() == 0
    }

    /// False if there is no child by the character with that code. True says nothing.
    #[inline]
    pub fn may_lead_to(self, code: u16) -> bool {
        self.0 >> (code % 16) & 1 == 1
    }
}

/// The tree.
pub(super) struct Trie {
    slots: Box<[u64; SLOTS]>,
}

impl Trie {
    /// A tree of the nodes at their slots.
    pub fn new(nodes: impl Iterator<Item = (usize, Node)>) -> Self {
        let mut slots = vec![Node::NONE.0; SLOTS];
        let mut remainders = vec![0u16; SLOTS];
        for (slot, node) in nodes {
            slots[slot] = node.0;
            remainders[slot - usize::from(node.code())] |= 1 << (node.code() % 16);
        }
        for node in &mut slots {
            *node |= u64::from(remainders[Node(*node).base()]);
        }
        Self { slots: slots.try_into().expect("the vector has that length") }
    }

    #[inline]
    fn node(&self, slot: usize) -> Node {
        Node(self.slots[slot & (SLOTS - 1)])
    }

    /// The node of a first character, or [`Node::NONE`]. In these slots are no other nodes.
    #[inline]
    pub fn first(&self, code: u16) -> Node {
        self.node(ROOT_BASE + usize::from(code))
    }

    /// The child of `node` by the character with that code, or [`Node::NONE`].
    ///
    /// Two of three look-ups fail, at random, so branches would be guessed wrong too often. Those that surely fail
    /// go to the empty slot 0, which is always in the cache.
    #[inline]
    pub fn child(&self, node: Node, code: u16) -> Node {
        let slot = hint::select_unpredictable(node.may_lead_to(code), node.base() + usize::from(code), 0);
        let child = self.node(slot);
        Node(hint::select_unpredictable(child.code() == code, child.0, Node::NONE.0))
    }

    /// The end of the word, or [`Node::NONE`].
    pub fn find(&self, word: &[Letter]) -> Node {
        let Some((first, rest)) = word.split_first() else { return Node::NONE };
        rest.iter().fold(self.first(first.code), |node, letter| self.child(node, letter.code))
    }
}
