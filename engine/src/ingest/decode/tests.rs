//! The scanner against a general JSON parser, and CSV boundaries against a general CSV reader.

use proptest::prelude::*;
use serde_json::Value;

use super::csv::reader;
use super::escape::compact;
use super::record::Cell;
use super::scan::Scanner;
use crate::ingest::boundary::{self, Cut};

fn scan(text: &str) -> Option<&str> {
    let mut scanner = Scanner::new(text);
    let raw = scanner.raw().ok()?;
    scanner.end().ok().map(|()| raw)
}

/// Accepts what the general parser accepts, and keeps its meaning; numbers out of a float's range are JSON all the same.
fn check_scan(text: &str) -> Result<(), TestCaseError> {
    let parsed = serde_json::from_str::<Value>(text);
    let in_range = !parsed.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
    if in_range {
        prop_assert_eq!(scan(text).is_some(), parsed.is_ok(), "{}", text);
    }
    if let (Some(raw), Ok(parsed)) = (scan(text), parsed) {
        let mut compacted = String::new();
        compact(raw, &mut compacted);
        prop_assert_eq!(serde_json::from_str::<Value>(&compacted).unwrap(), parsed.clone());
        if let (Ok(Cell::Text(string)), Value::String(expected)) = (Scanner::new(text).value(), parsed) {
            prop_assert_eq!(string.as_ref(), expected);
        }
    }
    Ok(())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        ".{0,20}".prop_map(Value::String),
        "[\\x00-\\x20\"\\\\é中😀a-z]{0,20}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(".{0,9}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_scanner_reads_what_a_general_parser_reads(value in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        check_scan(&text)?;
    }

    #[test]
    fn the_scanner_refuses_what_a_general_parser_refuses(text in "[\\[\\]{}\",:\\\\u0-9eE+.\\-a-f \ntruelsn]{0,14}") {
        check_scan(&text)?;
    }

    #[test]
    fn one_wrong_character_is_found(value in json(), at in any::<prop::sample::Index>(), other in any::<char>()) {
        let text = serde_json::to_string(&value).unwrap();
        let mut changed: Vec<char> = text.chars().collect();
        let at = at.index(changed.len());
        changed[at] = other;
        check_scan(&changed.into_iter().collect::<String>())?;
    }

    #[test]
    fn cutting_csv_into_blocks_changes_no_record(text in "[a,\"\r\n]{0,40}", most in 1_usize..4) {
        let whole = rows(text.as_bytes());
        let mut cut = Vec::new();
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match boundary::csv(rest, most, true) {
                Cut::At { end, .. } => {
                    cut.extend(rows(&rest[..end]));
                    rest = &rest[end..];
                }
                // The general reader takes an open quote to the end; here the file is refused.
                Cut::OpenQuote { .. } => return Ok(()),
                Cut::None => prop_assert!(false, "no cut in {:?}", rest),
            }
        }
        prop_assert_eq!(cut, whole);
    }
}

fn rows(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    reader(bytes).byte_records().map(|row| row.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
}

#[test]
fn numbers_keep_their_digits() {
    let mut scanner = Scanner::new("1234567890123456.78");
    assert_eq!(scanner.value(), Ok(Cell::Number("1234567890123456.78")));
}

#[test]
fn nesting_has_a_limit() {
    assert!(scan(&format!("{}1{}", "[".repeat(120), "]".repeat(120))).is_some());
    assert!(scan(&"[".repeat(1_000_000)).is_none());
}
