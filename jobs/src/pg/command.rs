//! What a statement is for the connection: a query for the planner, or a word about the connection itself.
//!
//! Judged on the syntax tree. What isn't listed here goes to the planner, which takes nothing but queries.

use datafusion::sql::parser::{ResetStatement, Statement};
use datafusion::sql::sqlparser::ast::{self, CloseCursor, DiscardObject, Expr, Set, Value};

use super::failure::Failure;
use super::settings::Settings;

/// A statement, as the connection takes it.
#[derive(Debug, Clone)]
pub(super) enum Command {
    /// For the planner; the word is told when it is done.
    Query(Box<Statement>, &'static str),
    /// `BEGIN`, `COMMIT`, `ROLLBACK`.
    Begin,
    Commit,
    Rollback,
    /// `ROLLBACK TO`: nothing is written, so there is nothing to undo but the failure.
    RollbackTo,
    /// What has no effect here, with the word that is told.
    Nothing(&'static str),
    Set(String, String),
    /// One setting, or all.
    Reset(Option<String>),
    /// Everything that the connection has.
    Discard,
    /// One prepared statement, or all.
    Deallocate(Option<String>),
    /// One portal, or all.
    Close(Option<String>),
}

/// Takes a statement.
///
/// # Errors
/// 25006 for what would write, 42704 for a setting that isn't known.
pub(super) fn command(statement: Statement, settings: &Settings) -> Result<Command, Failure> {
    let inner = match statement {
        Statement::Reset(ResetStatement::Variable(name)) => {
            let name = name.to_string();
            return Ok(Command::Reset((!name.eq_ignore_ascii_case("all")).then_some(name)));
        }
        explain @ Statement::Explain(_) => return Ok(Command::Query(Box::new(explain), "EXPLAIN")),
        Statement::Statement(inner) => inner,
        other => return Ok(Command::Query(Box::new(other), "SELECT")),
    };
    match *inner {
        // One that may write is one that reads, until it tries.
        ast::Statement::StartTransaction { .. } => Ok(Command::Begin),
        ast::Statement::Commit { .. } => Ok(Command::Commit),
        ast::Statement::Rollback { savepoint: None, .. } => Ok(Command::Rollback),
        ast::Statement::Rollback { .. } => Ok(Command::RollbackTo),
        ast::Statement::Savepoint { .. } => Ok(Command::Nothing("SAVEPOINT")),
        ast::Statement::ReleaseSavepoint { .. } => Ok(Command::Nothing("RELEASE")),
        ast::Statement::UNLISTEN { .. } => Ok(Command::Nothing("UNLISTEN")),
        ast::Statement::Set(set) => set_of(set),
        ast::Statement::Reset(reset) => Ok(Command::Reset(match reset.reset {
            ast::Reset::ALL => None,
            ast::Reset::ConfigurationParameter(name) => Some(name.to_string()),
        })),
        ast::Statement::Discard { object_type: DiscardObject::ALL } => Ok(Command::Discard),
        ast::Statement::Discard { .. } => Ok(Command::Nothing("DISCARD")),
        ast::Statement::Deallocate { name, .. } => {
            let all = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all");
            Ok(Command::Deallocate((!all).then_some(name.value)))
        }
        ast::Statement::Close { cursor: CloseCursor::All } => Ok(Command::Close(None)),
        ast::Statement::Close { cursor: CloseCursor::Specific { name } } => {
            Ok(Command::Close(Some(name.value)))
        }
        ast::Statement::ShowVariable { variable } => {
            let words: Vec<&str> = variable.iter().map(|word| word.value.as_str()).collect();
            shown(&words, settings)
        }
        other => Ok(Command::Query(Box::new(Statement::Statement(Box::new(other))), "SELECT")),
    }
}

fn set_of(set: Set) -> Result<Command, Failure> {
    match set {
        Set::SingleAssignment { variable, values, .. } => {
            let name = variable.to_string().to_lowercase();
            let value: Vec<String> = values.iter().map(word).collect();
            match value.as_slice() {
                [default] if default.eq_ignore_ascii_case("default") => Ok(Command::Reset(Some(name))),
                _ => Ok(Command::Set(name, value.join(", "))),
            }
        }
        Set::SetTimeZone { value, .. } => Ok(Command::Set("timezone".to_owned(), word(&value))),
        Set::SetNames { charset_name, .. } => {
            Ok(Command::Set("client_encoding".to_owned(), charset_name.value))
        }
        Set::SetNamesDefault {} => Ok(Command::Reset(Some("client_encoding".to_owned()))),
        Set::SetTransaction { .. } => Ok(Command::Nothing("SET")),
        other => Err(Failure::new("0A000", format!("{other} isn't known here"))),
    }
}

/// The value of a setting as it was written, without its quotes.
fn word(expr: &Expr) -> String {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
            other => other.to_string(),
        },
        Expr::Identifier(name) => name.value.clone(),
        other => other.to_string(),
    }
}

/// `SHOW name` as a query of its value.
fn shown(words: &[&str], settings: &Settings) -> Result<Command, Failure> {
    let name = words.join(" ").to_lowercase();
    let name = match name.as_str() {
        "transaction isolation level" => "transaction_isolation",
        "time zone" => "timezone",
        "session authorization" => "session_authorization",
        other => other,
    };
    let quoted = |text: &str| text.replace('\'', "''");
    let text = if name == "all" {
        let mut rows = String::new();
        for (place, (name, value)) in settings.all().iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let row = format!("{comma}('{}', '{}')", quoted(name), quoted(value));
            rows.push_str(&row);
        }
        format!("SELECT * FROM (VALUES {rows}) AS settings (name, setting)")
    } else {
        format!("SELECT '{}' AS \"{}\"", quoted(settings.get(name)?), name.replace('"', "\"\""))
    };
    let mut parsed = sql::statements(&text)?;
    let statement = parsed.pop().ok_or_else(|| Failure::new("XX000", "SHOW became nothing"))?;
    Ok(Command::Query(Box::new(statement), "SHOW"))
}
