//! The whole way: made-up data in, two days published, and what people ask of them.

use crate::tool::Tool;

/// The days that the demonstration publishes.
const LAST: &str = "2026-03-31";

fn ask(tool: &Tool, query: &str) -> String {
    tool.run(&["--lake", "demo/lake", "sql", "--format", "csv", "-c", query]).succeeded().out
}

#[test]
fn the_demonstration_and_what_follows_it() {
    let tool = Tool::new();
    let report = tool.run(&["demo", "--dir", "demo", "--reps", "8", "--days", "45"]).succeeded().out;
    for part in [
        "QUOTAS of ",
        "MOVED MOST since 2026-03-30",
        "CUSTOMERS ",
        "SALES PROCESS of ",
        "ALERTS",
        "Try next:",
    ] {
        assert!(report.contains(part), "{part} is missing in\n{report}");
    }
    explanations_add_up(&tool);
    a_quota_is_explained(&tool, &report);
    a_repeated_day_is_found_published(&tool);
    a_day_is_exported(&tool);
    upkeep_changes_nothing_that_is_seen(&tool);
}

fn explanations_add_up(tool: &Tool) {
    let off = ask(
        tool,
        "SELECT count(*) AS n FROM (
           SELECT q.as_of, q.rep_id, q.quota - sum(e.amount) AS rest FROM quota q
           JOIN quota_explanation e ON e.as_of = q.as_of AND e.rep_id = q.rep_id AND e.kind = 'level'
           GROUP BY q.as_of, q.rep_id, q.quota
         ) WHERE rest <> 0",
    );
    assert_eq!(off, "n\n0\n");
    let days =
        ask(tool, "SELECT as_of, count(DISTINCT run_id) AS runs FROM quota GROUP BY as_of ORDER BY as_of");
    assert_eq!(days, "as_of,runs\n2026-03-30,1\n2026-03-31,1\n");
}

/// The commands that the report offers work; the explanation's last line is the quota.
fn a_quota_is_explained(tool: &Tool, report: &str) {
    for line in report.lines().filter(|line| line.starts_with("  tideline ")) {
        let arguments = words(line.trim_start().trim_start_matches("tideline "));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let answer = tool.run(&arguments).succeeded();
        if arguments.contains(&"explain") {
            assert!(answer.out.contains("Since 2026-03-30 it went from "), "{}", answer.out);
            assert!(answer.out.lines().any(|line| line.ends_with("  quota")), "{}", answer.out);
        }
    }
    let wrong = tool.run(&["--lake", "demo/lake", "explain", "--rep", "nobody-at-all"]);
    wrong.failed(1, &format!("error: nobody-at-all has no quota as of {LAST}; a quota is for reps on duty"));
    let wrong = tool.run(&["--lake", "demo/lake", "explain", "--rep", "x", "--as-of", "2026-01-01"]);
    wrong.failed(1, &format!("error: 2026-01-01 is not published; the newest published day is {LAST}"));
}

fn a_repeated_day_is_found_published(tool: &Tool) {
    let again = tool.run(&["--lake", "demo/lake", "daily", "--as-of", LAST]).succeeded();
    assert!(
        again.out.starts_with(&format!("{LAST}: the same inputs were published before")),
        "{}",
        again.out
    );
}

fn a_day_is_exported(tool: &Tool) {
    let answer = tool.run(&[
        "--lake",
        "demo/lake",
        "export",
        "--table",
        "quota",
        "--as-of",
        "2026-03-30",
        "--to",
        "quota.csv",
    ]);
    let rows = ask(tool, "SELECT count(*) AS n FROM quota WHERE as_of = DATE '2026-03-30'");
    let text = std::fs::read_to_string(tool.path("quota.csv")).unwrap();
    assert_eq!(format!("n\n{}\n", text.lines().count() - 1), rows);
    assert!(answer.succeeded().out.ends_with("rows of mart.quota as of 2026-03-30 in quota.csv\n"));
    let wrong = tool.run(&[
        "--lake",
        "demo/lake",
        "export",
        "--table",
        "quota",
        "--as-of",
        "2026-01-30",
        "--to",
        "q.csv",
    ]);
    assert_eq!((wrong.status, tool.path("q.csv").exists()), (1, false));
}

fn upkeep_changes_nothing_that_is_seen(tool: &Tool) {
    let seen = |tool: &Tool| {
        [
            "quota",
            "quota_explanation",
            "customer_health",
            "process_health",
            "alert",
            "raw.behaviour",
            "crm.rep",
        ]
        .map(|table| ask(tool, &format!("SELECT count(*) AS n FROM {table}")))
    };
    let before = seen(tool);
    let verified = tool.run(&["--lake", "demo/lake", "lake", "verify"]).succeeded().out;
    assert!(verified.contains("the lake is sound"), "{verified}");
    tool.run(&["--lake", "demo/lake", "lake", "maintain"]).succeeded();
    assert_eq!(seen(tool), before);
    let status = tool.run(&["--lake", "demo/lake", "lake", "status"]).succeeded().out;
    assert!(status.contains("published up to 2026-03-31"), "{status}");
    let doctor = tool.run(&["--lake", "demo/lake", "doctor"]).succeeded().out;
    assert!(!doctor.contains("wrong"), "{doctor}");
}

/// Splits a command line as a shell does: at spaces outside double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}
