//! The tables of an automaton that `JFlex` 1.4 generated, unpacked from the strings of its class.
//!
//! Strings hold runs: a count and a value. The value of a transition is the next state plus one, 0 for none.

use super::class_file::StringFields;
use super::invalid;
use crate::error::Result;

/// The first state of the lexer's mode "traditional treebank", in which it stays.
pub(super) const START: u16 = 2;
/// Number of first states: one for each of the three modes, and two for each of the expressions that look ahead.
const FIRST_STATES: usize = 18;
/// Largest number of an action.
const LAST_ACTION: u16 = 54;
/// Number of UTF-16 units.
const UNITS: usize = 1 << 16;
/// Length of a row of transitions, a power of two so that any class is in the row.
const ROW: usize = 128;
/// Bounds on the sizes of tables, which are 4,058 and 472,250.
const MAX_STATES: usize = 1 << 14;
const MAX_TRANSITIONS: usize = 1 << 21;

/// No transition.
pub(super) const DEAD: u16 = u16::MAX;

#[derive(Debug)]
pub(super) struct Tables {
    /// The class of each UTF-16 unit.
    classes: Vec<u8>,
    /// The next state by state and class.
    next: Vec<[u16; ROW]>,
    /// The action of each state that accepts.
    actions: Vec<u8>,
    /// 1 for a state that accepts, plus 8 for one without transitions.
    attributes: Vec<u8>,
}

impl Tables {
    pub(super) fn unpack(class: &[u8]) -> Result<Self> {
        let fields = StringFields::read(class)?;
        let classes = runs(&required(&fields, "ZZ_CMAP_PACKED")?, UNITS)?;
        let class_count = usize::from(classes.iter().copied().max().unwrap_or(0)) + 1;
        if classes.len() != UNITS || class_count > ROW {
            return Err(invalid("has no table of the classes of characters"));
        }
        let actions = runs(&required(&fields, "ZZ_ACTION_PACKED_0")?, MAX_STATES)?;
        let attributes = runs(&required(&fields, "ZZ_ATTRIBUTE_PACKED_0")?, MAX_STATES)?;
        let rows = required(&fields, "ZZ_ROWMAP_PACKED_0")?;
        let rows: Vec<_> = rows.chunks_exact(2).map(|pair| usize::from(pair[0]) << 16 | usize::from(pair[1])).collect();
        let states = rows.len();
        let fits = (FIRST_STATES..=MAX_STATES).contains(&states) && actions.len() == states;
        if !fits || attributes.len() != states || actions.iter().any(|&action| action > LAST_ACTION) {
            return Err(invalid("has tables of states that do not fit together"));
        }
        let next = transitions(&fields, &rows, class_count)?;
        let bytes = |values: Vec<u16>| values.into_iter().map(|value| value as u8).collect();
        Ok(Self { classes: bytes(classes), next, actions: bytes(actions), attributes: bytes(attributes) })
    }

    /// Return the state after a UTF-16 unit, or [`DEAD`].
    #[inline]
    pub(super) fn step(&self, state: u16, unit: u16) -> u16 {
        self.next[usize::from(state)][usize::from(self.classes[usize::from(unit)]) % ROW]
    }

    #[inline]
    pub(super) fn accepts(&self, state: u16) -> bool {
        self.attributes[usize::from(state)] & 1 == 1
    }

    /// Return whether the state has no transitions.
    #[inline]
    pub(super) fn is_last(&self, state: u16) -> bool {
        self.attributes[usize::from(state)] & 8 == 8
    }

    pub(super) fn action(&self, state: u16) -> u8 {
        self.actions[usize::from(state)]
    }
}

fn required(fields: &StringFields<'_>, name: &str) -> Result<Vec<u16>> {
    fields.units(name).unwrap_or_else(|| Err(invalid(&format!("has no field {name}"))))
}

/// Expand runs to at most `limit` values.
fn runs(packed: &[u16], limit: usize) -> Result<Vec<u16>> {
    let mut values = Vec::new();
    for run in packed.chunks(2) {
        let &[count, value] = run else { return Err(invalid("has an incomplete table")) };
        if count == 0 || values.len() + usize::from(count) > limit {
            return Err(invalid("has a table of the wrong length"));
        }
        values.resize(values.len() + usize::from(count), value);
    }
    Ok(values)
}

/// Return a row of next states for each state; states with equal rows have the same offset in the class.
fn transitions(fields: &StringFields<'_>, rows: &[usize], class_count: usize) -> Result<Vec<[u16; ROW]>> {
    let mut packed = Vec::new();
    for part in 0.. {
        let Some(units) = fields.units(&format!("ZZ_TRANS_PACKED_{part}")) else { break };
        packed.extend(units?);
    }
    let values = runs(&packed, MAX_TRANSITIONS)?;
    let state = |value: u16| match usize::from(value) {
        0 => Ok(DEAD),
        next if next <= rows.len() => Ok(value - 1),
        _ => Err(invalid("has a transition to a state that does not exist")),
    };
    let row = |&offset: &usize| {
        let row = values.get(offset..).and_then(|rest| rest.get(..class_count));
        let row = row.ok_or_else(|| invalid("has a state without transitions"))?;
        let mut next = [DEAD; ROW];
        for (next, &value) in next.iter_mut().zip(row) {
            *next = state(value)?;
        }
        Ok(next)
    };
    rows.iter().map(row).collect()
}
