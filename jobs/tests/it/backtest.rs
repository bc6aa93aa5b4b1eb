//! `tideline backtest quota` over tables of one's own.

use std::fmt::Write;
use std::fs::File;
use std::process::Stdio;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Date32Type, Float64Type};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::tool::Tool;

/// Fridays from 2020-01-03 on: three reps in two regions, with a season, a peak, and a factor; `later` multiplies the
/// amounts from a week on.
fn table(weeks: u32, later: impl Fn(u32) -> f64) -> String {
    let mut text = String::from("date,rep_id,region_id,amount,fuel,note\n");
    let first = chrono::NaiveDate::from_ymd_opt(2020, 1, 3).unwrap();
    for week in 0..weeks {
        let date = first + chrono::Days::new(7 * u64::from(week));
        let season = 1.0 + 0.3 * (f64::from(week % 52) / 52.0 * std::f64::consts::TAU).sin();
        for rep in 0..3_u32 {
            let wobble = f64::from((week * 7 + rep * 13) % 11) / 100.0;
            let amount = 1000.0 * f64::from(rep + 1) * (season + wobble) * later(week);
            let region = if rep == 2 { "süd" } else { "north" };
            writeln!(text, "{date},rep-{rep},{region},{amount:.2},{},x", 2.0 + wobble).unwrap();
        }
    }
    text
}

fn read(path: &std::path::Path) -> RecordBatch {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    assert_eq!(batches.len(), 1);
    batches[0].clone()
}

fn column(batch: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().iter().collect()
}

#[test]
fn a_table_of_ones_own_becomes_a_report_rows_and_a_page() {
    let tool = Tool::new().file("sales.csv", &table(80, |_| 1.0));
    let arguments = [
        "backtest",
        "quota",
        "--from",
        "sales.csv",
        "--periods",
        "2",
        "--period",
        "13w",
        "--out",
        "q.parquet",
        "--html",
        "q.html",
    ];
    let answer = tool.run(&arguments).succeeded();
    assert!(
        answer
            .out
            .starts_with("QUOTA BACKTEST of sales.csv: 240 rows, 3 reps, 2 regions, 1 factors; 2 periods")
    );
    for piece in
        ["tideline: quota", "last year × own growth", "decile 1", "region süd", "6 rows in q.parquet"]
    {
        assert!(answer.out.contains(piece), "{piece} is missing in\n{}", answer.out);
    }
    assert!(
        answer.err.contains("left out, because they hold other things than numbers: note"),
        "{}",
        answer.err
    );

    let rows = read(&tool.path("q.parquet"));
    let names: Vec<&str> = rows.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    let expected =
        ["period_start", "rep_id", "region_id", "quota", "expected", "low", "high", "static_quota", "actual"];
    assert_eq!(&names[..9], expected);
    assert_eq!(rows.num_rows(), 6);
    // 80 Fridays end on 2021-07-09; two blocks of 91 days before the 10th.
    let starts = rows.column(0).as_primitive::<Date32Type>();
    assert_eq!((starts.value(0), starts.value(5)), (18_818 - 182, 18_818 - 91));
    for (quota, actual) in column(&rows, "quota").into_iter().zip(column(&rows, "actual")) {
        assert!((quota.unwrap() / actual.unwrap() - 1.0).abs() < 0.15, "{quota:?} {actual:?}");
    }

    let page = std::fs::read_to_string(tool.path("q.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("<svg") && page.contains("süd"));
    for foreign in ["http", "<script", "NaN", "inf "] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let again = tool.run(&arguments).succeeded();
    assert_eq!(again.out, answer.out);
    assert_eq!(std::fs::read_to_string(tool.path("q.html")).unwrap(), page);
}

#[test]
fn files_are_written_whoever_reads_the_report() {
    let tool = Tool::new().file("sales.csv", &table(80, |_| 1.0));
    let asked = ["backtest", "quota", "--from", "sales.csv", "--periods", "1", "--period", "13w"];
    let files = ["--out", "q.parquet", "--html", "q.html"];
    let mut command = tool.command(&[&asked[..], &files].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert!(tool.path("q.parquet").exists() && tool.path("q.html").exists());
}

#[test]
fn what_comes_later_changes_only_what_came() {
    let run = |text: &str| {
        let tool = Tool::new().file("sales.csv", text);
        let arguments = [
            "backtest",
            "quota",
            "--from",
            "sales.csv",
            "--periods",
            "1",
            "--period",
            "13w",
            "--out",
            "q.parquet",
        ];
        tool.run(&arguments).succeeded();
        read(&tool.path("q.parquet"))
    };
    let (plain, other) =
        (run(&table(40, |_| 1.0)), run(&table(40, |week| if week < 27 { 1.0 } else { 3.0 })));
    for name in ["quota", "expected", "low", "high", "static_quota"] {
        assert_eq!(column(&plain, name), column(&other, name), "{name}");
    }
    assert_ne!(column(&plain, "actual"), column(&other, "actual"));
}

#[test]
fn a_wrong_table_is_told_with_its_place() {
    let check = |text: &str, message: &str| {
        Tool::new().file("t.csv", text).run(&["backtest", "quota", "--from", "t.csv"]).failed(1, message);
    };
    check(
        "date,rep,amount\n2026-01-01,a,1\n",
        "error: t.csv: there is no column rep_id, region_id; found are date, rep, amount",
    );
    let head = "date,rep_id,region_id,amount\n2026-01-01,a,n,1\n";
    check(
        &format!("{head}05/02/2010,a,n,1\n"),
        "error: t.csv, line 3: date `05/02/2010` is not a date like 2026-03-31",
    );
    check(
        &format!("{head}2026-01-02,a,n,12 EUR\n"),
        "error: t.csv, line 3: amount `12 EUR` is not a number like 1234.50",
    );
    check(
        &format!("{head}2026-01-02,a,n,NaN\n"),
        "error: t.csv, line 3: amount `NaN` is not a number like 1234.50",
    );
    check(&format!("{head}2026-01-02,,n,1\n"), "error: t.csv, line 3: rep_id `` is not an id");
    check("date,rep_id,region_id,amount\n", "error: t.csv: the table has no rows");
    check(
        head,
        "error: t.csv: too short: no whole period has any history before it; take a shorter --period, or a longer table",
    );
    let tool = Tool::new();
    tool.run(&["backtest", "quota", "--from", "absent.csv"]).failed(1, "error: absent.csv: no such file");
    let none = tool.run(&["backtest", "quota"]);
    assert_eq!(none.status, 1);
    assert!(none.err.contains("there is no lake"), "{}", none.err);
}

/// Three deals a week of each of four reps, over `weeks` weeks from Monday 2025-01-06.
fn deals(weeks: u32) -> Vec<(chrono::NaiveDate, u32, i64)> {
    let first = chrono::NaiveDate::from_ymd_opt(2025, 1, 6).unwrap();
    let one = |week: u32, rep: u32, place: u32| {
        let date = first + chrono::Days::new(7 * u64::from(week) + 2 * u64::from(place));
        let wobble = i64::from((week * 31 + rep * 17 + place * 7) % 23);
        (date, rep, 100_000 * i64::from(rep + 1) + 1_013 * wobble + 137 * i64::from(week))
    };
    (0..weeks).flat_map(|week| (0..12).map(move |n| one(week, n / 3, n % 3))).collect()
}

#[test]
fn a_lake_and_a_table_of_the_same_sales_agree() {
    let deals = deals(26);
    let (mut events, mut table) = (String::new(), String::from("date,rep_id,region_id,amount\n"));
    for (number, (date, rep, cents)) in deals.iter().enumerate() {
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        let event = data_samples::build::Event::new("deal.signed")
            .id(&format!("e{number}"))
            .at(&format!("{date}T10:00:00+08:00"))
            .rep(&format!("rep-{rep}"))
            .customer("c1")
            .amount(&amount);
        writeln!(events, "{}", event.to_json()).unwrap();
        writeln!(table, "{date},rep-{rep},{},{amount}", if *rep < 3 { "north" } else { "south" }).unwrap();
    }
    let mut crm = String::new();
    for rep in 0..4 {
        let region = if rep < 3 { "north" } else { "south" };
        writeln!(crm, r#"{{"rep_id":"rep-{rep}","region_id":"{region}"}}"#).unwrap();
    }
    let tool = Tool::new().file("deals.ndjson", &events).file("reps.ndjson", &crm).file("t.csv", &table);
    tool.run(&["ingest", "--stream", "behaviour", "--from", "deals.ndjson"]).succeeded();
    tool.run(&["ingest", "--stream", "crm.rep", "--from", "reps.ndjson"]).succeeded();
    let common = ["--periods", "2", "--period", "month", "--out", "q.parquet"];
    let run = |source: &[&str]| {
        let answer = tool.run(&[&["backtest", "quota"], source, &common].concat()).succeeded();
        (answer.out, read(&tool.path("q.parquet")))
    };
    let ((said, lake), (_, plain)) = (run(&["--as-of", "2025-07-06"]), run(&["--from", "t.csv"]));
    assert!(
        said.starts_with("QUOTA BACKTEST of lake: 312 rows, 4 reps, 2 regions, 0 factors; 2 periods"),
        "{said}"
    );
    assert_eq!(lake.num_rows(), 8);
    assert_eq!(lake.schema(), plain.schema());
    for name in ["quota", "expected", "low", "high", "actual"] {
        for (lake, plain) in column(&lake, name).into_iter().zip(column(&plain, name)) {
            assert!((lake.unwrap() / plain.unwrap() - 1.0).abs() < 1e-9, "{name}: {lake:?} {plain:?}");
        }
    }

    // The daily run of the first day of June, a Sunday without sales, says what the backtest says of June.
    tool.run(&["daily", "--as-of", "2025-06-01"]).succeeded();
    let published = crate::world::ask(
        &tool,
        "SELECT rep_id, expected, proposal, low, high, leans_on, basis FROM mart.quota ORDER BY rep_id",
    );
    assert_eq!(published.len(), 4);
    for (rep, row) in published.iter().enumerate() {
        for (name, cell) in [("expected", 1), ("quota", 2), ("low", 3), ("high", 4)] {
            let said = column(&lake, name)[4 + rep].unwrap();
            assert!((row[cell].parse::<f64>().unwrap() - said).abs() < 0.02, "{name}: {} {said}", row[cell]);
        }
        assert_eq!((row[5].as_str(), row[6].as_str()), ("own history", "panel/3"));
    }
    crate::world::everything_adds_up(&tool);
    let both = ["backtest", "quota", "--from", "t.csv", "--as-of", "2025-07-06"];
    assert_eq!(tool.run(&both).status, 1);
}
