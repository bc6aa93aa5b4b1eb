//! What every table and column means: unit and definition, from `comments.txt`.
//!
//! ```text
//! mart.quota            what a rep should sign in a period; a row per rep and period
//!   quota               money: the quota
//! *
//!   as_of               day: …                 for every table that says nothing else
//! ```
//!
//! `mart_history.…` is described like `mart.…`.

use std::collections::HashMap;
use std::sync::LazyLock;

use engine::rule::Subject;

const TEXT: &str = include_str!("../comments.txt");

/// The name under which columns stand that mean the same in every table.
const EVERYWHERE: &str = "*";

/// The table of what rules can ask about.
const RULES_SEE: &str = "mart.rep_measure";

#[derive(Debug, Default)]
struct Comments {
    tables: HashMap<&'static str, &'static str>,
    columns: HashMap<(&'static str, &'static str), &'static str>,
}

static COMMENTS: LazyLock<Comments> = LazyLock::new(|| {
    let mut comments = Comments::default();
    let mut table = EVERYWHERE;
    for line in TEXT.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let (name, comment) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let comment = comment.trim();
        if line.starts_with(' ') {
            comments.columns.insert((table, name), comment);
        } else {
            table = name;
            comments.tables.insert(name, comment);
        }
    }
    comments
});

/// What a row of a table is.
pub(crate) fn of_table(schema: &str, table: &str) -> Option<&'static str> {
    COMMENTS.tables.get(full(schema, table).as_str()).copied()
}

/// Unit and definition of a column.
pub(crate) fn of_column(schema: &str, table: &str, column: &str) -> Option<&'static str> {
    let full = full(schema, table);
    // What is written for every table holds where the table itself is known.
    COMMENTS.tables.get(full.as_str())?;
    if let Some(own) = COMMENTS.columns.get(&(full.as_str(), column)) {
        return Some(own);
    }
    // What rules can ask about says what it is where it is declared.
    let asked = (full == RULES_SEE).then(|| Subject::find(column)).flatten();
    asked.map(Subject::meaning).or_else(|| COMMENTS.columns.get(&(EVERYWHERE, column)).copied())
}

fn full(schema: &str, table: &str) -> String {
    let schema = if schema == crate::session::HISTORY { crate::session::DEFAULT_SCHEMA } else { schema };
    format!("{schema}.{table}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use engine::catalogue::Catalogue;
    use engine::lake::tables;

    use super::*;

    /// Every table of a session with its columns.
    fn declared() -> Vec<(String, Vec<String>)> {
        let of = |schema: arrow::datatypes::SchemaRef| -> Vec<String> {
            schema.fields().iter().map(|field| field.name().clone()).collect()
        };
        let mut all: Vec<(String, Vec<String>)> =
            tables::all().iter().map(|spec| (spec.name.to_owned(), of(spec.schema()))).collect();
        let events = Catalogue::builtin().unwrap().to_batch().unwrap();
        all.push(("catalogue.event".to_owned(), of(events.schema())));
        all
    }

    #[test]
    fn every_table_and_column_has_a_comment() {
        let mut silent = Vec::new();
        for (table, columns) in declared() {
            let (schema, name) = table.split_once('.').unwrap();
            if of_table(schema, name).is_none_or(str::is_empty) {
                silent.push(table.clone());
            }
            let without = |column: &&String| of_column(schema, name, column).is_none_or(str::is_empty);
            silent.extend(columns.iter().filter(without).map(|column| format!("{table}.{column}")));
        }
        assert!(silent.is_empty(), "these have no comment in comments.txt:\n{}", silent.join("\n"));
    }

    #[test]
    fn no_comment_is_of_what_is_not_there() {
        let declared = declared();
        let columns: BTreeSet<(&str, &str)> = declared
            .iter()
            .flat_map(|(table, columns)| columns.iter().map(|column| (table.as_str(), column.as_str())))
            .collect();
        let everywhere: BTreeSet<&str> = columns.iter().map(|(_, column)| *column).collect();
        for (table, column) in COMMENTS.columns.keys() {
            let known = if *table == EVERYWHERE {
                everywhere.contains(column)
            } else {
                columns.contains(&(*table, *column))
            };
            assert!(known, "{table}.{column}");
        }
        for table in COMMENTS.tables.keys().filter(|table| **table != EVERYWHERE) {
            assert!(declared.iter().any(|(known, _)| known == table), "{table}");
        }
    }
}
