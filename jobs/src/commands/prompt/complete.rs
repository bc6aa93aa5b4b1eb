//! Completion of the prompt: keywords, tables and columns; and whether a statement is complete.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::SchemaRef;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Result};

/// Words offered in upper case.
const KEYWORDS: &str = "SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET JOIN LEFT INNER OUTER FULL CROSS ON USING \
    AS AND OR NOT NULL IS IN LIKE BETWEEN CASE WHEN THEN ELSE END DISTINCT UNION ALL EXCEPT INTERSECT WITH OVER PARTITION \
    ASC DESC NULLS FIRST LAST CAST DATE TIMESTAMP INTERVAL EXPLAIN ANALYZE SHOW TABLES DESCRIBE TRUE FALSE EXISTS \
    COUNT SUM AVG MIN MAX COALESCE ROUND";

/// Knows every word that may stand in a statement.
#[derive(Debug)]
pub(super) struct Assistant {
    keywords: Vec<String>,
    names: BTreeSet<String>,
}

impl Assistant {
    pub(super) fn new(tables: &BTreeMap<String, SchemaRef>) -> Self {
        let mut names = BTreeSet::new();
        for (table, schema) in tables {
            names.insert(table.clone());
            if let Some(short) = table.strip_prefix("mart.") {
                names.insert(short.to_owned());
            }
            if let Some((schema, _)) = table.split_once('.') {
                names.insert(format!("{schema}."));
            }
            names.extend(schema.fields().iter().map(|field| field.name().clone()));
        }
        Self { keywords: KEYWORDS.split_whitespace().map(str::to_owned).collect(), names }
    }

    /// Where the word before the cursor begins, and what it can become.
    fn candidates(&self, line: &str, at: usize) -> (usize, Vec<String>) {
        let before = &line[..at];
        let begin = before
            .char_indices()
            .rev()
            .find(|(_, c)| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '\\')))
            .map_or(0, |(index, c)| index + c.len_utf8());
        let word = &before[begin..];
        if word.is_empty() {
            return (begin, Vec::new());
        }
        let lower = word.to_lowercase();
        let names = self.names.iter().filter(|name| name.starts_with(&lower)).cloned();
        let keywords = self.keywords.iter().filter(|keyword| keyword.to_lowercase().starts_with(&lower));
        // Written small, a keyword is completed small.
        let small = word.chars().any(char::is_lowercase);
        let keywords = keywords.map(|keyword| if small { keyword.to_lowercase() } else { keyword.clone() });
        (begin, names.chain(keywords).collect())
    }
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> Result<(usize, Vec<String>)> {
        Ok(self.candidates(line, at))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        let complete = is_complete(context.input());
        Ok(if complete { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Highlighter for Assistant {}

impl Helper for Assistant {}

/// Whether the input ends with a semicolon outside quotes and comments, or is a word of the prompt's own.
fn is_complete(input: &str) -> bool {
    let text = input.trim();
    if text.is_empty() || text.starts_with('\\') || matches!(text, "quit" | "exit" | "help") {
        return true;
    }
    let mut quote: Option<char> = None;
    let mut last = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => continue,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '-' && rest.peek() == Some(&'-') => {
                while rest.next_if(|&c| c != '\n').is_some() {}
                continue;
            }
            None => {}
        }
        if !c.is_whitespace() {
            last = c;
        }
    }
    quote.is_none() && last == ';'
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    #[test]
    fn a_statement_is_complete_at_its_semicolon() {
        for (input, complete) in [
            ("SELECT 1;", true),
            ("SELECT 1", false),
            ("SELECT ';'", false),
            ("SELECT ';';", true),
            ("SELECT 1; -- done", true),
            ("SELECT 1 -- ;", false),
            ("SELECT \"a;\n", false),
            ("\\dt", true),
            ("quit", true),
            ("", true),
        ] {
            assert_eq!(is_complete(input), complete, "{input}");
        }
    }

    #[test]
    fn a_word_becomes_tables_columns_and_keywords() {
        let schema = Arc::new(Schema::new(vec![Field::new("rep_id", DataType::Utf8, false)]));
        let tables =
            BTreeMap::from([("mart.quota".to_owned(), Arc::clone(&schema)), ("crm.rep".to_owned(), schema)]);
        let assistant = Assistant::new(&tables);
        let check = |line: &str, begin: usize, expected: &[&str]| {
            assert_eq!(
                assistant.candidates(line, line.len()),
                (begin, expected.iter().map(|&word| word.to_owned()).collect())
            );
        };
        check("SELECT re", 7, &["rep_id"]);
        check("select * fr", 9, &["from"]);
        check("SELECT * FROM qu", 14, &["quota"]);
        check("SELECT * FROM mart.q", 14, &["mart.quota"]);
        check("SELECT * FROM cr", 14, &["crm.", "crm.rep", "cross"]);
        check("SELECT 数量 FR", 14, &["FROM"]);
        check("SELECT ", 7, &[]);
    }
}
