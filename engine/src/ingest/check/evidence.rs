//! Evidence: a list of {kind, uri, sha256?}, kept as JSON text of one form, so that equal evidence is equal text.

use super::reason;
use crate::ingest::decode::escape::compact;
use crate::ingest::decode::scan::{Malformed, Scanner};

/// Writes the canonical text of a JSON list of evidence into `out` and returns its length. Each item has `kind`,
/// `uri`, `sha256` (where given) first, then its other members as written.
pub(crate) fn canonical(text: &str, out: &mut String) -> Result<i32, &'static str> {
    let mut scanner = Scanner::new(text);
    let mut count: i32 = 0;
    out.push('[');
    scanner
        .items(|scanner| {
            if count > 0 {
                out.push(',');
            }
            count = count.checked_add(1).ok_or(Malformed)?;
            item(scanner, out)
        })
        .and_then(|()| scanner.end())
        .map_err(|_| reason::NOT_EVIDENCE)?;
    out.push(']');
    Ok(count)
}

fn item(scanner: &mut Scanner<'_>, out: &mut String) -> Result<(), Malformed> {
    let (mut kind, mut uri, mut sha256) = (None, None, None);
    let mut others = String::new();
    scanner.members(|scanner, key| {
        let raw = scanner.raw()?;
        match key.as_ref() {
            "kind" => kind = Some(raw),
            "uri" => uri = Some(raw),
            "sha256" => sha256 = Some(raw),
            other => {
                others.push(',');
                quote(other, &mut others);
                others.push(':');
                compact(raw, &mut others);
            }
        }
        Ok::<(), Malformed>(())
    })?;
    out.push_str("{\"kind\":");
    literal(kind.ok_or(Malformed)?, out)?;
    out.push_str(",\"uri\":");
    literal(uri.ok_or(Malformed)?, out)?;
    if let Some(raw) = sha256.filter(|raw| *raw != "null") {
        out.push_str(",\"sha256\":");
        literal(raw, out)?;
    }
    out.push_str(&others);
    out.push('}');
    Ok(())
}

/// Appends one item of evidence from its parts.
pub(crate) fn push_item(kind: &str, uri: &str, sha256: Option<&str>, out: &mut String) {
    out.push_str("{\"kind\":");
    quote(kind, out);
    out.push_str(",\"uri\":");
    quote(uri, out);
    if let Some(sha256) = sha256 {
        out.push_str(",\"sha256\":");
        quote(sha256, out);
    }
    out.push('}');
}

/// Appends a string literal with the fewest escapes.
fn literal(raw: &str, out: &mut String) -> Result<(), Malformed> {
    if !raw.starts_with('"') {
        return Err(Malformed);
    }
    if raw.contains('\\') {
        quote(&Scanner::new(raw).string()?, out);
    } else {
        out.push_str(raw);
    }
    Ok(())
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for found in text.chars() {
        match found {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let code = u32::from(control);
                out.push_str("\\u00");
                out.extend(
                    [code / 16, code % 16].into_iter().filter_map(|digit| char::from_digit(digit, 16)),
                );
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
