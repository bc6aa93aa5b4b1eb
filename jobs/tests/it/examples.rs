//! The twenty questions of `sql/examples`, asked of the sample in the command and over the PostgreSQL wire.

use std::fs;
use std::path::{Path, PathBuf};

use crate::pg::client::Server;
use crate::tool::Tool;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The committed sample taken in, two days published.
fn world() -> Tool {
    let tool = Tool::new();
    let sample = root().join("data-samples/sample");
    for stream in [
        "behaviour",
        "market_factor",
        "crm.rep",
        "crm.customer",
        "crm.region",
        "crm.plan",
        "crm.product",
        "crm.calendar",
    ] {
        let folder = sample.join(stream);
        let from = if folder.is_dir() { folder } else { sample.join(format!("{stream}.ndjson")) };
        tool.run(&["ingest", "--stream", stream, "--from", from.to_str().unwrap()]).succeeded();
    }
    for day in ["2026-01-07", "2026-01-08"] {
        tool.run(&["daily", "--as-of", day]).succeeded();
    }
    tool
}

/// The fields of a line of CSV.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            letter => fields.last_mut().unwrap().push(letter),
        }
    }
    fields
}

/// A cell as both ways of asking write it: PostgreSQL has a letter for a flag.
fn plain(cell: &str) -> &str {
    match cell {
        "true" => "t",
        "false" => "f",
        other => other,
    }
}

#[test]
fn every_question_has_its_answer() {
    let tool = world();
    let server = Server::start(&tool, &[]);
    let mut client = server.client();
    let folder = root().join("sql/examples");
    let mut asked = 0;
    let mut wrong = Vec::new();
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "sql")) {
        asked += 1;
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(file).unwrap();
        assert!(text.starts_with("-- ") && text.lines().next().unwrap().contains('?'), "{name} asks nothing");
        let out = tool.run(&["sql", "--format", "csv", "-f", file.to_str().unwrap()]).succeeded().out;
        let expected = fs::read_to_string(file.with_extension("csv")).unwrap_or_default();
        if out != expected {
            wrong.push(format!("{name} answers\n{out}"));
        }
        assert!(out.lines().count() > 1, "{name} finds nothing");
        let answer = client.query(&text).unwrap();
        let names: Vec<String> = answer.columns.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(names, fields(out.lines().next().unwrap()), "{name}");
        let lines: Vec<Vec<String>> = out.lines().skip(1).map(fields).collect();
        assert_eq!(answer.rows.len(), lines.len(), "{name}");
        for (row, line) in answer.rows.iter().zip(&lines) {
            let cells = row.iter().map(|cell| String::from_utf8(cell.clone().unwrap_or_default()).unwrap());
            let numbers = |text: &str| text.parse::<f64>().ok();
            for (cell, field) in cells.zip(line) {
                let same = plain(field) == cell || numbers(&cell).is_some_and(|n| numbers(field) == Some(n));
                assert!(same, "{name}: {cell} and {field}");
            }
        }
    }
    assert_eq!(asked, 20);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
