//! Ids of feature files: all integers, or all strings.

use std::borrow::Cow;

use crate::error::Result;
use crate::memory;

/// Names that the field of the id may have.
pub const ID_FIELDS: [&str; 4] = ["image_id", "item_id", "text_id", "query_id"];

/// The id of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Id<'a> {
    Integer(i64),
    Text(Cow<'a, str>),
}

/// The id of each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ids {
    /// Integers.
    Integers(Vec<i64>),
    /// Strings.
    Texts(Vec<String>),
}

impl Default for Ids {
    fn default() -> Self {
        Self::Integers(Vec::new())
    }
}

impl Ids {
    /// Number of ids.
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(ids) => ids.len(),
            Self::Texts(ids) => ids.len(),
        }
    }

    /// Return whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Append an id of the type of the ids before it; the caller compares types.
    ///
    /// # Errors
    /// [`crate::error::Error::Memory`].
    pub(super) fn push(&mut self, id: Id<'_>) -> Result<()> {
        match (&mut *self, &id) {
            (Self::Texts(_), Id::Integer(_)) => *self = Self::Integers(Vec::new()),
            (Self::Integers(_), Id::Text(_)) => *self = Self::Texts(Vec::new()),
            _ => {}
        }
        match (self, id) {
            (Self::Integers(ids), Id::Integer(id)) => {
                memory::reserve(ids, 1)?;
                ids.push(id);
            }
            (Self::Texts(ids), Id::Text(id)) => {
                memory::reserve(ids, 1)?;
                ids.push(memory::owned(&id)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// Return the ids of all parts, which have one type, and leave the parts without strings.
    pub(super) fn concat<'a>(parts: impl Iterator<Item = &'a mut Self>, rows: usize) -> Result<Self>
    where
        Self: 'a,
    {
        let (mut integers, mut texts): (Vec<i64>, Vec<String>) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Self::Integers(ids) if ids.is_empty() => {}
                Self::Integers(ids) => {
                    reserve(&mut integers, rows)?;
                    integers.extend_from_slice(ids);
                }
                Self::Texts(ids) => {
                    reserve(&mut texts, rows)?;
                    texts.append(ids);
                }
            }
        }
        Ok(if texts.is_empty() { Self::Integers(integers) } else { Self::Texts(texts) })
    }
}

/// Allocate room for all rows before the first of them.
fn reserve<T>(ids: &mut Vec<T>, rows: usize) -> Result<()> {
    if ids.is_empty() {
        *ids = memory::with_capacity(rows)?;
    }
    Ok(())
}
