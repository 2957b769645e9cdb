//! The words of jieba's dictionary as a tree in a double array.
//!
//! A node says where its children are: the child by the character with code `c` is in slot `base + c`, if the
//! node in that slot has come by `c`. No two nodes share a base, so no other parent can be meant.

use std::hint;

use super::letters::Letter;

/// A place in the tree: the start of at least one word.
///
/// In one number, so that [`Trie::child`] can choose without a branch: from the lowest bits up, 32 bits of base, 16 bits
/// for the code of the character that leads here, 16 bits for the rank of the word's frequency, 0 if no word ends here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node(u64);

/// Base of nodes without children. No parent has it, so whoever follows it finds nothing.
const LEAF_BASE: u32 = 0;
const ROOT_BASE: u32 = 1;

impl Node {
    /// The start of every word.
    pub const ROOT: Self = Self(ROOT_BASE as u64);
    /// Where words end that are not in the tree. It has no children, so once here one stays here.
    pub const NONE: Self = Self(0);

    pub fn new(base: Option<u32>, code: u16, rank: u16) -> Self {
        Self(u64::from(base.unwrap_or(LEAF_BASE)) | u64::from(code) << 32 | u64::from(rank) << 48)
    }

    #[inline]
    fn base(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    fn code(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// Rank of the word's frequency among all frequencies; 0 if no word ends here.
    #[inline]
    pub fn rank(self) -> usize {
        (self.0 >> 48) as usize
    }

    #[inline]
    pub fn is_none(self) -> bool {
        self.code() == 0
    }

    #[inline]
    pub fn has_children(self) -> bool {
        self.base() != LEAF_BASE
    }
}

/// A power of two, so that cutting off the bits above replaces a test of each index.
const SLOTS: usize = 1 << 20;

/// The tree.
pub(super) struct Trie {
    slots: Box<[u64; SLOTS]>,
}

impl Trie {
    /// A tree of the nodes at their slots.
    pub fn new(nodes: impl Iterator<Item = (usize, Node)>) -> Self {
        let mut slots = vec![Node::NONE.0; SLOTS];
        for (slot, node) in nodes {
            slots[slot] = node.0;
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
        self.node(ROOT_BASE as usize + usize::from(code))
    }

    /// The child of `node` by the character with that code, or [`Node::NONE`].
    #[inline]
    pub fn child(&self, node: Node, code: u16) -> Node {
        let child = self.node(node.base() as usize + usize::from(code));
        // Half of all look-ups fail, at random: a branch here would be guessed wrong too often.
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
