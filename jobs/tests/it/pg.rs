//! The PostgreSQL wire as its clients meet it: the real server on a loopback port, spoken to in frames.

mod catalogue;
pub(crate) mod client;
mod limits;

use self::client::Server;
use crate::serve::{DAYS, publish, world};
use crate::tool::Tool;

#[test]
fn the_same_names_and_rows_as_the_command() {
    let tool = world();
    let server = Server::start(&tool, &[]);
    let mut client = server.client();
    let query = "SELECT rep_id, quota, as_of, p_attain, bound FROM mart.quota ORDER BY rep_id LIMIT 5";
    let answer = client.query(query).unwrap();
    let names: Vec<&str> = answer.columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["rep_id", "quota", "as_of", "p_attain", "bound"]);
    let types: Vec<u32> = answer.columns.iter().map(|(_, oid)| *oid).collect();
    assert_eq!(types, [25, 1700, 1082, 701, 25]);
    let csv = tool.run(&["sql", "--format", "csv", "-c", query]).succeeded().out;
    assert_eq!(answer.text(), csv.lines().skip(1).collect::<Vec<_>>().join(";"));
    assert_eq!(answer.tags, ["SELECT 5"]);
    // Names without a schema are looked for in mart, or where the client says.
    assert_eq!(client.text("SELECT count(*) > 0 FROM quota"), "t");
    assert_eq!(client.text("SET search_path = crm; SELECT count(*) > 0 FROM rep"), "t");
    // What is published while the client is connected is seen by its next statement.
    assert_eq!(client.text("SELECT max(as_of) FROM mart.quota"), DAYS[0]);
    publish(&tool, DAYS[1]);
    assert_eq!(
        client.text("SELECT max(as_of), count(DISTINCT as_of) FROM mart.quota"),
        format!("{},2", DAYS[1])
    );
    assert_eq!(server.stop(), 0);
}

#[test]
fn several_statements_one_failing_and_transactions() {
    let tool = Tool::new().with_lake();
    let server = Server::start(&tool, &[]);
    let mut client = server.client();
    let answer = client.query("BEGIN; SELECT 1 AS a; SELECT 'x' AS b, NULL AS c").unwrap();
    assert_eq!((answer.text().as_str(), answer.transaction), ("1;x,∅", 'T'));
    assert_eq!(answer.tags, ["BEGIN", "SELECT 1", "SELECT 1"]);
    assert_eq!(client.code("SELECT 1; SELECT nothing; SELECT 2"), "42703");
    assert_eq!(client.code("SELECT 1"), "25P02");
    let answer = client.query("COMMIT").unwrap();
    assert_eq!((answer.tags[0].as_str(), answer.transaction), ("ROLLBACK", 'I'));
    assert_eq!(client.query(" ; ").unwrap().rows.len(), 0);
    for (text, tag) in [
        ("SET application_name TO 'x'", "SET"),
        ("RESET ALL", "RESET"),
        ("DISCARD ALL", "DISCARD ALL"),
        ("SAVEPOINT a", "SAVEPOINT"),
        ("DEALLOCATE ALL", "DEALLOCATE ALL"),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET"),
        ("START TRANSACTION READ ONLY", "BEGIN"),
        ("ROLLBACK", "ROLLBACK"),
    ] {
        assert_eq!(client.query(text).unwrap().tags, [tag], "{text}");
    }
    assert_eq!(client.text("SHOW TRANSACTION ISOLATION LEVEL"), "repeatable read");
    assert_eq!(client.text("SHOW server_version"), "15.0");
    assert_eq!(client.text("SELECT current_user, current_database(), current_schema()"), "ann,tideline,mart");
}

#[test]
fn errors_have_the_codes_of_postgresql() {
    let tool = Tool::new().with_lake();
    let server = Server::start(&tool, &[]);
    let mut client = server.client();
    for (text, code) in [
        ("SELEC 1", "42601"),
        ("SELECT 'open", "42601"),
        ("SELECT * FROM nowhere", "42P01"),
        ("SELECT * FROM nowhere.at_all", "42P01"),
        ("SELECT nothing FROM mart.quota", "42703"),
        ("SELECT rep_id FROM mart.quota a, mart.factor b", "42702"),
        ("SELECT nothing(1)", "42883"),
        ("SELECT 1 / 0", "22012"),
        ("SELECT CAST('x' AS INT)", "22P02"),
        ("SET nothing.at_all = 1", "42704"),
        ("SHOW nothing", "42704"),
        ("SET datafusion.execution.batch_size = 1", "42704"),
    ] {
        assert_eq!(client.code(text), code, "{text}");
    }
    let error = client.query("SELECT 1,\n  FORM mart.quota x y").unwrap_err();
    assert_eq!(error.position.as_deref(), Some("22"), "{error:?}");
    let error = client.query("SELECT * FROM mart.rep").unwrap_err();
    assert_eq!(error.message, "table 'mart.rep' not found; did you mean crm.rep?");
    assert_eq!(client.text("SELECT 1"), "1");
}

#[test]
fn whatever_would_write_is_refused() {
    let tool = Tool::new().with_lake();
    let target = tool.path("out.csv");
    let path = target.display();
    let server = Server::start(&tool, &[]);
    let mut client = server.client();
    let texts = [
        "DROP TABLE mart.quota".to_owned(),
        "CREATE TABLE x AS SELECT 1".to_owned(),
        "CREATE VIEW x AS SELECT 1".to_owned(),
        "CREATE SCHEMA x".to_owned(),
        "INSERT INTO mart.factor SELECT * FROM mart.factor".to_owned(),
        "DELETE FROM mart.quota".to_owned(),
        "UPDATE mart.quota SET quota = 0".to_owned(),
        format!("COPY (SELECT 1) TO '{path}'"),
        format!("EXPLAIN ANALYZE COPY (SELECT 1) TO '{path}' STORED AS CSV"),
        "EXPLAIN ANALYZE INSERT INTO mart.factor SELECT * FROM mart.factor".to_owned(),
        format!("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '{path}'"),
        "SET default_transaction_read_only = off".to_owned(),
        "PREPARE x AS SELECT 1".to_owned(),
        "SELECT 1; DROP TABLE mart.quota".to_owned(),
    ];
    for text in &texts {
        let code = client.code(text);
        assert!(matches!(code.as_str(), "25006" | "0A000"), "{text}: {code}");
        // The extended protocol has a way of its own in; there settings are judged when they are set.
        if text.starts_with("SET ") {
            continue;
        }
        client.parse("", text, &[]);
        let code = client.sync().unwrap_err().code;
        assert!(matches!(code.as_str(), "25006" | "0A000" | "42601"), "{text}: {code}");
    }
    for text in
        ["DROP TABLE mart.quota", "INSERT INTO mart.factor SELECT * FROM mart.factor", texts[8].as_str()]
    {
        assert_eq!(client.code(text), "25006", "{text}");
    }
    assert!(!target.exists());
    // Files are no tables.
    assert!(matches!(client.code("SELECT * FROM 'events.ndjson'").as_str(), "42P01" | "42601"));
}

#[test]
fn prepared_statements_parameters_and_portals() {
    let tool = world();
    let server = Server::start(&tool, &[]);
    let mut client = server.client();
    let rep = client.text("SELECT min(rep_id) FROM mart.quota");
    // Types follow from what parameters are compared with.
    client.parse("one", "SELECT quota FROM mart.quota WHERE rep_id = $1 AND as_of = $2 LIMIT $3", &[]);
    client.describe(b'S', "one");
    let described = client.sync().unwrap();
    assert_eq!(described.parameters, [25, 1082, 20]);
    assert_eq!(described.columns, [("quota".to_owned(), 1700)]);
    let expected = client.text(&format!("SELECT quota FROM mart.quota WHERE rep_id = '{rep}'"));
    client.bind("", "one", &[Some(rep.as_bytes()), Some(DAYS[0].as_bytes()), Some(b"9")], (0, 0));
    client.execute("", 0);
    assert_eq!(client.sync().unwrap().text(), expected);
    // The same in binary form: a day counts from 2000.
    let day = 9_540_i32.to_be_bytes();
    let nine = 9_i64.to_be_bytes();
    client.bind("", "one", &[Some(rep.as_bytes()), Some(&day), Some(&nine)], (1, 0));
    client.execute("", 0);
    assert_eq!(client.sync().unwrap().text(), expected);
    // Null is nothing's equal, and what is no day is refused.
    client.bind("", "one", &[None, Some(&day), Some(&nine)], (1, 0));
    client.execute("", 0);
    assert_eq!(client.sync().unwrap().tags, ["SELECT 0"]);
    client.bind("", "one", &[Some(b"x"), Some(b"not a day"), Some(b"1")], (0, 0));
    client.execute("", 0);
    assert_eq!(client.sync().unwrap_err().code, "22P02");
    // Binary results: int4, int8, float8, bool, date, text.
    client.parse("", "SELECT 7::int, 8::bigint, 0.5::double, true, DATE '2000-01-02', 'é'", &[]);
    client.bind("", "", &[], (0, 1));
    client.execute("", 0);
    let row = client.sync().unwrap().rows.remove(0);
    let cells: Vec<Vec<u8>> = row.into_iter().map(Option::unwrap).collect();
    assert_eq!(cells[0], 7_i32.to_be_bytes());
    assert_eq!(cells[1], 8_i64.to_be_bytes());
    assert_eq!(cells[2], 0.5_f64.to_be_bytes());
    assert_eq!((cells[3].as_slice(), cells[4].as_slice()), (&[1][..], &1_i32.to_be_bytes()[..]));
    assert_eq!(cells[5], "é".as_bytes());
    // A portal is read in pieces inside a transaction, and gone after it.
    client.query("BEGIN").unwrap();
    client.parse("all", "SELECT value FROM generate_series(1, 10) ORDER BY value", &[]);
    client.bind("cursor", "all", &[], (0, 0));
    client.execute("cursor", 4);
    let first = client.sync().unwrap();
    assert_eq!((first.text().as_str(), first.suspended), ("1;2;3;4", true));
    client.execute("cursor", 100);
    let rest = client.sync().unwrap();
    assert_eq!((rest.text().as_str(), rest.suspended), ("5;6;7;8;9;10", false));
    client.query("COMMIT").unwrap();
    client.execute("cursor", 1);
    assert_eq!(client.sync().unwrap_err().code, "34000");
    // After a failure everything is passed over until the client knows.
    client.parse("", "SELECT nothing", &[]);
    client.bind("", "", &[], (0, 0));
    client.execute("", 0);
    assert_eq!(client.sync().unwrap_err().code, "42703");
    client.parse("", "SELECT 1; SELECT 2", &[]);
    assert_eq!(client.sync().unwrap_err().code, "42601");
    assert_eq!(client.text("SELECT 1"), "1");
}

#[test]
fn parameters_have_the_types_that_they_are_cast_to() {
    let tool = Tool::new().with_lake();
    let server = Server::start(&tool, &[]);
    let mut client = server.client();
    client.parse("", "SELECT $1::date, $2::text[], $3::bytea", &[]);
    client.describe(b'S', "");
    assert_eq!(client.sync().unwrap().parameters, [1082, 1009, 17]);
    client.bind("", "", &[Some(b"2026-03-31"), Some(b"{a,\"b,c\"}"), Some(b"\\x6162")], (0, 0));
    client.execute("", 0);
    assert_eq!(client.sync().unwrap().text(), "2026-03-31,{a,\"b,c\"},\\x6162");
    // An array in binary form: one dimension, no nulls, of int8; two items, counted from 1.
    let item = |value: i64| [&8_i32.to_be_bytes()[..], &value.to_be_bytes()].concat();
    let head: Vec<u8> = [1, 0, 20, 2, 1].iter().flat_map(|word: &i32| word.to_be_bytes()).collect();
    let both = [head.clone(), item(3), item(5)].concat();
    client.parse("", "SELECT value FROM generate_series(1, 9) WHERE value = ANY ($1) ORDER BY 1", &[1016]);
    client.bind("", "", &[Some(&both)], (1, 0));
    client.execute("", 0);
    assert_eq!(client.sync().unwrap().text(), "3;5");
    // One that says its items are arrays, however many times.
    let deep = (0..20_000).fold(item(1), |inner, _| {
        let head = [1, 0, 1016, 1, 1, i32::try_from(inner.len()).unwrap()];
        [head.iter().flat_map(|word: &i32| word.to_be_bytes()).collect(), inner].concat()
    });
    for wrong in [&head[..], &both[..both.len() - 1], &both[..7], &deep[..]] {
        client.parse("", "SELECT value FROM generate_series(1, 9) WHERE value = ANY ($1)", &[1016]);
        client.bind("", "", &[Some(wrong)], (1, 0));
        client.execute("", 0);
        assert_eq!(client.sync().unwrap_err().code, "22P03", "{} bytes", wrong.len());
    }
    // A mark of its own before what is no wildcard, in a pattern that comes later.
    client.parse("", "SELECT 'a_b' LIKE $1 ESCAPE '/', 'axb' LIKE $1 ESCAPE '/'", &[]);
    client.bind("", "", &[Some(b"a/_b")], (0, 0));
    client.execute("", 0);
    assert_eq!(client.sync().unwrap().text(), "t,f");
}

#[test]
fn a_failed_transaction_goes_on_from_a_savepoint() {
    let tool = Tool::new().with_lake();
    let server = Server::start(&tool, &[]);
    // asyncpg writes the encoding with its quotes.
    let mut client = server.client_with(&[("client_encoding", "'utf-8'")]).unwrap();
    assert_eq!(client.code("ROLLBACK TO SAVEPOINT one"), "25P01");
    client.query("BEGIN").unwrap();
    client.query("SAVEPOINT one").unwrap();
    assert_eq!(client.code("SELECT nothing"), "42703");
    assert_eq!(client.code("SELECT 1"), "25P02");
    assert_eq!(client.query("ROLLBACK TO SAVEPOINT one").unwrap().transaction, 'T');
    assert_eq!(client.text("SELECT 1"), "1");
    assert_eq!(client.query("COMMIT").unwrap().tags, ["COMMIT"]);
}
