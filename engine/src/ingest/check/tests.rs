//! Values and evidence as tables of text and result.

use super::layout::{Kind, Layout, behaviour};
use super::{evidence, reason, value};
use crate::contract::Stream;
use crate::time::Zone;

#[test]
fn amounts_are_exact() {
    let cases: [(&str, Result<i64, &str>); 30] = [
        ("0", Ok(0)),
        ("-0.00", Ok(0)),
        ("1234.50", Ok(123_450)),
        ("1234.5", Ok(123_450)),
        ("+7", Ok(700)),
        ("-0.01", Ok(-1)),
        (".5", Ok(50)),
        ("5.", Ok(500)),
        ("0.10", Ok(10)),
        ("00012", Ok(1_200)),
        ("1234567890123456.78", Ok(123_456_789_012_345_678)),
        ("9999999999999999.99", Ok(999_999_999_999_999_999)),
        ("-9999999999999999.99", Ok(-999_999_999_999_999_999)),
        ("10000000000000000", Err(reason::TOO_LARGE)),
        ("99999999999999999999999999999999999999999", Err(reason::TOO_LARGE)),
        ("0.001", Err(reason::TOO_FINE)),
        ("12.345", Err(reason::TOO_FINE)),
        ("12.3400", Ok(1_234)),
        ("0.1000000000000000055511151231257827", Err(reason::TOO_FINE)),
        ("1e3", Ok(100_000)),
        ("1.5E-1", Ok(15)),
        ("1e-3", Err(reason::TOO_FINE)),
        ("1e400", Err(reason::TOO_LARGE)),
        ("0e99999999999999999999", Ok(0)),
        ("", Err(reason::NOT_AN_AMOUNT)),
        (".", Err(reason::NOT_AN_AMOUNT)),
        ("1,234.50", Err(reason::NOT_AN_AMOUNT)),
        ("12 元", Err(reason::NOT_AN_AMOUNT)),
        ("NaN", Err(reason::NOT_AN_AMOUNT)),
        ("--1", Err(reason::NOT_AN_AMOUNT)),
    ];
    for (text, expected) in cases {
        assert_eq!(value::money(text), expected, "{text}");
    }
}

#[test]
fn decimals_of_any_scale_become_minor_units() {
    assert_eq!(value::money_of_decimal(1_234_500, 4), Ok(12_345));
    assert_eq!(value::money_of_decimal(1_234_501, 4), Err(reason::TOO_FINE));
    assert_eq!(value::money_of_decimal(12, -3), Ok(1_200_000));
    assert_eq!(value::money_of_decimal(i128::MAX, 0), Err(reason::TOO_LARGE));
    assert_eq!(value::money_of_decimal(1, 127), Err(reason::TOO_FINE));
}

#[test]
fn times_and_dates() {
    let zone = Zone::new("Asia/Shanghai").unwrap();
    assert_eq!(value::time("2026-01-05T09:00:00.25+08:00"), Ok(1_767_574_800_250_000));
    assert_eq!(value::time("1767574800250000"), Ok(1_767_574_800_250_000));
    assert_eq!(value::time("-1"), Ok(-1));
    for text in ["", "-", "2026-01-05", "2026-01-05T09:00:00", "yesterday", "99999999999999999999", "1.5e15"]
    {
        assert_eq!(value::time(text), Err(reason::NOT_A_TIME), "{text}");
    }
    assert_eq!(value::event_time(11, 10), Err(reason::TOO_LATE));
    assert_eq!(value::event_time(-3_000_000_000_000_000, 10), Err(reason::TOO_EARLY));
    // A date stands for its midnight in the business zone; an instant for its day there.
    assert_eq!(value::time_or_date("2026-01-05", &zone), value::time("2026-01-04T16:00:00Z"));
    assert_eq!(value::date("2026-01-04T16:00:00Z", &zone), value::date("2026-01-05", &zone));
    for text in ["2026-02-30", "05.01.2026", "2026-1-5", "0000-01-01"] {
        assert_eq!(value::date(text, &zone), Err(reason::NOT_A_DATE), "{text}");
    }
}

#[test]
fn numbers_are_finite() {
    assert_eq!(value::number("-1.5e3"), Ok(-1500.0));
    for text in ["NaN", "inf", "-Infinity", "1e400"] {
        assert_eq!(value::number(text), Err(reason::NOT_FINITE), "{text}");
    }
    assert_eq!(value::number("12%"), Err(reason::NOT_A_NUMBER));
    assert_eq!(value::count("-1"), Err(reason::NOT_A_COUNT));
}

#[test]
fn evidence_has_one_form() {
    let check = |text: &str, expected: Result<(i32, &str), &str>| {
        let mut out = String::new();
        let counted = evidence::canonical(text, &mut out);
        assert_eq!(counted.map(|count| (count, out.as_str())), expected, "{text}");
    };
    check("[]", Ok((0, "[]")));
    let canonical = r#"[{"kind":"photo","uri":"s3://a/1.jpg"}]"#;
    check(canonical, Ok((1, canonical)));
    check(r#" [ {"uri" : "s3:\/\/a\/1.jpg", "kind":"photo", "sha256":null } ] "#, Ok((1, canonical)));
    check(
        r#"[{"kind":"a","uri":"b","sha256":"c","size": [1, 2]},{"kind":"d","uri":"e"}]"#,
        Ok((2, r#"[{"kind":"a","uri":"b","sha256":"c","size":[1,2]},{"kind":"d","uri":"e"}]"#)),
    );
    for text in [
        "",
        "{}",
        "[1]",
        r#"[{"kind":"a"}]"#,
        r#"[{"kind":1,"uri":"b"}]"#,
        "[] x",
        r#"[{"kind":"a","uri":"b"}"#,
    ] {
        check(text, Err(reason::NOT_EVIDENCE));
    }
}

#[test]
fn the_named_positions_are_those_of_the_schema() {
    let layout = Layout::of(Stream::Behaviour);
    let kind = |position: usize| layout.columns[position].kind;
    assert_eq!(kind(behaviour::EVENT_TIME), Kind::EventTime);
    assert_eq!(kind(behaviour::EVENT_TYPE), Kind::EventType);
    assert_eq!(kind(behaviour::CHANNEL), Kind::Channel);
    assert_eq!(kind(behaviour::AMOUNT), Kind::Money);
    assert_eq!(kind(behaviour::EVIDENCE_COUNT), Kind::Count);
    let entities: Vec<&str> = (0..4).map(|entity| layout.name(behaviour::FIRST_ENTITY + entity)).collect();
    assert_eq!(entities, ["rep_id", "customer_id", "lead_id", "opportunity_id"]);
}
