//! Where CSV records end: a line end counts only outside quotes.

use memchr::{memchr, memchr3};

/// Where to cut a stretch of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// After the last whole record that fits.
    At {
        /// One past the record's last byte.
        end: usize,
        /// Records before the cut.
        records: usize,
    },
    /// Not a single record is whole yet.
    None,
    /// Not a single record is whole yet, and a quote is open.
    OpenQuote {
        /// Where the quote is.
        at: usize,
    },
}

/// The cut after at most `records_max` records of CSV that begins at a record's start. Where the text has `ended`, its
/// last record needs no line end, but it needs its quotes closed.
///
/// A quote opens only as a cell's first byte; inside, two quotes stand for one.
pub(crate) fn csv(bytes: &[u8], records_max: usize, ended: bool) -> Cut {
    let mut end = 0;
    let mut records = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'"' {
            match closing_quote(bytes, at) {
                Some(close) => at = close + 1,
                // What came before is whole; the open quote is judged when its record is all that is left.
                None if records > 0 && !ended => return Cut::At { end, records },
                None => return Cut::OpenQuote { at },
            }
        }
        match bytes.get(at..).and_then(|rest| memchr3(b',', b'\n', b'\r', rest)) {
            None => break,
            Some(step) => {
                at += step + 1;
                if bytes[at - 1] == b'\n' {
                    end = at;
                    records += 1;
                    if records >= records_max {
                        return Cut::At { end, records };
                    }
                }
            }
        }
    }
    if ended && end < bytes.len() {
        Cut::At { end: bytes.len(), records: records + 1 }
    } else if records > 0 {
        Cut::At { end, records }
    } else {
        Cut::None
    }
}

/// The quote that closes the one at `open`.
fn closing_quote(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        let close = at + memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(close + 1) != Some(&b'"') {
            return Some(close);
        }
        at = close + 2;
    }
}
