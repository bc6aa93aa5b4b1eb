//! Where the records of a delimited text begin, before its cells are read.
//!
//! The reader of cells would cut or pad a record of the wrong width and glue records over a stray quote,
//! both silently. So every record's line, width and quoting are checked here; what is
//! broken is cut out and told with its line, and the rest is safe to read.

use crate::import::summary::Reason;

/// Signs of a delimited text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
    /// Nothing after the first empty line is data: report exports end in a footer.
    pub(crate) end_at_blank_line: bool,
}

/// A record that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) line: u32,
    pub(crate) reason: Reason,
    pub(crate) raw: String,
    pub(crate) right: String,
}

#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) header: Vec<String>,
    /// The sound records, without the header.
    pub(crate) body: Vec<u8>,
    /// Line of each sound record, the header's being 1.
    pub(crate) lines: Vec<u32>,
    pub(crate) broken: Vec<Broken>,
}

pub(crate) fn scan(text: &str, dialect: Dialect) -> Scan {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    let mut scan = Scan { header: Vec::new(), body: Vec::new(), lines: Vec::new(), broken: Vec::new() };
    let mut sound: Vec<&str> = Vec::new();
    while !rest.is_empty() {
        let shape = Shape::of(rest, dialect);
        let (record, after) = rest.split_at_checked(shape.length).unwrap_or((rest, ""));
        let at = line;
        line += shape.line_breaks;
        rest = after;
        if record.trim().is_empty() {
            if dialect.end_at_blank_line && !scan.header.is_empty() {
                break;
            }
            continue;
        }
        if scan.header.is_empty() {
            scan.header = cells(record, dialect);
            continue;
        }
        // Spreadsheets leave rows of bare delimiters behind.
        let delimiter = char::from(dialect.delimiter);
        if record.chars().all(|c| c == delimiter || c.is_whitespace()) && !delimiter.is_whitespace() {
            continue;
        }
        let fault = shape.fault.or_else(|| {
            let right = format!("{} fields as in the header, found {}", scan.header.len(), shape.fields);
            (shape.fields != scan.header.len()).then_some((Reason::WrongFieldCount, right))
        });
        match fault {
            None => {
                // Line breaks of one kind only, so that no carriage return ends up in a cell.
                sound.push(record.trim_end_matches(['\r', '\n']));
                scan.lines.push(at);
            }
            Some((reason, right)) => {
                scan.broken.push(Broken { line: at, reason, raw: record.trim_end().to_owned(), right });
            }
        }
    }
    scan.body = sound.join("\n").into_bytes();
    scan
}

/// The cells of one record: unquoted, unescaped, trimmed.
pub(crate) fn cells(record: &str, dialect: Dialect) -> Vec<String> {
    let (delimiter, quote) = (char::from(dialect.delimiter), char::from(dialect.quote));
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = record.trim_end_matches(['\r', '\n']).chars().peekable();
    while let Some(c) = chars.next() {
        let Some(cell) = cells.last_mut() else { break };
        if c == quote {
            if quoted && chars.next_if_eq(&quote).is_some() {
                cell.push(quote);
            } else {
                quoted = !quoted;
            }
        } else if c == delimiter && !quoted {
            cells.push(String::new());
        } else {
            cell.push(c);
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// The outline of the record at the start of a text.
struct Shape {
    /// Bytes, the line break included.
    length: usize,
    line_breaks: u32,
    fields: usize,
    fault: Option<(Reason, String)>,
}

impl Shape {
    fn of(text: &str, dialect: Dialect) -> Self {
        #[derive(PartialEq)]
        enum At {
            FieldStart,
            Plain,
            Quoted,
            AfterQuote,
        }
        let mut at = At::FieldStart;
        let mut shape = Self { length: text.len(), line_breaks: 0, fields: 1, fault: None };
        for (index, byte) in text.bytes().enumerate() {
            if byte == b'\n' {
                shape.line_breaks += 1;
            }
            match (&at, byte) {
                (At::Quoted, b) if b == dialect.quote => at = At::AfterQuote,
                (At::Quoted, _) => {}
                (_, b'\n') => {
                    shape.length = index + 1;
                    return shape;
                }
                (_, b) if b == dialect.delimiter => {
                    shape.fields += 1;
                    at = At::FieldStart;
                }
                (At::FieldStart | At::AfterQuote, b) if b == dialect.quote => at = At::Quoted,
                (At::FieldStart, _) => at = At::Plain,
                (At::AfterQuote, b'\r') => {}
                (At::Plain, b) if b != dialect.quote => {}
                (At::Plain | At::AfterQuote, _) => {
                    let right = "a field with a quote in it quoted as a whole, its quotes doubled";
                    shape.fault = Some((Reason::StrayQuote, right.to_owned()));
                    at = At::Plain;
                }
            }
        }
        if at == At::Quoted {
            shape.fault = Some((Reason::UnclosedQuote, "a closing quote before the file's end".to_owned()));
        }
        shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Dialect = Dialect { delimiter: b',', quote: b'"', end_at_blank_line: false };

    fn check(text: &str, lines: &[u32], broken: &[(u32, Reason)]) {
        let scan = scan(text, COMMA);
        assert_eq!(scan.lines, lines, "{text:?}");
        let found: Vec<(u32, Reason)> = scan.broken.iter().map(|b| (b.line, b.reason)).collect();
        assert_eq!(found, broken, "{text:?}");
    }

    #[test]
    fn lines_of_sound_and_broken_records() {
        check("a,b\n1,2\n3,4", &[2, 3], &[]);
        check("\u{feff}a,b\r\n1,2\r\n\r\n3,4\r\n", &[2, 4], &[]);
        check("a,b\n\"x\ny\",2\n3,4\n", &[2, 4], &[]);
        check("a,b\n\"x\"\"y\",2\r\n\"1\",\"2\"\r\n", &[2, 3], &[]);
        check("a,b\n1\n1,2,3\n1,2\n", &[4], &[(2, Reason::WrongFieldCount), (3, Reason::WrongFieldCount)]);
        check("a,b\n5\" pipe,2\n1,2\n", &[3], &[(2, Reason::StrayQuote)]);
        check("a,b\n\"x\"y,2\n1,2\n", &[3], &[(2, Reason::StrayQuote)]);
        check("a,b\n1,2\n\"x,2\n1,2\n", &[2], &[(3, Reason::UnclosedQuote)]);
        check("a,b\n,\n1,\n", &[3], &[]);
        check("a,b\n", &[], &[]);
        check("", &[], &[]);
    }

    #[test]
    fn footers_end_the_data() {
        let report = "\"Stage\",\"Amount\"\n\"Won\",\"1\"\n\n\"Copyright\"\n";
        let scan = scan(report, Dialect { end_at_blank_line: true, ..COMMA });
        assert_eq!(
            (scan.header, scan.lines, scan.broken),
            (vec!["Stage".into(), "Amount".into()], vec![2], vec![])
        );
    }
}
