//! Reading document frequencies from Python's pickle format, without Python.
//!
//! A pickle is a program for a stack machine. This machine executes the instructions that build the table
//! `{"ref_len": number, "document_frequency": {n-gram: number}}`, of all protocols, and rejects all others. It calls
//! nothing, follows no nesting, and takes time and memory in proportion to the length of the file. The last is why
//! Python's unpickler is not used: even restricted to harmless types, it allocates gigabytes for a short file that names
//! a huge memo index.

use std::borrow::Cow;
use std::collections::HashMap;

use super::pickle_reader::{Reader, name, unescape_bytes, unescape_text};
use foldhash::fast::RandomState;

use crate::error::{Error, Result};
use crate::memory;
use crate::text::ngrams::MAX_ORDER;
use crate::text::vocab::Vocab;

/// The content of such a file.
#[derive(Debug)]
pub struct PickledCounts {
    /// `ref_len`, any number.
    pub documents: f64,
    /// The tokens of all n-grams.
    pub vocab: Vocab,
    /// Ids of 1 to [`MAX_ORDER`] tokens, padded with zeros at the end, and in how many documents the n-gram occurs.
    pub counts: HashMap<[u32; MAX_ORDER], u32, RandomState>,
}

/// The table is one dict inside another.
const MAX_DICTS: usize = 2;

/// Bytes of the file between two checks of memory, and an upper bound of the memory for their values. Without the
/// checks a vector that cannot grow would abort the process.
const CHECK_INTERVAL: usize = 1 << 16;
const CHECK_MEMORY: usize = CHECK_INTERVAL * 64 + (4 << 20);

/// Upper bound of the memory for an n-gram with its count and its tokens.
const COUNT_BYTES: usize = 192;

/// The outcome of an instruction, or why it was rejected.
pub(super) type Step<T> = std::result::Result<T, String>;

/// Read a pickle of protocol 0 to 5. Of several counts of the same n-gram, the last one is taken.
///
/// Byte strings of Python 2 are read as UTF-8, or all of them as Latin-1 if one is not UTF-8.
///
/// # Errors
/// [`Error::Invalid`] for bytes that are not such a table, with the instruction and its offset.
pub fn read_counts(bytes: &[u8]) -> Result<PickledCounts> {
    let mut machine = Machine { reader: Reader { bytes, offset: 0 }, ..Machine::default() };
    let mut checked = 0;
    loop {
        let offset = machine.reader.offset;
        if offset >= checked {
            // Enough for vectors of twice the size next to the old ones, and for what is added until the next check.
            memory::check::<u8>(2 * machine.memory() + CHECK_MEMORY)?;
            checked = offset + CHECK_INTERVAL;
        }
        let opcode = machine.reader.array().map(|[opcode]| opcode).map_err(invalid)?;
        let located = |problem: String| invalid(format!("{problem} (opcode {} at byte {offset})", name(opcode)));
        if opcode == b'.' {
            let table = machine.pop().map_err(located)?;
            memory::check::<u8>(machine.memory() + machine.dicts.iter().map(Vec::len).sum::<usize>() * COUNT_BYTES)?;
            return machine.table(table).map_err(invalid);
        }
        machine.step(opcode).map_err(located)?;
    }
}

fn invalid(problem: String) -> Error {
    Error::Invalid { parameter: "pickle", problem }
}

/// A value on the stack. Everything is a number or an index, so that copies are cheap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// None, True or False, which are neither a number nor a text.
    Nothing,
    /// An integer or a float. All valid counts are exact.
    Number(f64),
    /// Index in `texts`.
    Text(u32),
    /// Index in `ngrams`.
    Ngram(usize),
    /// The type `collections.defaultdict`.
    DefaultDict,
    /// One of the types int and float.
    NumberType,
    /// A tuple of arguments for `defaultdict`: empty, or with one type.
    Arguments,
    /// Index in `dicts`.
    Dict(usize),
}

/// The range of a text in `Machine::text`.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    /// Whether it is a byte string of Python 2.
    python_2: bool,
}

#[derive(Debug, Default)]
struct Machine<'b> {
    reader: Reader<'b>,
    stack: Vec<Value>,
    /// Heights of the stack.
    marks: Vec<usize>,
    /// Memo entries whose indices are consecutive, as all writers make them.
    memo: Vec<Value>,
    /// Other memo entries: a file may name a huge index.
    sparse: HashMap<usize, Value, RandomState>,
    text: Vec<u8>,
    texts: Vec<Span>,
    /// Whether a byte string of Python 2 is not UTF-8.
    latin: bool,
    /// Indices in `texts`, plus one, padded with zeros at the end.
    ngrams: Vec<[u32; MAX_ORDER]>,
    dicts: Vec<Vec<(Value, Value)>>,
}

impl Machine<'_> {
    fn step(&mut self, opcode: u8) -> Step<()> {
        match opcode {
            0x80 => match self.reader.array()? {
                [0..=5] => Ok(()),
                [protocol] => Err(format!("unknown protocol {protocol}")),
            },
            0x95 => self.reader.frame(),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' if self.marks.last() == Some(&self.stack.len()) => self.pop_mark().map(drop),
            b'0' => self.pop().map(drop),
            b'1' => self.pop_mark().map(drop),
            b'2' => self.top().map(|value| self.stack.push(value)),
            b'N' | 0x88 | 0x89 => {
                self.stack.push(Value::Nothing);
                Ok(())
            }
            b'I' | b'L' | b'J' | b'K' | b'M' | 0x8a | 0x8b | b'F' | b'G' => {
                self.reader.number(opcode).map(|value| self.stack.push(value))
            }
            b'S' | b'T' | b'U' | b'V' | b'X' | 0x8c | 0x8d => self.push_text(opcode),
            b')' | b't' | 0x85..=0x87 => self.push_tuple(opcode),
            b'}' | b'd' | b's' | b'u' => self.fill_dict(opcode),
            b'p' | b'q' | b'r' | 0x94 => self.put(opcode),
            b'g' | b'h' | b'j' => self.get(opcode),
            b'c' | 0x93 => self.push_type(opcode),
            b'R' => self.call(),
            _ => Err("unexpected instruction".to_owned()),
        }
    }

    /// Return about how much memory the machine has taken.
    fn memory(&self) -> usize {
        let values = self.stack.capacity() + self.memo.capacity() + self.ngrams.capacity();
        let pairs: usize = self.dicts.iter().map(Vec::capacity).sum();
        values * size_of::<Value>()
            + self.sparse.capacity() * 2 * size_of::<(usize, Value)>()
            + self.texts.capacity() * size_of::<Span>()
            + pairs * size_of::<(Value, Value)>()
            + self.marks.capacity() * size_of::<usize>()
            + self.text.capacity()
    }

    /// Return the height of the last mark, below which an instruction cannot reach.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Step<Value> {
        let above = self.stack.get(self.floor()..).and_then(<[Value]>::last);
        above.copied().ok_or_else(|| "the stack is empty".to_owned())
    }

    fn pop(&mut self) -> Step<Value> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// Pop the values above the last mark.
    fn pop_mark(&mut self) -> Step<Vec<Value>> {
        let mark = self.marks.pop().ok_or("the stack has no mark")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn push_text(&mut self, opcode: u8) -> Step<()> {
        let start = self.text.len();
        match opcode {
            b'S' => unescape_bytes(self.reader.line()?, &mut self.text)?,
            b'V' => unescape_text(self.reader.line()?, &mut self.text)?,
            b'U' | 0x8c => self.text.extend_from_slice(self.reader.sized(1)?),
            b'T' | b'X' => self.text.extend_from_slice(self.reader.sized(4)?),
            _ => self.text.extend_from_slice(self.reader.sized(8)?),
        }
        let python_2 = matches!(opcode, b'S' | b'T' | b'U');
        let span = Span { start, end: self.text.len(), python_2 };
        if std::str::from_utf8(self.bytes(span)).is_err() {
            if !python_2 {
                return Err("text with a lone surrogate or not UTF-8".to_owned());
            }
            self.latin = true;
        }
        let index = u32::try_from(self.texts.len()).ok().filter(|&index| index < u32::MAX);
        self.stack.push(Value::Text(index.ok_or("too many texts")?));
        self.texts.push(span);
        Ok(())
    }

    fn push_tuple(&mut self, opcode: u8) -> Step<()> {
        let mut members = [Value::Nothing; MAX_ORDER];
        let len = match opcode {
            b')' => 0,
            b't' => {
                let all = self.pop_mark()?;
                let kept = members.get_mut(..all.len()).ok_or("tuple of more than 4 members")?;
                kept.copy_from_slice(&all);
                all.len()
            }
            _ => {
                let len = usize::from(opcode - 0x84);
                for member in members.iter_mut().take(len).rev() {
                    *member = self.pop()?;
                }
                len
            }
        };
        let tuple = match (len, members) {
            (0, _) | (1, [Value::NumberType | Value::Nothing, ..]) => Value::Arguments,
            _ => {
                let mut ngram = [0; MAX_ORDER];
                for (token, member) in ngram.iter_mut().zip(members).take(len) {
                    let Value::Text(text) = member else {
                        return Err("tuple that is not an n-gram of 1 to 4 strings".to_owned());
                    };
                    *token = text + 1;
                }
                self.ngrams.push(ngram);
                Value::Ngram(self.ngrams.len() - 1)
            }
        };
        self.stack.push(tuple);
        Ok(())
    }

    fn fill_dict(&mut self, opcode: u8) -> Step<()> {
        let items = match opcode {
            b'}' => Vec::new(),
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.pop_mark()?,
        };
        if matches!(opcode, b'}' | b'd') {
            self.push_dict()?;
        }
        let Value::Dict(dict) = self.top()? else { return Err("items for something that is not a dict".to_owned()) };
        let (pairs, rest) = items.as_chunks();
        if !rest.is_empty() {
            return Err("key without a value".to_owned());
        }
        for &[key, value] in pairs {
            if matches!(key, Value::Dict(_)) {
                return Err("dict as a key".to_owned());
            }
            if value == Value::Dict(dict) {
                return Err("dict that contains itself".to_owned());
            }
            self.dicts.get_mut(dict).ok_or("no such dict")?.push((key, value));
        }
        Ok(())
    }

    fn push_dict(&mut self) -> Step<()> {
        if self.dicts.len() == MAX_DICTS {
            return Err(format!("more than {MAX_DICTS} dicts"));
        }
        self.stack.push(Value::Dict(self.dicts.len()));
        self.dicts.push(Vec::new());
        Ok(())
    }

    fn put(&mut self, opcode: u8) -> Step<()> {
        let value = self.top()?;
        let index = match opcode {
            0x94 => self.memo.len() + self.sparse.len(),
            _ => self.reader.memo_index(opcode)?,
        };
        if let Some(entry) = self.memo.get_mut(index) {
            *entry = value;
        } else if index == self.memo.len() {
            self.sparse.remove(&index);
            self.memo.push(value);
        } else {
            self.sparse.insert(index, value);
        }
        Ok(())
    }

    fn get(&mut self, opcode: u8) -> Step<()> {
        let index = self.reader.memo_index(opcode)?;
        let entry = self.memo.get(index).or_else(|| self.sparse.get(&index));
        let value = *entry.ok_or_else(|| format!("memo entry {index} does not exist"))?;
        self.stack.push(value);
        Ok(())
    }

    fn push_type(&mut self, opcode: u8) -> Step<()> {
        let (module, name) = if opcode == b'c' {
            let module = String::from_utf8_lossy(self.reader.line()?);
            (module, String::from_utf8_lossy(self.reader.line()?))
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            let (Value::Text(name), Value::Text(module)) = (name, module) else {
                return Err("name of a type that is not a string".to_owned());
            };
            (self.decoded(module), self.decoded(name))
        };
        let value = match (&*module, &*name) {
            ("collections", "defaultdict") => Value::DefaultDict,
            ("builtins" | "__builtin__", "float" | "int" | "long") => Value::NumberType,
            _ => {
                let start = |text: &str| text.chars().take(80).collect::<String>();
                return Err(format!("refused to load {}.{}", start(&module), start(&name)));
            }
        };
        self.stack.push(value);
        Ok(())
    }

    fn call(&mut self) -> Step<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        if (function, arguments) != (Value::DefaultDict, Value::Arguments) {
            return Err("call of something other than defaultdict with a type".to_owned());
        }
        self.push_dict()
    }

    fn bytes(&self, span: Span) -> &[u8] {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    fn decoded(&self, text: u32) -> Cow<'_, str> {
        let Some(&span) = self.texts.get(text as usize) else { return Cow::Borrowed("") };
        if span.python_2 && self.latin {
            return self.bytes(span).iter().map(|&byte| char::from(byte)).collect();
        }
        String::from_utf8_lossy(self.bytes(span))
    }

    /// Return the table that the program has built.
    fn table(&self, table: Value) -> Step<PickledCounts> {
        let mut documents = None;
        let mut counts = None;
        for &(key, value) in self.dict(table).ok_or("not a dict with ref_len and document_frequency")? {
            // Texts are compared as bytes: both keys are the same in every encoding.
            let Value::Text(key) = key else { continue };
            match self.texts.get(key as usize).map(|&span| self.bytes(span)) {
                Some(b"ref_len") => documents = Some(value),
                Some(b"document_frequency") => counts = Some(value),
                _ => {}
            }
        }
        let (Some(documents), Some(counts)) = (documents, counts) else {
            return Err("the dict lacks ref_len or document_frequency".to_owned());
        };
        let Value::Number(documents) = documents else { return Err("ref_len is not a number".to_owned()) };
        self.counts(documents, self.dict(counts).ok_or("document_frequency is not a dict")?)
    }

    fn dict(&self, value: Value) -> Option<&[(Value, Value)]> {
        let Value::Dict(dict) = value else { return None };
        self.dicts.get(dict).map(Vec::as_slice)
    }

    fn counts(&self, documents: f64, items: &[(Value, Value)]) -> Step<PickledCounts> {
        let mut pickled = PickledCounts { documents, vocab: Vocab::default(), counts: HashMap::default() };
        // Each text is decoded once, however often it is used.
        let mut ids = vec![0; self.texts.len()];
        for (row, &(key, value)) in items.iter().enumerate() {
            let ngram = if let Value::Ngram(ngram) = key { self.ngrams.get(ngram) } else { None };
            let mut ngram = *ngram.ok_or_else(|| format!("n-gram {row} is not a tuple of 1 to 4 strings"))?;
            for token in ngram.iter_mut().take_while(|token| **token > 0) {
                let text = *token - 1;
                let id = ids.get_mut(text as usize).ok_or("no such text")?;
                if *id == 0 {
                    *id = pickled.vocab.intern(&self.decoded(text));
                }
                *token = *id;
            }
            let max = f64::from(u32::MAX);
            let count = match value {
                Value::Number(count) if (0.0..=max).contains(&count) && count.fract() == 0.0 => count as u32,
                Value::Number(count) => {
                    return Err(format!("count of n-gram {row} is {count}, needs a whole number from 0 to {max}"));
                }
                _ => return Err(format!("count of n-gram {row} is not a number")),
            };
            pickled.counts.insert(ngram, count);
        }
        Ok(pickled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of documents and the n-grams joined by spaces with their counts, or the error.
    type Outcome = std::result::Result<(f64, Vec<(String, u32)>), String>;

    fn read(bytes: &[u8]) -> Outcome {
        let pickled = read_counts(bytes).map_err(|error| error.to_string())?;
        let words = |ngram: [u32; MAX_ORDER]| {
            let tokens = ngram.into_iter().take_while(|&id| id > 0).map(|id| pickled.vocab.token(id).unwrap());
            tokens.collect::<Vec<_>>().join(" ")
        };
        let mut counts: Vec<_> = pickled.counts.iter().map(|(&ngram, &count)| (words(ngram), count)).collect();
        counts.sort();
        Ok((pickled.documents, counts))
    }

    #[allow(clippy::unnecessary_wraps)] // Tests compare it with `read`.
    fn one(text: &str, count: u32) -> Outcome {
        Ok((3.0, vec![(text.to_owned(), count)]))
    }

    fn table(counts: &[u8]) -> Vec<u8> {
        [b"}(U\x07ref_lenK\x03U\x12document_frequency", counts, b"u."].concat()
    }

    #[test]
    fn every_protocol_is_read() {
        let lines = b"(dp0\nVref_len\np1\nI3\nsVdocument_frequency\np2\nccollections\ndefaultdict\np3\n\
            (c__builtin__\nlong\np4\ntp5\nRp6\n(V\\u7ea2\np7\ng7\ntp8\nF2.0\nss.";
        assert_eq!(read(lines), one("红 红", 2));
        let frames = b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x07ref_len\x94K\x03\
            \x8c\x12document_frequency\x94\x8c\x0bcollections\x94\x8c\x0bdefaultdict\x94\x93\x94\
            \x8c\x08builtins\x94\x8c\x05float\x94\x93\x94\x85\x94R\x94\x8c\x03\xe7\xba\xa2\x94h\x0b\x86G\x40\0\0\0\0\0\0\0su.";
        assert_eq!(read(frames), one("红 红", 2));
    }

    #[test]
    fn numbers_are_read_in_all_forms() {
        for (number, count) in [
            (&b"I70000\n"[..], 70_000),
            (b"L70000L\n", 70_000),
            (b"J\x70\x11\x01\0", 70_000),
            (b"M\xff\xff", 65_535),
            (b"\x8a\x05\xff\xff\xff\xff\0", u32::MAX),
            (b"\x8b\x02\0\0\0\xff\0", 255),
            (b"\x8a\0", 0),
            (b"F1e3\n", 1000),
        ] {
            assert_eq!(read(&table(&[b"}U\x01a\x85", number, b"s"].concat())), one("a", count));
        }
        for number in [&b"I-1\n"[..], b"\x8a\x01\xff", b"J\xff\xff\xff\xff", b"F1.5\n", b"Fnan\n", b"Finf\n", b"I01\n"]
        {
            assert!(read(&table(&[b"}U\x01a\x85", number, b"s"].concat())).is_err());
        }
    }

    #[test]
    fn byte_strings_are_utf_8_or_all_of_them_latin_1() {
        assert_eq!(read(&table(b"}S'\\xe7\\xba\\xa2'\n\x85K\x01s")), one("红", 1));
        assert_eq!(read(&table(b"}U\x01\xe9S'\\xc3\\xa9'\nX\x02\0\0\0\xc3\xa9\x87K\x01s")), one("é Ã© é", 1));
        assert_eq!(read(&table(b"}S\"a\\\\\\n'\"\n\x85K\x01s")), one("a\\\n'", 1));
        assert_eq!(read(&table(b"}V\\\\u0041\\x\n\x85K\x01s")), one("\\\\u0041\\x", 1));
    }

    #[test]
    fn the_last_of_equal_keys_wins() {
        let twice = b"}(U\x01a\x85K\x01U\x01a\x85K\x02u";
        assert_eq!(read(&table(twice)), one("a", 2));
        assert_eq!(
            read(b"}(U\x07ref_lenK\x01U\x07ref_lenK\x03U\x12document_frequency}U\x01a\x85K\x01su."),
            one("a", 1)
        );
    }

    #[test]
    fn memo_indices_may_be_sparse() {
        assert_eq!(read(&table(b"}U\x01ar\xff\xff\xff\xff0j\xff\xff\xff\xff\x85q\x000h\x00K\x01s")), one("a", 1));
        assert!(read(&table(b"}h\x05\x85K\x01s")).unwrap_err().contains("memo entry 5 does not exist"));
    }

    #[test]
    fn errors_name_the_instruction_and_its_offset() {
        let fails = |bytes: &[u8], message: &str| {
            let error = read(bytes).unwrap_err();
            assert!(error.contains(message), "{error}");
        };
        fails(b"cos\nsystem\n(S'x'\ntR.", "refused to load os.system (opcode 0x63 at byte 0)");
        fails(b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "refused to load os.system (opcode 0x93 at byte 14)");
        fails(b"}}b.", "(opcode BUILD at byte 2)");
        fails(b"", "the file ends too early");
        fails(b"(0.", "the stack is empty");
        fails(b"\x80\x06.", "unknown protocol 6");
        fails(b"}}}", "more than 2 dicts");
        fails(b"}q\x00K\x01h\x00s.", "dict that contains itself");
        fails(b"}h", "the file ends too early");
        fails(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "the file ends too early");
        fails(&table(b"}U\x01a\x85\x85"), "not an n-gram");
        fails(&table(b"}(U\x01a2222t"), "more than 4 members");
        fails(&table(b"})K\x01s"), "n-gram 0 is not a tuple");
        fails(&table(b"X\x03\0\0\0\xed\xa0\x80"), "lone surrogate");
        fails(&table(b"V\\ud800\n"), "lone surrogate");
        fails(&table(b"c__builtin__\nint\n(I5\ntR"), "not an n-gram");
        fails(&table(b"c__builtin__\nint\n)R"), "call of something other");
        fails(b"}(U\x07ref_lenU\x013U\x12document_frequency}u.", "ref_len is not a number");
    }

    #[test]
    fn no_changed_byte_panics() {
        let good = table(b"ccollections\ndefaultdict\nc__builtin__\nfloat\n\x85RU\x01aq\x00h\x00\x86K\x01s");
        assert!(read(&good).is_ok());
        for offset in 0..good.len() {
            for byte in 0..=u8::MAX {
                let mut changed = good.clone();
                changed[offset] = byte;
                let _ = read(&changed);
            }
            assert!(read(&good[..offset]).is_err());
        }
    }
}
