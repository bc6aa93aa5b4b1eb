//! A scanner over JSON text that keeps what a general parser loses: numbers digit for digit, nested values as written,
//! and strings borrowed wherever they hold no escape.

use std::borrow::Cow;

use super::escape::{is_plain, quote, special, unicode};
use super::record::{Cell, Pair, pair_value};

/// Lists and objects inside one another, at most.
const DEPTH_MAX: usize = 128;

/// The text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

type Scan<T> = Result<T, Malformed>;

/// A place in a text.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Whether every string ends at its next quote: the text has neither escapes nor control characters.
    plain: bool,
}

impl<'a> Scanner<'a> {
    /// At the start of `text`.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, plain: is_plain(text.as_bytes()) }
    }

    /// The next byte that is no white space, without passing it.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Passes that byte, or fails.
    fn pass(&mut self, byte: u8) -> Scan<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    /// Passes a text, if it comes next.
    pub(crate) fn pass_text(&mut self, text: &[u8]) -> bool {
        self.peek();
        let comes = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(text));
        self.at += if comes { text.len() } else { 0 };
        comes
    }

    /// Fails unless only white space is left.
    pub(crate) fn end(&mut self) -> Scan<()> {
        if self.peek().is_none() { Ok(()) } else { Err(Malformed) }
    }

    /// Reads an object, handing each key to `member`, which must read the value.
    pub(crate) fn members<E: From<Malformed>>(
        &mut self,
        mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut more = self.open_object()?;
        while more {
            let key = self.key()?;
            member(self, key)?;
            more = self.more(b'}')?;
        }
        Ok(())
    }

    /// Passes the brace that opens an object; whether a member follows.
    pub(crate) fn open_object(&mut self) -> Scan<bool> {
        self.pass(b'{')?;
        let empty = self.peek() == Some(b'}');
        self.at += usize::from(empty);
        Ok(!empty)
    }

    /// Reads a key and passes its colon.
    pub(crate) fn key(&mut self) -> Scan<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return Err(Malformed);
        }
        let key = self.string()?;
        self.pass(b':')?;
        Ok(key)
    }

    /// Reads a list, calling `item` at each of its values, which it must read.
    pub(crate) fn items<E: From<Malformed>>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.pass(b'[')?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            if !self.more(b']')? {
                return Ok(());
            }
        }
    }

    /// After a value: true at a comma, false at the closing byte.
    pub(crate) fn more(&mut self, close: u8) -> Scan<bool> {
        let next = self.peek();
        self.at += 1;
        match next {
            Some(b',') => Ok(true),
            Some(byte) if byte == close => Ok(false),
            _ => Err(Malformed),
        }
    }

    /// Reads any value; a list or an object is checked and kept as text.
    pub(crate) fn value(&mut self) -> Scan<Cell<'a>> {
        match self.peek() {
            Some(b'"') => Ok(Cell::Text(self.string()?)),
            Some(b'{' | b'[') => Ok(Cell::Nested(self.raw()?)),
            Some(b't') => self.word("true").map(|()| Cell::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Cell::Bool(false)),
            Some(b'n') => self.word("null").map(|()| Cell::Missing),
            Some(_) => Ok(Cell::Number(self.number()?)),
            None => Err(Malformed),
        }
    }

    /// Reads any value and returns it as written.
    pub(crate) fn raw(&mut self) -> Scan<&'a str> {
        self.peek();
        let start = self.at;
        self.skip(0)?;
        Ok(&self.text[start..self.at])
    }

    /// Reads an object of values into pairs; lists and objects in it become compact JSON, nulls are left out.
    pub(crate) fn pairs(&mut self, pairs: &mut Vec<Pair<'a>>) -> Scan<()> {
        self.members(|scanner, key| {
            if let Some(value) = pair_value(scanner.value()?) {
                pairs.push(Pair { key, value, explicit: true });
            }
            Ok(())
        })
    }

    fn skip(&mut self, depth: usize) -> Scan<()> {
        if depth > DEPTH_MAX {
            return Err(Malformed);
        }
        match self.peek() {
            Some(b'{') => self.members(|scanner, _| scanner.skip(depth + 1)),
            Some(b'[') => self.items(|scanner| scanner.skip(depth + 1)),
            _ => self.value().map(|_| ()),
        }
    }

    fn word(&mut self, word: &str) -> Scan<()> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    fn number(&mut self) -> Scan<&'a str> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let digits = |at: &mut usize| {
            let from = *at;
            while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            if *at > from { Ok(*at - from) } else { Err(Malformed) }
        };
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        let leading_zero = bytes.get(at) == Some(&b'0');
        if digits(&mut at)? > 1 && leading_zero {
            return Err(Malformed);
        }
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            digits(&mut at)?;
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1;
            at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
            digits(&mut at)?;
        }
        self.at = at;
        Ok(&self.text[start..at])
    }

    /// Reads a string; the scanner stands at its opening quote.
    pub(crate) fn string(&mut self) -> Scan<Cow<'a, str>> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let stop = if self.plain { quote(bytes, start) } else { special(bytes, start) };
        match bytes.get(stop) {
            Some(b'"') => {
                self.at = stop + 1;
                Ok(Cow::Borrowed(&self.text[start..stop]))
            }
            Some(b'\\') => self.escaped(start, stop).map(Cow::Owned),
            _ => Err(Malformed),
        }
    }

    /// Reads on from the first escape of a string that began at `start`.
    fn escaped(&mut self, start: usize, first: usize) -> Scan<String> {
        let bytes = self.text.as_bytes();
        let mut text = self.text[start..first].to_owned();
        let mut at = first;
        loop {
            match bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    let plain = match bytes.get(at + 1).ok_or(Malformed)? {
                        b'n' => '\n',
                        b't' => '\t',
                        b'r' => '\r',
                        b'b' => '\u{8}',
                        b'f' => '\u{c}',
                        byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
                        b'u' => {
                            let (found, length) = unicode(bytes, at + 2)?;
                            text.push(found);
                            at += length + 2;
                            continue;
                        }
                        _ => return Err(Malformed),
                    };
                    text.push(plain);
                    at += 2;
                }
                Some(byte) if *byte >= 0x20 => {
                    let stop = special(bytes, at);
                    text.push_str(&self.text[at..stop]);
                    at = stop;
                }
                _ => return Err(Malformed),
            }
        }
    }
}
