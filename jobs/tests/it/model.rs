//! `tideline model`: fit on a table, score another, and what is said of tables that can't be used.

use std::fmt::Write as _;

use crate::tool::Tool;

/// Leads whose outcome hangs on score and channel; ids, dates and missing values beside.
fn leads(rows: u32) -> String {
    let mut text = String::from("id,created,score,channel,won\n");
    let mut state = 12_345_u32;
    let mut next = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    for row in 0..rows {
        let (score, channel) = (next(100), ["mail", "fair", "web"][next(3) as usize]);
        let chance = score / 2 + if channel == "fair" { 40 } else { 5 };
        let won = if next(100) < chance { "yes" } else { "no" };
        let (month, day) = (row * 12 / rows + 1, next(28) + 1);
        let score = if row % 19 == 0 { String::new() } else { score.to_string() };
        writeln!(text, "L{row},2024-{month:02}-{day:02},{score},{channel},{won}").unwrap();
    }
    text
}

fn columns(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn fit_then_score_gives_the_probabilities_of_the_test() {
    let tool = Tool::new().file("leads.csv", &leads(900));
    let fit = ["model", "fit", "--from", "leads.csv", "--label", "won", "--id", "id", "--split", "random"];
    let fit = [fit.as_slice(), &["--seed", "3", "--out", "m", "--predictions", "p.csv"]].concat();
    let said = tool.run(&fit).succeeded().out;
    assert!(said.contains("MODEL of won = yes, fitted on 630 rows"), "{said}");
    assert!(said.contains("measured on 270 test rows that nothing was fitted on"), "{said}");
    assert!(said.contains("LIFT by decile") && said.contains("CALIBRATION"), "{said}");
    let score = ["model", "score", "--model", "m", "--from", "leads.csv", "--to", "s.csv", "--reasons", "2"];
    tool.run(&score).succeeded();
    let read = |name: &str| columns(&std::fs::read_to_string(tool.path(name)).unwrap());
    let (predicted, scored) = (read("p.csv"), read("s.csv"));
    assert_eq!(predicted[0], ["id", "label", "probability", "low", "high"]);
    let reasons = ["reason_1", "reason_1_log_odds", "reason_2", "reason_2_log_odds"];
    assert_eq!(scored[0], [["row", "id", "probability", "low", "high"].as_slice(), &reasons].concat());
    assert_eq!((predicted.len(), scored.len()), (271, 901));
    for (row, line) in scored.iter().skip(1).enumerate() {
        assert_eq!(line[..2], [row.to_string(), format!("L{row}")]);
    }
    // The model on disk says of the test rows what the model in memory said.
    for line in predicted.iter().skip(1) {
        let row: usize = line[0][1..].parse().unwrap();
        assert_eq!(line[2..5], scored[row + 1][2..5]);
    }
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(tool.path("m/report.json")).unwrap()).unwrap();
    assert_eq!((&report["basis"], &report["measures"]["rows"]), (&"test".into(), &270.into()));
    assert!(report["measures"]["auc"].as_f64().unwrap() > 0.6, "{report}");
    // Again, the same bytes.
    let before = std::fs::read(tool.path("m/model.json")).unwrap();
    tool.run(&fit).succeeded();
    assert_eq!(before, std::fs::read(tool.path("m/model.json")).unwrap());
}

#[test]
fn without_a_split_figures_are_out_of_fold_and_time_looks_forward() {
    let mut rows: Vec<String> = leads(600).lines().map(str::to_owned).collect();
    rows[1..].reverse();
    let tool = Tool::new().file("leads.csv", &rows.join("\n"));
    let fit = ["model", "fit", "--from", "leads.csv", "--label", "won", "--drop", "id", "--out", "m"];
    let said = tool.run(&fit).succeeded().out;
    assert!(said.contains("fitted on 600 rows") && said.contains("(out of fold"), "{said}");
    let said = tool.run(&[fit.as_slice(), &["--time", "created"]].concat()).succeeded().out;
    assert!(said.contains("stood behind a later one and were sorted by time"), "{said}");
    assert!(said.contains("3 folds, each judging later rows only"), "{said}");
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let tool = Tool::new()
        .file("t.csv", "a;b;c\n1;x;yes\n2;;no\n3;y;maybe\n")
        .file("one.csv", "a,b\n1,1\n2,1\n3,1\n")
        .file("few.csv", "a,b\n1,1\n2,0\n3,1\n")
        .file("empty.csv", "")
        .file("header.csv", "a,b\n")
        .file("ragged.csv", "a,b\n1,2\n1,2,3\n");
    let check = |arguments: &[&str], message: &str| {
        let all = [["model", "fit", "--out", "m"].as_slice(), arguments].concat();
        tool.run(&all).failed(1, message);
    };
    check(
        &["--from", "t.csv", "--label", "d"],
        "error: t.csv: --label names `d`, which is no column; did you mean `a`? (columns: a, b, c)",
    );
    check(
        &["--from", "t.csv", "--label", "b"],
        "error: t.csv, line 3, column b: `` where labels (drop the rows without one) are expected",
    );
    check(
        &["--from", "t.csv", "--label", "c"],
        "error: t.csv: the label c has more than two values, among them yes, no, maybe; a model learns a yes or no",
    );
    check(
        &["--from", "one.csv", "--label", "b"],
        "error: one.csv: the label b is 1 in every row; a model needs both outcomes",
    );
    check(
        &["--from", "few.csv", "--label", "b"],
        "error: few.csv: 3 rows are too few to fit a model; 10 are needed",
    );
    check(&["--from", "empty.csv", "--label", "b"], "error: empty.csv: the file is empty, not even a header");
    check(&["--from", "header.csv", "--label", "b"], "error: header.csv: it has a header and no row");
    check(
        &["--from", "ragged.csv", "--label", "b"],
        "error: ragged.csv, line 3: wrong_field_count; the record is \"1,2,3\"",
    );
    check(&["--from", "none.csv", "--label", "b"], "error: none.csv: no such file");
    check(
        &["--from", "one.csv", "--label", "b", "--split", "time", "--test", "1"],
        "error: --test 1: a share between 0 and 1 is needed",
    );
}

#[test]
fn tables_that_the_model_does_not_know_are_refused() {
    let tool = Tool::new()
        .file("leads.csv", &leads(300))
        .file("lacks.csv", "score,won\n1,yes\n")
        .file("words.csv", "created,score,channel\n2024-01-01,12,web\n2024-01-02,many,web\n")
        .file("new.csv", "other,channel,score,created\n1,carrier pigeon,inf,2031-01-01\n2,,,\n");
    let fit = ["model", "fit", "--from", "leads.csv", "--label", "won", "--id", "id", "--out", "m"];
    tool.run(&fit).succeeded();
    let score = |from: &str| tool.run(&["model", "score", "--model", "m", "--from", from, "--to", "s.csv"]);
    score("lacks.csv").failed(
        1,
        "error: lacks.csv: it lacks columns that the model was fitted with: created, channel (it has: score, won)",
    );
    score("words.csv").failed(1, "error: words.csv, line 3, column score: `many` where numbers are expected");
    // Unknown levels, infinities, empty cells and other columns are fine; the id is simply not there.
    score("new.csv").succeeded();
    let scored = columns(&std::fs::read_to_string(tool.path("s.csv")).unwrap());
    assert_eq!((scored.len(), scored[0].join(",")), (3, "row,probability,low,high".to_owned()));
    for line in &scored[1..] {
        let p: f64 = line[1].parse().unwrap();
        assert!(p > 0.0 && p < 1.0);
    }
    tool.run(&["model", "score", "--model", "n", "--from", "new.csv", "--to", "s.csv"]).failed(
        1,
        "error: n/model.json: No such file or directory (os error 2); `tideline model fit --out DIR` writes a model",
    );
}

#[test]
fn a_damaged_model_is_refused() {
    let tool = Tool::new().file("leads.csv", &leads(300));
    tool.run(&["model", "fit", "--from", "leads.csv", "--label", "won", "--id", "id", "--out", "m"])
        .succeeded();
    let path = tool.path("m/model.json");
    let whole: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let check = |part: &str, value: serde_json::Value| {
        let mut damaged = whole.clone();
        *damaged.pointer_mut(part).unwrap() = value;
        std::fs::write(&path, damaged.to_string()).unwrap();
        tool.run(&["model", "score", "--model", "m", "--from", "leads.csv", "--to", "s.csv"])
            .failed(1, "error: m/model.json is damaged: its parts don't fit each other; fit the model again");
    };
    check("/model/features/0/column", 99.into());
    check("/model/columns", serde_json::json!([]));
    check("/model/calibration/lower/y", serde_json::json!([0.5]));
    std::fs::write(&path, &whole.to_string()[..200]).unwrap();
    let cut = tool.run(&["model", "score", "--model", "m", "--from", "leads.csv", "--to", "s.csv"]);
    assert_eq!(cut.status, 1, "{}", cut.err);
    assert!(cut.err.contains("m/model.json is not a model"), "{}", cut.err);
}
