//! What a mapping can say, one feature after another.

use super::{Case, one_value, values};

const DEALS: &str = "id,stage,amount,day,owner,Deal Owner\n\
                     1,Won,1234.505,2024-03-10,ann,Ann\n\
                     2,Open,,31.12.2023,,Bob\n\
                     3,Gone,-0.005,2024-02-30,cid,\n";

fn check(value: &str, expected: &[&str]) {
    let case = Case::new(&[("deals.csv", DEALS)]);
    assert_eq!(values(&case.lines(&one_value(value, ""))), expected, "{value}");
}

#[test]
fn values_and_their_treatment() {
    check(r#""{id}-{stage}""#, &["1-Won", "2-Open", "3-Gone"]);
    check(r#""fixed""#, &["fixed", "fixed", "fixed"]);
    check(r#""{{{owner}}}""#, &["{ann}", "null", "{cid}"]);
    check(r#"{ column = "Deal Owner" }"#, &["Ann", "Bob", "null"]);
    check(r#"{ column = "deal owner" }"#, &["Ann", "Bob", "null"]);
    check(r#"{ column = "owner", default = "nobody" }"#, &["ann", "nobody", "cid"]);
    check(r#"{ first_of = ["owner", "Deal Owner"] }"#, &["ann", "Bob", "cid"]);
    check(r#"{ column = "stage", letters = "upper" }"#, &["WON", "OPEN", "GONE"]);
    check(r#"{ column = "stage", map = "stage" }"#, &["won", "Open", "null"]);
    check(r#"{ column = "stage", map = "stage", unmapped = "null" }"#, &["won", "null", "null"]);
    check(r#"{ column = "stage", letters = "lower", map = { open = "o" } }"#, &["won", "o", "gone"]);
    check(
        r#"{ column = "stage", map = "stage", unmapped = "reject" }"#,
        &["won", "rejected: e row 3 unmapped_value stage Open", "null"],
    );
    check(
        r#"{ column = "owner", required = true }"#,
        &["ann", "rejected: e row 3 missing_value owner ", "cid"],
    );
    check(
        r#"{ cases = [{ when = "amount > 1000", value = "big" }, { when = "amount is null", value = "?" }, { value = "{amount}" }] }"#,
        &["big", "?", "-0.005"],
    );
}

#[test]
fn dates_amounts_and_numbers() {
    let third = "rejected: e row 4 bad_date day 2024-02-30";
    check(r#"{ column = "day", date = "day" }"#, &["2024-03-10", "2023-12-31", third]);
    check(r#"{ column = "day", date = "day", shift = "+5d" }"#, &["2024-03-15", "2024-01-05", third]);
    check(r#"{ column = "day", date = "day", period = "quarter" }"#, &["2024-Q1", "2023-Q4", third]);
    check(
        r#"{ column = "day", date = "day", period = "month", shift = "+1d" }"#,
        &["2024-03", "2024-01", third],
    );
    check(
        r#"{ column = "day", time = "day", at = "09:30", shift = "-30m" }"#,
        &["2024-03-10T08:00:00.000000Z", "2023-12-31T08:00:00.000000Z", third],
    );
    check(r#"{ column = "amount", amount = "half_even" }"#, &["1234.50", "null", "0.00"]);
    check(r#"{ column = "amount", amount = "half_up" }"#, &["1234.51", "null", "-0.01"]);
    check(
        r#"{ column = "amount", amount = "exact" }"#,
        &[
            "rejected: e row 2 bad_amount amount 1234.505",
            "null",
            "rejected: e row 4 bad_amount amount -0.005",
        ],
    );
    check(r#"{ column = "amount", number = true, default = "7" }"#, &["1234.505", "7", "-0.005"]);
    check(
        r#"{ column = "amount", number = true, decimal_point = "," }"#,
        &[
            "rejected: e row 2 bad_number amount 1234.505",
            "null",
            "rejected: e row 4 bad_number amount -0.005",
        ],
    );
}

#[test]
fn rows_that_cannot_be_read_are_rejected_and_the_rest_goes_on() {
    let text = "id,stage\n1,a\n2\n3,\"b\"x\n4,\"two\nlines\"\n5,c,d\n6,\"open";
    let case = Case::new(&[("deals.csv", text)]);
    let (lines, summary) =
        case.run(&super::Mapping::parse("t", &one_value("\"{stage}\"", "")).unwrap()).unwrap();
    let expected = [
        "rejected:  row 3 wrong_field_count  ",
        "rejected:  row 4 stray_quote  ",
        "rejected:  row 7 wrong_field_count  ",
        "rejected:  row 8 unclosed_quote  ",
        "a",
        "two\nlines",
    ];
    assert_eq!(values(&lines), expected);
    let table = &summary.tables[0];
    assert_eq!((table.rows, table.mapped, table.rejected, table.unmatched), (6, 2, 4, 0));
}

#[test]
fn conditions_skips_and_the_account_of_every_row() {
    let rules = "[[skip]]\ntable = \"deals\"\nwhen = \"stage == 'Open'\"\nwhy = \"not yet\"\n\
                 [[skip]]\ntable = \"deals\"\nwhen = \"owner < 5\"\nwhy = \"never\"\n";
    let case = Case::new(&[("deals.csv", "id,stage,owner\n1,Won,7\n2,Open,x\n3,Won,x\n4,Lost,\n")]);
    let text = one_value("\"{stage}\"", rules).replace("key = [", "when = \"stage != 'Lost'\"\nkey = [");
    let (lines, summary) = case.run(&super::Mapping::parse("t", &text).unwrap()).unwrap();
    assert_eq!(values(&lines), ["Won", "rejected: skip row 4 bad_number owner x"]);
    let table = &summary.tables[0];
    assert_eq!((table.mapped, table.rejected, table.unmatched), (1, 1, 1));
    assert_eq!(table.skipped.get("not yet"), Some(&1));
    assert_eq!(table.skipped.get("never"), None);
}

#[test]
fn keys_of_inputs_and_records_are_held() {
    let keyed =
        one_value("\"{stage}\"", "").replace("file = \"deals.csv\"", "file = \"deals.csv\"\nkey = [\"id\"]");
    let case = Case::new(&[("deals.csv", "id,stage\n1,a\n1,a\n1,b\n2,c\n")]);
    let (lines, summary) = case.run(&super::Mapping::parse("t", &keyed).unwrap()).unwrap();
    assert_eq!(values(&lines), ["rejected:  row 4 duplicate_key id 1", "a", "c"]);
    let table = &summary.tables[0];
    assert_eq!((table.rows, table.mapped, table.rejected), (4, 2, 1));
    assert_eq!(table.skipped.get("the same row again"), Some(&1));
    // Without a key of the input the records' own key holds.
    let (lines, summary) =
        case.run(&super::Mapping::parse("t", &one_value("\"{stage}\"", "")).unwrap()).unwrap();
    assert_eq!(lines.matches("rejected: e row 4 duplicate_key").count(), 1);
    assert_eq!((summary.emits[0].rows, summary.emits[0].merged, summary.emits[0].rejected), (2, 1, 1));
    let first = one_value("\"{stage}\"", "").replace("key = [", "distinct = \"first\"\nkey = [");
    assert_eq!(values(&case.lines(&first)), ["a", "c"]);
}

#[test]
fn event_ids_are_stable_and_fit() {
    let long = "x".repeat(80);
    let case = Case::new(&[("deals.csv", &format!("id,stage\n1,a\n{long},b\n2024-01-01T10:00,c\n"))]);
    let mapping = one_value("\"{stage}\"", "").replace("opportunity_id = \"{id}\"", "lead_id = \"l\"");
    let ids: Vec<String> = case
        .lines(&mapping)
        .lines()
        .map(|line| {
            let json: serde_json::Value = serde_json::from_str(line.split_once(' ').unwrap().1).unwrap();
            json["event_id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids[0], "t:e:1");
    assert!(ids.iter().all(|id| id.len() <= 64 && id.starts_with("t:e:")), "{ids:?}");
    assert_eq!(ids[1].len(), "t:e:".len() + 32);
    assert_eq!(case.lines(&mapping), case.lines(&mapping));
    let too_long = one_value("\"{stage}\"", "");
    assert!(case.lines(&too_long).contains("rejected: e row 3 id_too_long"), "{}", case.lines(&too_long));
}

#[test]
fn inline_rows_optional_columns_renames_and_other_dialects() {
    let mapping = r#"
name = "t"
[[input]]
name = "deals"
file = ["*.tsv", "*.txt"]
delimiter = ";"
quote = "'"
encoding = "latin-1"
end_at_blank_line = true
optional = ["phone", "Fax"]
rename = { id = ["Deal ID", "Record ID"], phone = "Telephone" }
[[input]]
name = "regions"
columns = ["id", "parent"]
rows = [["EU", ""], ["DE", "EU"]]
[[emit]]
name = "region"
table = "regions"
stream = "crm.region"
fields = { region_id = "{id}", parent_region_id = "{parent}" }
[[emit]]
name = "rep"
table = "deals"
stream = "crm.rep"
fields = { rep_id = "{id}", team = { first_of = ["phone", "Fax", "Name"] } }
"#;
    let case = Case::new(&[]);
    std::fs::write(
        case.folder.path().join("a.txt"),
        b"record id;Name\r\n7;'M\xfcller; S\xf6hne'\r\n\r\nfooter\r\n",
    )
    .unwrap();
    let expected = "crm.region {\"region_id\":\"EU\"}\n\
                    crm.region {\"region_id\":\"DE\",\"parent_region_id\":\"EU\"}\n\
                    crm.rep {\"rep_id\":\"7\",\"team\":\"Müller; Söhne\"}\n";
    let mut lines: Vec<String> = case.lines(mapping).lines().map(str::to_owned).collect();
    lines.sort();
    let mut expected: Vec<&str> = expected.lines().collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[test]
fn every_kind_of_field_is_checked_and_written_in_its_type() {
    let mapping = r#"
name = "t"
[[input]]
name = "days"
file = "days.csv"
[[emit]]
name = "day"
table = "days"
stream = "crm.calendar"
fields = { date = "{date}", is_working_day = "{work}" }
[[emit]]
name = "factor"
table = "days"
stream = "market_factor"
when = "value is not null"
fields = { factor = "f", observed_at = "{date}T00:00:00Z", value = "{value}", source = "s" }
[[emit]]
name = "plan"
table = "days"
stream = "crm.plan"
when = "period is not null"
fields = { period = "{period}", region_id = "r", target_amount = "{value}" }
[[emit]]
name = "touch"
table = "days"
stream = "behaviour"
when = "channel is not null"
key = ["date"]
fields = { event_time = "{date}T00:00:00Z", event_type = "x", channel = "{channel}", rep_id = "{rep}" }
"#;
    let days = "date,work,value,period,channel,rep\n\
                2024-01-01,true,-1.50,2024-Q1,phone,r\n\
                2024-1-2,yes,1.005,2024-13,fax,r\n\
                2024-01-03,false,abc,2024-12,web,\n";
    let case = Case::new(&[("days.csv", days)]);
    let expected = [
        r#"crm.calendar {"date":"2024-01-01","is_working_day":true}"#,
        r#"market_factor {"factor":"f","observed_at":"2024-01-01T00:00:00Z","value":-1.5,"source":"s"}"#,
        r#"crm.plan {"period":"2024-Q1","region_id":"r","target_amount":"-1.50"}"#,
        r#"behaviour {"event_id":"t:touch:2024-01-01","event_time":"2024-01-01T00:00:00Z","event_type":"x","channel":"phone","rep_id":"r"}"#,
        "rejected: day row 3 bad_date {date} 2024-1-2",
        "rejected: factor row 3 bad_date {date}T00:00:00Z 2024-1-2T00:00:00Z",
        "rejected: plan row 3 bad_date {period} 2024-13",
        "rejected: touch row 3 bad_date {date}T00:00:00Z 2024-1-2T00:00:00Z",
        r#"crm.calendar {"date":"2024-01-03","is_working_day":false}"#,
        "rejected: factor row 4 bad_number {value} abc",
        "rejected: plan row 4 bad_number {value} abc",
        "rejected: touch row 4 missing_value rep_id, customer_id, lead_id, opportunity_id ",
    ];
    assert_eq!(case.lines(mapping).lines().collect::<Vec<_>>(), expected);
    let channel = Case::new(&[("days.csv", &days.replace("2024-1-2", "2024-01-02"))]).lines(mapping);
    assert!(channel.contains("rejected: touch row 3 bad_channel {channel} fax"), "{channel}");
    assert!(channel.contains("rejected: day row 3 bad_boolean {work} yes"), "{channel}");
    assert!(channel.contains("rejected: plan row 3 bad_date"), "{channel}");
}

#[test]
fn files_are_written_whole_and_repeatably() {
    let case = Case::new(&[("deals.csv", "id,stage\n1,a\n2\n")]);
    let mapping = super::Mapping::parse("t", &one_value("\"{stage}\"", "")).unwrap();
    let out = case.folder.path().join("out");
    let read = || {
        let mut files: Vec<(String, String)> = std::fs::read_dir(&out)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                (
                    path.file_name().unwrap().to_string_lossy().into_owned(),
                    std::fs::read_to_string(path).unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    };
    crate::import::write_dir(&mapping, &case.inputs(), &out).unwrap();
    let first = read();
    let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["behaviour.ndjson", "rejected.ndjson"]);
    assert!(
        first[0].1.ends_with("}\n") && first[1].1.contains("\"reason\":\"wrong_field_count\""),
        "{first:?}"
    );
    crate::import::write_dir(&mapping, &case.inputs(), &out).unwrap();
    assert_eq!(read(), first);
    // A failing import leaves the earlier one as it was.
    std::fs::write(case.folder.path().join("deals.csv"), "").unwrap();
    crate::import::write_dir(&mapping, &case.inputs(), &out).unwrap_err();
    assert_eq!(read(), first);
}
