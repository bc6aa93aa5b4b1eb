//! Strings inside JSON text: where they end, what their escapes stand for, and text without the space around them.

use super::scan::Malformed;

/// The character of the hex digits at `at`, a surrogate pair where they begin one, and how many bytes it took.
pub(super) fn unicode(bytes: &[u8], at: usize) -> Result<(char, usize), Malformed> {
    let high = hex(bytes, at)?;
    if let Some(found) = char::from_u32(high) {
        return Ok((found, 4));
    }
    if bytes.get(at + 4..at + 6) != Some(b"\\u") {
        return Err(Malformed);
    }
    let low = hex(bytes, at + 6)?;
    if !(0xd800..0xdc00).contains(&high) || !(0xdc00..0xe000).contains(&low) {
        return Err(Malformed);
    }
    let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    char::from_u32(code).map(|found| (found, 10)).ok_or(Malformed)
}

fn hex(bytes: &[u8], at: usize) -> Result<u32, Malformed> {
    let digits = bytes.get(at..at + 4).ok_or(Malformed)?;
    digits.iter().try_fold(0_u32, |value, byte| {
        char::from(*byte).to_digit(16).map(|digit| value * 16 + digit).ok_or(Malformed)
    })
}

/// The first quote, backslash or control character at or after `from`; the length of `bytes` where there is none.
/// Eight bytes a step: each comparison leaves the high bit of the bytes that match, the lowest one exactly.
pub(super) fn special(bytes: &[u8], from: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let mut at = from;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * 0x22);
        let backslash = word ^ (ONES * 0x5c);
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let found = found & HIGHS;
        if found != 0 {
            return at + usize::try_from(found.trailing_zeros() / 8).unwrap_or_default();
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let stop = rest.iter().position(|byte| matches!(byte, b'"' | b'\\') || *byte < 0x20);
    at.min(bytes.len()) + stop.unwrap_or(rest.len())
}

/// Appends JSON text without the white space between its parts.
pub(crate) fn compact(raw: &str, out: &mut String) {
    let mut in_string = false;
    let mut escaped = false;
    for found in raw.chars() {
        if in_string {
            out.push(found);
            in_string = escaped || found != '"';
            escaped = !escaped && found == '\\';
        } else if !matches!(found, ' ' | '\t' | '\n' | '\r') {
            out.push(found);
            in_string = found == '"';
        }
    }
}
