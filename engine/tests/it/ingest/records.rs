//! Bad records: each becomes one dead letter with its reason and stops nothing.

use engine::contract::Stream;
use proptest::prelude::*;

use super::{Ground, event};

/// What a line of NDJSON is refused for.
const REFUSED: [(&str, &str, &str); 35] = [
    ("not json", "", "not JSON"),
    (r#"{"event_id":"e1""#, "", "not JSON"),
    (r#"{"event_id":"e1"} {}"#, "", "not JSON"),
    ("[1]", "", "not a JSON object"),
    ("17", "", "not a JSON object"),
    ("{}", "event_id", "missing"),
    (r#"{"event_id":""}"#, "event_id", "missing"),
    (r#"{"event_id":null}"#, "event_id", "missing"),
    (r#"{"event_id":7}"#, "event_id", "not a string"),
    (r#"{"event_id":"a","event_id":"b"}"#, "event_id", "given twice"),
    (r#"{"event_id":"e"}"#, "event_time", "missing"),
    (
        r#"{"event_id":"e","event_time":"19.11.2026"}"#,
        "event_time",
        "not an RFC 3339 time or epoch microseconds",
    ),
    (r#"{"event_id":"e","event_time":true}"#, "event_time", "not an RFC 3339 time or epoch microseconds"),
    (r#"{"event_id":"e","event_time":"2026-11-21T08:00:01Z"}"#, "event_time", "more than 24 h ahead"),
    (r#"{"event_id":"e","event_time":"1899-01-01T00:00:00Z"}"#, "event_time", "before 1900"),
    (r#"{"event_id":"e","event_time":1700000000000000}"#, "event_type", "missing"),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.danced","rep_id":"r"}"#,
        "event_type",
        "not in the event catalogue",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","channel":"fax"}"#,
        "channel",
        "unknown channel",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"web.pricing_viewed"}"#,
        "",
        "no rep, customer, lead or opportunity",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","customer_id":"c"}"#,
        "rep_id",
        "required by the event type",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"lead.created","customer_id":"c"}"#,
        "lead_id",
        "required by the event type",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"order.placed","customer_id":"c"}"#,
        "amount",
        "required by the event type",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":{"id":1}}"#,
        "rep_id",
        "not a string",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","amount":"12.345"}"#,
        "amount",
        "more than two decimal places",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","amount":12.345}"#,
        "amount",
        "more than two decimal places",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","amount":"1,200"}"#,
        "amount",
        "not an amount",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","amount":[1]}"#,
        "amount",
        "not an amount",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","amount":1e17}"#,
        "amount",
        "more than 18 digits",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","amount":NaN}"#,
        "",
        "not JSON",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","evidence":"x"}"#,
        "evidence",
        "not a list of {kind, uri, sha256}",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","evidence":[{"kind":"a"}]}"#,
        "evidence",
        "not a list of {kind, uri, sha256}",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","evidence_count":-1}"#,
        "evidence_count",
        "not a count",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","attributes":["a"]}"#,
        "attributes",
        "not a map of strings",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","attributes":{"a":1,"a":2}}"#,
        "attributes",
        "given twice",
    ),
    (
        r#"{"event_id":"e","event_time":1,"event_type":"call.connected","rep_id":"r","attributes":7}"#,
        "attributes",
        "not a map of strings",
    ),
];

#[tokio::test]
async fn every_broken_rule_has_its_reason_and_stops_nothing() {
    let ground = Ground::new();
    let long = format!(r#"{{"event_id":"{}"}}"#, "x".repeat(65));
    let mut lines: Vec<Vec<u8>> = REFUSED.iter().map(|(line, ..)| line.as_bytes().to_vec()).collect();
    lines.push(long.clone().into_bytes());
    lines.push(b"{\"event_id\":\"\xff\"}".to_vec());
    lines.push(event("good", "").into_bytes());
    let file = ground.write("bad.ndjson", lines.join(&b'\n'));
    let summary = ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();

    let mut expected: Vec<(String, String)> =
        REFUSED.iter().map(|(_, field, reason)| ((*field).to_owned(), (*reason).to_owned())).collect();
    expected.push(("event_id".to_owned(), "longer than 64 bytes".to_owned()));
    expected.push((String::new(), "not UTF-8".to_owned()));
    let letters = ground.letters().await;
    let mut start = 0;
    for ((letter, expected), line) in letters.iter().zip(&expected).zip(&lines) {
        let shown = String::from_utf8_lossy(line);
        assert_eq!((&letter.0, &letter.1), (&expected.0, &expected.1), "{shown}");
        assert_eq!((letter.2, &letter.3), (start, line), "{shown}");
        start += i64::try_from(line.len()).unwrap() + 1;
    }
    assert_eq!(letters.len(), expected.len());
    assert_eq!((summary.total.accepted, summary.total.rejected()), (1, 37));
    assert_eq!(ground.rows("raw.behaviour").await.len(), 1);
}

#[tokio::test]
async fn bad_csv_rows_become_letters_too() {
    let ground = Ground::new();
    let text = "event_id,event_time,event_type,rep_id,amount\n\
                e1,2026-11-19T01:02:03Z,call.connected,r1,\n\
                e2,2026-11-19T01:02:03Z,call.connected\n\
                \n\
                e3,2026-11-19T01:02:03Z,call.connected,r1,\"1,5\"\n\
                e4,,call.connected,r1,\n";
    let file = ground.write("bad.csv", text);
    ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
    let letters = ground.letters().await;
    let told: Vec<(&str, &str)> =
        letters.iter().map(|letter| (letter.0.as_str(), letter.1.as_str())).collect();
    assert_eq!(
        told,
        [("", "not as many cells as the header"), ("amount", "not an amount"), ("event_time", "missing")]
    );
    for (_, _, position, raw) in &letters {
        let at = usize::try_from(*position).unwrap();
        assert_eq!(text.as_bytes()[at..at + raw.len()], raw[..]);
        assert!(raw.starts_with(b"e"));
    }
}

#[tokio::test]
async fn other_streams_have_their_rules() {
    let check = async |stream: Stream, line: &str, expected: Option<(&str, &str)>| {
        let ground = Ground::new();
        let file = ground.write("one.ndjson", line);
        let summary = ground.ingest(stream, &[&file]).await.unwrap();
        let told = ground.letters().await.first().map(|letter| (letter.0.clone(), letter.1.clone()));
        let told = told.as_ref().map(|(field, reason)| (field.as_str(), reason.as_str()));
        assert_eq!(told, expected, "{line}");
        assert_eq!(summary.total.accepted, u64::from(expected.is_none()), "{line}");
    };
    let factor =
        |value: &str| format!(r#"{{"factor":"gdp","observed_at":"2026-10-01","value":{value},"note":"q3"}}"#);
    check(Stream::MarketFactor, &factor("1.5"), None).await;
    check(Stream::MarketFactor, &factor("1e999"), Some(("value", "not finite"))).await;
    check(Stream::MarketFactor, &factor("\"1.5\""), Some(("value", "not a number"))).await;
    check(Stream::MarketFactor, r#"{"factor":"gdp","value":1}"#, Some(("observed_at", "missing"))).await;
    check(Stream::Rep, r#"{"rep_id":"r","hired_on":"2026-02-01"}"#, None).await;
    check(Stream::Rep, r#"{"rep_id":"r","hired_on":"1.2.2026"}"#, Some(("hired_on", "not a date"))).await;
    check(Stream::Plan, r#"{"period":"2026-11","region_id":"n","target_amount":"5e6"}"#, None).await;
    check(Stream::Plan, r#"{"period":"2026-11","region_id":"n"}"#, Some(("target_amount", "missing"))).await;
    check(Stream::Calendar, r#"{"date":"2026-10-01","is_working_day":false}"#, None).await;
    check(
        Stream::Calendar,
        r#"{"date":"2026-10-01","is_working_day":0}"#,
        Some(("is_working_day", "not true or false")),
    )
    .await;
}

#[tokio::test]
async fn a_record_that_is_too_long_is_left_out_alone() {
    let ground = Ground::new();
    let long = event("long", &format!(r#","note":"{}""#, "x".repeat(40 << 20)));
    let file = ground.write("long.ndjson", [event("a", ""), long, event("b", "")].join("\n"));
    let summary = ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
    assert_eq!((summary.total.accepted, summary.total.rejected()), (2, 1));
    assert_eq!(ground.letters().await[0].1, "longer than 16 MiB");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_are_accepted_or_refused_line_by_line(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..30),
                Just(b"\n".to_vec()),
                Just(event("e", "").into_bytes()),
                Just(event("e", r#","amount":1.5,"x":{"y":[1]}"#).into_bytes()),
            ],
            1..30,
        ),
    ) {
        let bytes = [vec![b'\n'], pieces.concat()].concat();
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let ground = Ground::new();
        let file = ground.write("any.ndjson", &bytes);
        let summary = runtime.block_on(ground.ingest(Stream::Behaviour, &[&file])).unwrap();
        prop_assert_eq!(usize::try_from(summary.total.seen()).unwrap(), lines);
        prop_assert_eq!(runtime.block_on(ground.letters()).len() + runtime.block_on(ground.rows("raw.behaviour")).len(), lines);
    }
}
