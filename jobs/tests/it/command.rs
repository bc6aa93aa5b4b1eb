//! Help, exit statuses, messages and formats of the command line.

use std::io::Read;
use std::process::Stdio;

use crate::tool::Tool;

#[test]
fn help_lists_what_there_is() {
    let help = Tool::new().run(&["--help"]).succeeded().out;
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .map_while(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .collect();
    let expected = [
        "demo", "generate", "ingest", "import", "daily", "train", "backtest", "explain", "sql", "export",
        "model", "rules", "adjust", "whatif", "replay", "serve", "key", "schedule", "lake", "doctor", "help",
    ];
    assert_eq!(commands, expected);
    assert!(
        help.contains(
            "Exit status: 0 done, 1 input or configuration is wrong, 2 failed, 75 try again later."
        )
    );
    for command in &expected[..expected.len() - 1] {
        Tool::new().run(&[command, "--help"]).succeeded();
    }
}

#[test]
fn a_wrong_command_line_is_the_users_to_mend() {
    let tool = Tool::new();
    for arguments in [
        &[][..],
        &["dayly"],
        &["--nonsense"],
        &["ingest"],
        &["daily", "--as-of", "2026-02-30"],
        &["daily", "--as-of", "2026-02-03", "--from", "2026-02-01", "--to", "2026-02-02"],
        &["daily", "--from", "2026-02-01"],
        &["sql", "-c", "SELECT 1", "-f", "x.sql"],
        &["import", "--from", "x.csv"],
        &["lake", "maintain", "--keep-days", "0"],
        &["backtest"],
        &["rules"],
        &["backtest", "quota", "--from", "x.csv", "--period", "week"],
        &["backtest", "quota", "--from", "x.csv", "--periods", "0"],
        &["-q", "-v", "doctor"],
    ] {
        let answer = tool.run(arguments);
        assert_eq!((answer.status, answer.out.as_str()), (1, ""), "{arguments:?}: {}", answer.err);
        assert!(!answer.err.is_empty());
    }
    assert!(tool.run(&["--version"]).succeeded().out.starts_with("tideline 0."));
}

#[test]
fn without_a_lake_every_command_says_how_to_get_one() {
    let tool = Tool::new();
    let message = "error: there is no lake at lake; `tideline ingest` makes one, or name another with --lake";
    for arguments in [
        &["daily"][..],
        &["explain", "--rep", "r1"],
        &["sql", "-c", "SELECT 1"],
        &["export", "--table", "mart.quota", "--to", "x.csv"],
        &["lake", "status"],
        &["lake", "maintain"],
        &["lake", "verify"],
    ] {
        tool.run(arguments).failed(1, message);
    }
    assert!(!tool.path("lake").exists());
    let doctor = tool.run(&["doctor"]).succeeded();
    assert!(doctor.out.contains("look   lake: there is no lake"), "{}", doctor.out);
}

#[test]
fn configuration_is_checked_before_anything_is_done() {
    let check = |text: &str, message: &str| {
        Tool::new().file("tideline.toml", text).run(&["doctor"]).failed(1, message);
    };
    check(
        "[quota]\nperid = \"month\"\n",
        "error: tideline.toml, line 2: there is no key quota.perid; did you mean quota.period?",
    );
    check(
        "[quota]\nattain_probability = 1.5\n",
        "error: tideline.toml: quota.attain_probability must be between 0 and 1, both excluded",
    );
    Tool::new().run(&["--config", "absent.toml", "doctor"]).failed(
        1,
        "error: the configuration absent.toml can't be read: No such file or directory (os error 2)",
    );
    Tool::new().variable("TIDELINE_QUOTA__PERIODE", "month").run(&["doctor"]).failed(
        1,
        "error: TIDELINE_QUOTA__PERIODE: there is no key quota.periode; did you mean quota.period?",
    );
    Tool::new()
        .run(&["--lake", "s3://bucket/lake", "doctor"])
        .failed(1, "error: the lake s3://bucket/lake is not a folder; this version keeps lakes in folders");
}

#[test]
fn the_environment_names_the_lake_and_the_command_line_another() {
    let tool = Tool::new().variable("TIDELINE_LAKE", "other").with_lake();
    assert!(tool.path("other/_tideline/lake.json").exists());
    assert!(tool.run(&["lake", "status"]).succeeded().out.contains("other: "));
    assert_eq!(tool.run(&["lake", "status", "--lake", "lake"]).status, 1);
}

#[test]
fn sql_answers_in_every_format() {
    let tool = Tool::new().with_lake();
    let ask = |arguments: &[&str]| {
        let all: Vec<&str> =
            ["sql", "-c", "SELECT 1 AS a, NULL AS b"].iter().chain(arguments).copied().collect();
        tool.run(&all).succeeded()
    };
    let table = ask(&[]);
    assert_eq!((table.out.as_str(), table.err.as_str()), ("a  b\n─  ─\n1\n", "(1 row)\n"));
    assert_eq!(ask(&["--format", "csv"]).out, "a,b\n1,\n");
    assert_eq!(ask(&["--format", "json"]).out, "[{\"a\":1,\"b\":null}]\n");
    assert_eq!(ask(&["--format", "ndjson"]).out, "{\"a\":1,\"b\":null}\n");
    assert!(ask(&["--format", "parquet"]).bytes.starts_with(b"PAR1"));
    assert!(ask(&["--format", "arrow"]).bytes.starts_with(&[0xFF; 4]));
    ask(&["--to", "out.arrow"]);
    assert!(std::fs::read(tool.path("out.arrow")).unwrap().starts_with(b"ARROW1"));
    let quiet = tool.run(&["-q", "sql", "-c", "SELECT 1"]).succeeded();
    assert_eq!(quiet.err, "");
}

#[test]
fn sql_takes_several_statements_from_an_argument_a_file_or_a_pipe() {
    let tool = Tool::new().with_lake().file("two.sql", "SELECT 1 AS a; -- one\nSELECT ';' AS b;\n");
    let expected = "a\n1\nb\n;\n";
    assert_eq!(tool.run(&["sql", "--format", "csv", "-f", "two.sql"]).succeeded().out, expected);
    let piped = tool.run_with(&["sql", "--format", "csv"], "SELECT 1 AS a; SELECT ';' AS b");
    assert_eq!(piped.succeeded().out, expected);
    let answer = tool.run(&["sql", "--format", "parquet", "-f", "two.sql"]);
    answer.failed(1, "error: 2 statements were given, and one is needed for this format or file");
}

#[test]
fn a_wrong_or_writing_query_is_the_users_to_mend() {
    let tool = Tool::new().with_lake();
    for (query, words) in [
        ("SELEC 1", "SELEC"),
        ("SELECT * FROM quotas", "quotas"),
        ("SELECT nonsense FROM quota", "nonsense"),
        ("SELECT 1/0", "ivide by zero"),
        ("DROP TABLE quota", "only queries are answered here"),
        ("COPY (SELECT 1) TO 'x.csv'", "only queries are answered here"),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv' STORED AS CSV", "only queries are answered here"),
    ] {
        let answer = tool.run(&["sql", "-c", query]);
        assert_eq!(answer.status, 1, "{query}: {}", answer.err);
        assert_eq!(answer.err.lines().filter(|line| line.starts_with("error: ")).count(), 1);
        assert!(answer.err.contains(words), "{query}: {}", answer.err);
    }
    assert!(!tool.path("x.csv").exists());
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_command_quietly() {
    let tool = Tool::new().with_lake();
    let query = "SELECT * FROM generate_series(1, 3000000)";
    let mut child = tool
        .command(&["sql", "--format", "csv", "-c", query])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0_u8; 10];
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut first).unwrap();
    drop(out);
    let mut complaints = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    assert_eq!((child.wait().unwrap().code(), complaints.as_str()), (Some(0), ""));
}

#[test]
fn an_export_names_what_is_wrong_and_leaves_nothing_half_done() {
    let tool = Tool::new().with_lake();
    let export = |table: &str, rest: &[&str]| {
        let all: Vec<&str> = ["export", "--table", table].iter().chain(rest).copied().collect();
        tool.run(&all)
    };
    export("mart.quota", &["--to", "x.xlsx"])
        .failed(1, "error: the ending of x.xlsx says no format; write to a .parquet, .arrow or .csv file");
    export("mart.quotas", &["--to", "x.csv"])
        .failed(1, "error: there is no table mart.quotas; did you mean mart.quota?");
    export("mart.quota", &["--to", "x.csv"])
        .failed(1, "error: no day is published yet; `tideline daily` publishes one");
    export("raw.behaviour", &["--as-of", "2026-01-05", "--to", "x.csv"])
        .failed(1, "error: raw.behaviour is not published by day; leave --as-of out");
    assert_eq!(export("raw.behaviour", &["--to", "absent/x.csv"]).status, 2);
    export("raw.behaviour", &["--to", "x.csv"]).succeeded();
    assert_eq!(std::fs::read_to_string(tool.path("x.csv")).unwrap().lines().count(), 2);
    let left: Vec<String> = std::fs::read_dir(tool.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains(".tmp"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn logs_are_lines_of_json_where_that_is_asked_for() {
    let tool = Tool::new();
    let answer = tool.run(&[
        "--log",
        "json",
        "generate",
        "--out",
        "data",
        "--reps",
        "2",
        "--customers",
        "5",
        "--days",
        "2",
        "--events-per-day",
        "20",
    ]);
    let answer = answer.succeeded();
    assert!(!answer.err.is_empty());
    for line in answer.err.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["command"], "generate");
    }
    assert_eq!(
        tool.run(&[
            "-q",
            "generate",
            "--out",
            "data2",
            "--reps",
            "2",
            "--customers",
            "5",
            "--days",
            "2",
            "--events-per-day",
            "20"
        ])
        .succeeded()
        .err,
        ""
    );
}
