//! What clients ask a database about itself before they show anything.

use std::process::Command;

use super::client::{Client, Server};
use crate::tool::Tool;

/// Oids, names and types of the columns of a table, as the catalogue tells them.
fn told(client: &mut Client, schema: &str, table: &str) -> String {
    client.text(&format!(
        "SELECT a.attname, a.atttypid FROM pg_catalog.pg_attribute a \
         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = '{schema}' AND c.relname = '{table}' AND a.attnum > 0 AND NOT a.attisdropped \
         ORDER BY a.attnum"
    ))
}

#[test]
fn the_catalogue_tells_of_every_table_what_queries_answer() {
    let tool = Tool::new().with_lake();
    let server = Server::start(&tool, &[]);
    let mut client = server.client();
    let tables = client
        .query(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'v') ORDER BY 1, 2",
        )
        .unwrap()
        .rows;
    assert!(tables.len() > 100, "{}", tables.len());
    for row in tables {
        let word = |cell: usize| String::from_utf8(row[cell].clone().unwrap()).unwrap();
        let (schema, table) = (word(0), word(1));
        let columns = client.query(&format!("SELECT * FROM {schema}.{table} LIMIT 0")).unwrap().columns;
        let expected: Vec<String> = columns
            .into_iter()
            // Maps go as JSON, which the catalogue calls texts.
            .map(|(name, oid)| format!("{name},{}", if oid == 114 { 25 } else { oid }))
            .collect();
        assert_eq!(told(&mut client, &schema, &table), expected.join(";"), "{schema}.{table}");
    }
}

#[test]
fn units_and_definitions_are_told_wherever_they_are_looked_for() {
    let tool = Tool::new().with_lake();
    let server = Server::start(&tool, &[]);
    let mut client = server.client();
    let silent = "SELECT count(*) FROM information_schema.columns \
                  WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND comment IS NULL";
    assert_eq!(client.text(silent), "0");
    let silent = "SELECT count(*) FROM information_schema.tables \
                  WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND comment IS NULL";
    assert_eq!(client.text(silent), "0");
    let quota = "money in the reporting currency: the proposal brought to the region's plan, to the cent";
    let described = "SELECT col_description(a.attrelid, a.attnum) FROM pg_attribute a \
                     WHERE a.attrelid = 'mart.quota'::regclass AND a.attname = 'quota'";
    assert_eq!(client.text(described), quota);
    let joined = "SELECT d.description FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
                  JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = a.attnum \
                  AND d.classoid = 'pg_catalog.pg_class'::regclass \
                  WHERE c.oid = CAST('mart_history.quota' AS REGCLASS) AND a.attname = 'quota'";
    assert_eq!(client.text(joined), quota);
    let described = client.text("DESCRIBE mart.quota");
    assert!(described.contains(&format!("quota,numeric(18,2),NO,{quota}")), "{described}");
    assert_eq!(client.code("DESCRIBE mart.nothing"), "42P01");
    // And in the terminal.
    let terminal = tool.run(&["sql", "-c", "DESCRIBE quota"]).succeeded().out;
    assert!(terminal.contains(quota), "{terminal}");
}

#[test]
fn what_clients_write_in_ways_of_their_own_is_understood() {
    let tool = Tool::new().with_lake();
    let server = Server::start(&tool, &[]);
    let mut client = server.client();
    for (text, expected) in [
        (
            "SELECT nspname FROM pg_namespace WHERE nspname OPERATOR(pg_catalog.~) '^(mart)$' COLLATE pg_catalog.default",
            "mart",
        ),
        ("SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg/_' || '%' ESCAPE '/'", "8"),
        (
            "SELECT relname FROM pg_class WHERE oid = 'mart.quota'::regclass AND relkind = ANY (ARRAY['r', 'p'])",
            "quota",
        ),
        ("SELECT 'mart.quota'::regclass::text, 'crm.rep'::regclass::text", "quota,crm.rep"),
        (
            "SELECT pg_catalog.format_type(1700, 1179654), format_type(25, NULL), 'int4'::regtype::oid",
            "numeric(18,2),text,23",
        ),
        ("SELECT count(*) FROM pg_catalog.pg_policy", "0"),
        ("SELECT p.polname, (SELECT nothing(p.x) FROM pg_policy) FROM pg_policy p ORDER BY 1", ""),
        (
            "SELECT has_table_privilege('mart.quota', 'SELECT'), has_table_privilege('mart.quota', 'INSERT')",
            "t,f",
        ),
        ("SELECT current_setting('server_version'), set_config('search_path', 'crm', false)", "15.0,crm"),
        ("SELECT quote_ident('a b'), current_schemas(false), pg_is_in_recovery()", "\"a b\",{mart},f"),
        ("SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text = 'catalogue'", "1"),
        (
            "SELECT (SELECT t.typname FROM pg_type t WHERE t.oid = a.atttypid) FROM pg_attribute a WHERE a.attrelid = 'mart.quota'::regclass AND a.attname = 'quota'",
            "numeric",
        ),
        (
            "SELECT data_type, numeric_precision, is_nullable FROM information_schema.columns WHERE table_schema = 'mart' AND table_name = 'quota' AND column_name = 'quota'",
            "numeric,18,NO",
        ),
        ("SELECT count(*) FROM information_schema.table_constraints", "0"),
        (
            "SELECT health_color(14), health_color(15), health_color(25.0), health_color(NULL)",
            "red,amber,green,∅",
        ),
        (
            "SELECT period_of(DATE '2026-03-31'), period_of('2026-04-01'), period_of(NULL)",
            "2026-03,2026-04,∅",
        ),
        ("SELECT sum(touches) >= 0 FROM customer_window(DATE '2026-01-05', 7)", "∅"),
    ] {
        assert_eq!(client.text(text), expected, "{text}");
    }
    assert_eq!(client.code("SELECT * FROM rep_window(DATE '2026-01-05', 0)"), "42000");
}

#[test]
fn what_grafana_metabase_and_asyncpg_ask_is_understood() {
    let tool = Tool::new().with_lake();
    let server = Server::start(&tool, &[]);
    let mut client = server.client();
    for (text, expected) in [
        (
            "SELECT format('%I.%s is %L', 'a b', 'c', 'd''e'), format('%2$s %1$s %%', 'a', 'b'), format('%L', NULL), \
             format('%18446744073709551615$s', 'a'), format('%0$s|%9$s', 'a'), format('%')",
            "\"a b\".c is 'd''e',b a %,NULL,∅,∅,∅",
        ),
        (
            "SELECT to_char(DATE '2026-03-31', 'YYYY-MM'), to_char(TIMESTAMP '2026-03-31 14:05:06', 'HH24:MI'), \
             to_char(DATE '2026-03-31', '%d')",
            "2026-03,14:05,31",
        ),
        ("SELECT '6f0f0a52-8f6f-4b5e-9d38-6b1f3a0f6c11'::uuid::text", "6f0f0a52-8f6f-4b5e-9d38-6b1f3a0f6c11"),
        // As Grafana looks for tables where names without a schema are looked for.
        (
            "SELECT table_name FROM information_schema.tables WHERE table_name = 'quota' AND table_schema IN (\
             SELECT CASE WHEN trim(s[i]) = '\"$user\"' THEN user ELSE trim(s[i]) END FROM generate_series(\
             array_lower(string_to_array(current_setting('search_path'),','),1), \
             array_upper(string_to_array(current_setting('search_path'),','),1)) AS i, \
             string_to_array(current_setting('search_path'),',') s)",
            "quota",
        ),
        ("SELECT substring('ab123c' FROM '[0-9]+'), substring('abcdef' FROM 3)", "123,cdef"),
        ("SELECT timezone('Asia/Shanghai', TIMESTAMP '2026-03-31 00:00:00') IS NOT NULL", "t"),
        // Between two statements of a pool.
        ("SELECT pg_advisory_unlock_all(); UNLISTEN *; SELECT 7", "∅;7"),
        ("SELECT (parse_ident('mart.quota'))[1], (parse_ident('\"A b\".C'))[2]", "mart,c"),
    ] {
        assert_eq!(client.text(text), expected, "{text}");
    }
    // As asyncpg asks for types, in a form that it knows the answer's types of.
    let types = "WITH RECURSIVE typeinfo_tree(oid, attrtypoids) AS (SELECT oid, 1 FROM pg_type WHERE oid = ANY ($1::oid[]) UNION ALL \
                 SELECT 1, 1 FROM typeinfo_tree) SELECT DISTINCT * FROM typeinfo_tree ORDER BY 1 DESC";
    client.parse("types", types, &[]);
    client.describe(b'S', "types");
    assert_eq!(client.sync().unwrap().parameters, [1028]);
    client.bind("", "types", &[Some(b"{1007}")], (0, 0));
    client.execute("", 0);
    assert!(client.sync().unwrap().text().starts_with("1007,pg_catalog,_int4,b,∅,23,"));
    // What would mean something else than it says is refused, with what to write instead.
    for (text, right) in [
        ("SELECT 2 ^ 3", "power(a, b)"),
        ("SELECT 'abc' SIMILAR TO 'a%'", "LIKE"),
        ("SELECT to_char(1.5, '999D99')", "it knows YYYY"),
    ] {
        let refusal = client.query(text).err().unwrap();
        assert!(refusal.message.contains(right), "{refusal:?}");
    }
}

#[test]
fn psql_describes_what_there_is() {
    let tool = Tool::new().with_lake();
    let server = Server::start(&tool, &[]);
    let psql = |words: &[&str]| {
        let mut command = Command::new("psql");
        command.args(["-XAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "ann", "-d", "tideline"]);
        command.arg("-p").arg(server.address.port().to_string());
        for word in words {
            command.args(["-c", word]);
        }
        command.output().map(|output| {
            assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        })
    };
    let Ok(tables) = psql(&["\\dt"]) else {
        eprintln!("psql isn't installed: its queries were not tried");
        return;
    };
    assert!(tables.contains("mart|quota|table|tideline"), "{tables}");
    assert!(psql(&["\\d"]).unwrap().contains("mart|quota|table|tideline"));
    assert!(psql(&["\\dt *.*"]).unwrap().contains("raw|behaviour|table|tideline"));
    assert!(psql(&["\\dn"]).unwrap().contains("mart_history|tideline"));
    assert!(psql(&["\\l"]).unwrap().contains("tideline|tideline|UTF8"));
    let quota = psql(&["\\d mart.quota"]).unwrap();
    assert!(quota.contains("quota|numeric(18,2)||not null|"), "{quota}");
    assert!(psql(&["\\d+ mart.quota"]).unwrap().contains("to the cent"));
    for word in
        ["\\dv", "\\dv *.*", "\\di", "\\ds", "\\df", "\\du", "\\dT", "\\dm", "\\dx", "\\d+", "\\dt+", "\\dn+"]
    {
        psql(&[word]).unwrap();
    }
}
