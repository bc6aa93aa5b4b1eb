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

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of the bytes of `word` that are `byte`; of the lowest such byte exactly.
fn equal(word: u64, byte: u8) -> u64 {
    let differences = word ^ (ONES * u64::from(byte));
    differences.wrapping_sub(ONES) & !differences
}

/// The first byte at or after `from` that `found` marks in a word of eight, or `is` says of the last few; the length of
/// `bytes` where there is none.
fn first(bytes: &[u8], from: usize, found: impl Fn(u64) -> u64, is: impl Fn(&u8) -> bool) -> usize {
    let mut at = from;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let found = found(u64::from_le_bytes(*chunk)) & HIGHS;
        if found != 0 {
            return at + usize::try_from(found.trailing_zeros() / 8).unwrap_or_default();
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at.min(bytes.len()) + rest.iter().position(is).unwrap_or(rest.len())
}

/// The first quote at or after `from`.
pub(super) fn quote(bytes: &[u8], from: usize) -> usize {
    first(bytes, from, |word| equal(word, b'"'), |byte| *byte == b'"')
}

/// The first quote, backslash or control character at or after `from`.
pub(super) fn special(bytes: &[u8], from: usize) -> usize {
    let found = |word: u64| equal(word, b'"') | equal(word, b'\\') | (word.wrapping_sub(ONES * 0x20) & !word);
    first(bytes, from, found, |byte| matches!(byte, b'"' | b'\\') || *byte < 0x20)
}

/// Whether there is neither a backslash nor a control character.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |odd, byte| odd | u8::from(*byte < 0x20) | u8::from(*byte == b'\\')) == 0
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
