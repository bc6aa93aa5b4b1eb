//! What clients of PostgreSQL call before they show anything.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use super::SERVER_VERSION;
use super::simple::{Answer, Row, Simple};
use crate::catalog::{self, Directory};
use crate::session::{CATALOG, DEFAULT_SCHEMA};

/// Functions whose answer is always null: what they describe isn't there.
const NULL_TEXT: [&str; 15] = [
    "pg_get_expr",
    "pg_get_constraintdef",
    "pg_get_indexdef",
    "pg_get_viewdef",
    "pg_get_functiondef",
    "pg_get_function_result",
    "pg_get_function_arguments",
    "pg_get_function_identity_arguments",
    "pg_get_serial_sequence",
    "pg_get_partkeydef",
    "pg_get_ruledef",
    "pg_get_triggerdef",
    "pg_get_statisticsobjdef_columns",
    "pg_tablespace_location",
    "shobj_description",
];

/// Functions whose answer is always the same flag.
const FLAGS: [(&str, bool); 8] = [
    ("pg_is_in_recovery", false),
    ("pg_function_is_visible", true),
    ("pg_collation_is_visible", true),
    ("pg_operator_is_visible", true),
    ("pg_relation_is_publishable", false),
    ("pg_is_other_temp_schema", false),
    ("pg_is_wal_replay_paused", false),
    ("pg_type_is_visible", true),
];

/// Functions whose answer is always the same number.
const NUMBERS: [(&str, i64); 4] =
    [("pg_backend_pid", 0), ("pg_my_temp_schema", 0), ("txid_current", 0), ("inet_server_port", 5432)];

/// Functions that ask for the bytes of a table, which the session doesn't know.
const SIZES: [&str; 4] = ["pg_table_size", "pg_relation_size", "pg_total_relation_size", "pg_indexes_size"];

/// Functions that ask whether something may be done.
const PRIVILEGES: [&str; 8] = [
    "has_table_privilege",
    "has_any_column_privilege",
    "has_column_privilege",
    "has_schema_privilege",
    "has_database_privilege",
    "has_function_privilege",
    "has_sequence_privilege",
    "pg_has_role",
];

/// All of them.
pub(super) fn all(directory: &Arc<Directory>) -> Vec<ScalarUDF> {
    let mut all: Vec<Simple> = constant();
    all.extend(of_numbers(directory));
    all.extend(names(directory));
    let mut all: Vec<ScalarUDF> = all.into_iter().map(Simple::udf).collect();
    all.push(current_schemas());
    all
}

fn constant() -> Vec<Simple> {
    let word =
        |name, answer: String| Simple::new(name, DataType::Utf8, move |_| Ok(Answer::Text(answer.clone())));
    let version = format!("PostgreSQL {SERVER_VERSION} (tideline {})", env!("CARGO_PKG_VERSION"));
    let mut all = vec![
        word("version", version),
        word("current_database", CATALOG.to_owned()),
        word("current_schema", DEFAULT_SCHEMA.to_owned()),
        word("pg_encoding_to_char", "UTF8".to_owned()),
        word("pg_get_userbyid", "tideline".to_owned()),
    ];
    all.extend(NULL_TEXT.map(|name| Simple::new(name, DataType::Utf8, |_| Ok(Answer::Null))));
    all.extend(
        FLAGS.map(|(name, flag)| Simple::new(name, DataType::Boolean, move |_| Ok(Answer::Flag(flag)))),
    );
    all.extend(NUMBERS.map(|(name, n)| Simple::new(name, DataType::Int32, move |_| Ok(Answer::Int(n)))));
    all.extend(SIZES.map(|name| Simple::new(name, DataType::Int64, |_| Ok(Answer::Null))));
    all.extend(PRIVILEGES.map(|name| Simple::new(name, DataType::Boolean, |row| Ok(privilege(row)))));
    all.push(Simple::new("pg_size_pretty", DataType::Utf8, |row| {
        Ok(row.int(0).map(|bytes| format!("{bytes} bytes")).into())
    }));
    all.push(Simple::new("quote_ident", DataType::Utf8, |row| Ok(row.text(0).map(quoted).into())));
    all.push(Simple::new("format", DataType::Utf8, |row| Ok(formatted(row))));
    // What there isn't can be given back without anybody's noticing.
    all.push(Simple::new("pg_advisory_unlock_all", DataType::Utf8, |_| Ok(Answer::Null)));
    all
}

/// Everything may be read, nothing written.
fn privilege(row: &Row<'_>) -> Answer {
    let Some(asked) = row.text(row.len().saturating_sub(1)) else { return Answer::Null };
    let reads = |word: &str| matches!(word.trim(), "SELECT" | "USAGE" | "CONNECT" | "EXECUTE" | "MEMBER");
    Answer::Flag(asked.to_uppercase().split(',').any(reads))
}

fn of_numbers(directory: &Arc<Directory>) -> Vec<Simple> {
    let with = |compute: fn(&Directory, &Row<'_>) -> Answer| {
        let directory = Arc::clone(directory);
        move |row: &Row<'_>| Ok(compute(&directory, row))
    };
    let oid = |row: &Row<'_>| row.int(0).and_then(|oid| i32::try_from(oid).ok());
    vec![
        Simple::new("format_type", DataType::Utf8, move |row| {
            let modifier = row.int(1).and_then(|modifier| i32::try_from(modifier).ok()).unwrap_or(-1);
            Ok(oid(row).and_then(|oid| catalog::display(oid, modifier)).into())
        }),
        Simple::new(
            "pg_table_is_visible",
            DataType::Boolean,
            with(|directory, row| {
                let relation = row.int(0).and_then(|oid| directory.relation(i32::try_from(oid).ok()?));
                let path = [DEFAULT_SCHEMA, catalog::SCHEMA];
                relation
                    .map_or(Answer::Null, |relation| Answer::Flag(path.contains(&relation.schema.as_str())))
            }),
        ),
        Simple::new(
            "obj_description",
            DataType::Utf8,
            with(|directory, row| {
                let relation = row.int(0).and_then(|oid| directory.relation(i32::try_from(oid).ok()?));
                relation.and_then(|relation| relation.comment.clone()).into()
            }),
        ),
        Simple::new(
            "col_description",
            DataType::Utf8,
            with(|directory, row| {
                let found = || {
                    let relation = directory.relation(i32::try_from(row.int(0)?).ok()?)?;
                    let place = usize::try_from(row.int(1)?).ok()?.checked_sub(1)?;
                    relation.columns.get(place)?.comment.clone()
                };
                found().into()
            }),
        ),
    ]
}

fn names(directory: &Arc<Directory>) -> Vec<Simple> {
    let with = |compute: fn(&Directory, &Row<'_>) -> Answer| {
        let directory = Arc::clone(directory);
        move |row: &Row<'_>| Ok(compute(&directory, row))
    };
    vec![
        Simple::new(
            "to_regclass",
            DataType::Int32,
            with(|directory, row| match row.int(0) {
                Some(oid) => Answer::Int(oid),
                None => row.text(0).and_then(|name| directory.find(&name)).into(),
            }),
        ),
        Simple::new(
            "regclass_name",
            DataType::Utf8,
            with(|directory, row| {
                let oid = match row.int(0) {
                    Some(oid) => i32::try_from(oid).ok(),
                    None => row.text(0).and_then(|name| directory.find(&name)),
                };
                let relation = oid.and_then(|oid| directory.relation(oid));
                let full = |relation: &catalog::Relation| match relation.schema.as_str() {
                    DEFAULT_SCHEMA | catalog::SCHEMA => relation.name.clone(),
                    schema => format!("{schema}.{}", relation.name),
                };
                relation.map(full).or_else(|| row.text(0)).into()
            }),
        ),
        Simple::new("to_regtype", DataType::Int32, |row| {
            Ok(match row.int(0) {
                Some(oid) => Answer::Int(oid),
                None => row.text(0).and_then(|name| catalog::of_name(&name)).map(|known| known.oid).into(),
            })
        }),
        Simple::new(
            "to_regnamespace",
            DataType::Int32,
            with(|directory, row| match row.int(0) {
                Some(oid) => Answer::Int(oid),
                None => row.text(0).and_then(|name| directory.schemas.get(&name).copied()).into(),
            }),
        ),
        Simple::new(
            "regnamespace_name",
            DataType::Utf8,
            with(|directory, row| {
                let name = row.int(0).and_then(|oid| directory.schema_name(i32::try_from(oid).ok()?));
                name.map(str::to_owned).or_else(|| row.text(0)).into()
            }),
        ),
        Simple::new("to_regrole", DataType::Int32, |_| Ok(Answer::Int(10))),
    ]
}

/// `current_schemas(implicit)`: the schemas that names without one are looked for in.
fn current_schemas() -> ScalarUDF {
    let list = DataType::new_list(DataType::Utf8, true);
    create_udf(
        "current_schemas",
        vec![DataType::Boolean],
        list,
        Volatility::Stable,
        Arc::new(|arguments: &[ColumnarValue]| {
            let implicit =
                matches!(arguments.first(), Some(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true)))));
            let mut names = vec![ScalarValue::from(DEFAULT_SCHEMA)];
            if implicit {
                names.insert(0, ScalarValue::from(catalog::SCHEMA));
            }
            let list = ScalarValue::new_list_nullable(&names, &DataType::Utf8);
            Ok(ColumnarValue::Scalar(ScalarValue::List(list)))
        }),
    )
}

/// `format(template, …)` with `%s`, `%I`, `%L` and `%%`, also `%1$s`; null for what PostgreSQL refuses.
fn formatted(row: &Row<'_>) -> Answer {
    let Some(template) = row.text(0) else { return Answer::Null };
    let (mut text, mut next) = (String::new(), 1);
    let mut letters = template.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let mut digits = String::new();
        while letters.peek().is_some_and(char::is_ascii_digit) {
            digits.extend(letters.next());
        }
        let place = if digits.is_empty() { None } else { digits.parse::<usize>().ok() };
        if place.is_some() && letters.next() != Some('$') {
            return Answer::Null;
        }
        let kind = letters.next();
        if kind == Some('%') && place.is_none() {
            text.push('%');
            continue;
        }
        let place = place.unwrap_or(next);
        // The template is no argument of its own, and one that isn't there can't be written.
        if !(1..row.len()).contains(&place) {
            return Answer::Null;
        }
        next = place + 1;
        let given = row.text(place);
        match (kind, given) {
            (Some('s'), given) => text.push_str(&given.unwrap_or_default()),
            (Some('I'), Some(given)) => text.push_str(&quoted(given)),
            (Some('L'), Some(given)) => {
                let literal = format!("'{}'", given.replace('\'', "''"));
                text.push_str(&literal);
            }
            (Some('L'), None) => text.push_str("NULL"),
            _ => return Answer::Null,
        }
    }
    Answer::Text(text)
}

fn quoted(name: String) -> String {
    let plain = name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if plain { name } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
