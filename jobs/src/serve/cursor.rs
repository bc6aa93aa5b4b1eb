//! A place in the feed of changes, as clients keep it.

use engine::lake::Run;
use engine::time::Micros;

/// Greater than every key.
const END: &str = "\u{7f}";

/// A place in the feed: everything up to this key of this publication is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor {
    pub(super) finished_at: Micros,
    pub(super) run_id: String,
    pub(super) key: String,
}

impl Cursor {
    /// Before everything.
    pub(super) fn start() -> Self {
        Self { finished_at: 0, run_id: "0".to_owned(), key: String::new() }
    }

    /// The end of a publication.
    pub(super) fn end_of(run: &Run) -> Self {
        Self { finished_at: run.finished_at, run_id: run.run_id.clone(), key: END.to_owned() }
    }

    /// Reads what [`Cursor::text`] wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (finished_at, run_id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let plain = !run_id.is_empty() && run_id.chars().all(|c| c.is_ascii_alphanumeric());
        let finished_at = finished_at.parse().ok().filter(|at| *at >= 0)?;
        (plain && parts.next().is_none()).then_some(Self {
            finished_at,
            run_id: run_id.to_owned(),
            key: unhex(key)?,
        })
    }

    /// For clients: letters, digits and hyphens.
    pub(super) fn text(&self) -> String {
        format!("{}-{}-{}", self.finished_at, self.run_id, hex(&self.key))
    }

    /// The publication that it is in.
    pub(super) fn publication(&self) -> (Micros, &str) {
        (self.finished_at, &self.run_id)
    }
}

/// Text as hex digits.
pub(super) fn hex(text: &str) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16);
    text.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect()
}

/// Reads what [`hex`] wrote.
pub(super) fn unhex(text: &str) -> Option<String> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let cursor = Cursor { finished_at: 17, run_id: "0ab1".to_owned(), key: "quota 张-3".to_owned() };
        assert_eq!(Cursor::parse(&cursor.text()).as_ref(), Some(&cursor));
        let end = Cursor { key: END.to_owned(), ..cursor.clone() };
        assert!(cursor < end && Cursor::parse(&end.text()) == Some(end));
        for wrong in [
            "",
            "17",
            "17-0ab1",
            "x-0ab1-61",
            "17-0ab1-6",
            "17-0ab1-zz",
            "17-0ab1-61-2",
            "-5-a-61",
            "17-ü-61",
        ] {
            assert_eq!(Cursor::parse(wrong), None, "{wrong}");
        }
    }
}
