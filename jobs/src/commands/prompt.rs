//! The prompt of `tideline sql`: history, completion, several lines until a semicolon, and a few words of its own.

mod complete;

use std::path::PathBuf;
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use datafusion::prelude::SessionContext;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use sql::Format;
use std::collections::BTreeMap;

use self::complete::Assistant;
use super::sql::{answer, style, tell};
use crate::config::nearest;
use crate::context::Context;
use crate::output;

/// Lines of history kept.
const HISTORY_LINES_MAX: usize = 5_000;

const HELP: &str = "\
Statements end with a semicolon and may take several lines; Tab completes, Ctrl-C drops the line, Ctrl-D leaves.
  \\dt          all tables          \\d TABLE   the columns of a table
  \\d           the same as \\dt     \\q         leave
Names without a schema are marts: quota is mart.quota. Some to begin with:
  SELECT * FROM quota ORDER BY quota DESC LIMIT 10;
  SELECT * FROM quota_explanation WHERE rep_id = '…' AND kind = 'level' ORDER BY position;
  SELECT color, count(*) FROM customer_health WHERE as_of = (SELECT max(as_of) FROM quota) GROUP BY color;";

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    Nothing,
    Quit,
    Help,
    Tables,
    Columns(&'a str),
    Unknown(&'a str),
    Statements(&'a str),
}

fn read(line: &str) -> Line<'_> {
    let line = line.trim();
    let bare = line.trim_end_matches(';').trim_end();
    match bare.split_once(char::is_whitespace).map_or((bare, ""), |(word, rest)| (word, rest.trim())) {
        ("", _) => Line::Nothing,
        ("\\q" | "quit" | "exit", "") => Line::Quit,
        ("\\h" | "\\?" | "help", "") => Line::Help,
        ("\\dt" | "\\d", "") => Line::Tables,
        ("\\d", table) => Line::Columns(table),
        (word, _) if word.starts_with('\\') => Line::Unknown(word),
        _ => Line::Statements(line),
    }
}

/// Asks and answers until the user leaves. An error ends the statement, not the prompt.
pub(super) async fn run(session: &SessionContext, format: Format, context: &Context) -> anyhow::Result<()> {
    let tables = ::sql::columns(session).await;
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY_LINES_MAX)?
        .history_ignore_space(true)
        .auto_add_history(true)
        .build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(Assistant::new(&tables)));
    let history = history_file();
    if let Some(path) = &history
        && path.exists()
        && let Err(error) = editor.load_history(path)
    {
        tracing::debug!(%error, "history can't be read");
    }
    output::note(&format!("tideline {} on {}; \\h for help", env!("CARGO_PKG_VERSION"), context.config.lake));
    loop {
        let line = match editor.readline("tideline> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        };
        match read(&line) {
            Line::Nothing => {}
            Line::Quit => break,
            Line::Help => output::print(HELP)?,
            Line::Tables => output::print(&list(&tables))?,
            Line::Columns(table) => output::print(&describe(&tables, table))?,
            Line::Unknown(word) => output::note(&format!("there is no {word}; \\h lists what there is")),
            Line::Statements(text) => statements(session, text, format).await?,
        }
    }
    if let Some(path) = &history
        && let Err(error) = keep_history(&mut editor, path)
    {
        tracing::debug!(%error, "history can't be kept");
    }
    Ok(())
}

async fn statements(session: &SessionContext, text: &str, format: Format) -> anyhow::Result<()> {
    let statements = match ::sql::statements(text) {
        Ok(statements) => statements,
        Err(error) => {
            output::error(&error.into());
            return Ok(());
        }
    };
    for statement in statements {
        let started = Instant::now();
        // Ctrl-C drops the statement; the prompt stays.
        let done = tokio::select! {
            done = answer(session, statement, format, style(), output::stdout()) => done,
            _ = tokio::signal::ctrl_c() => {
                output::note("cancelled");
                return Ok(());
            }
        };
        match done {
            Ok((written, _)) => tell(written, format, Some(started), false),
            Err(error) if output::is_stdout_closed() => return Err(error.into()),
            Err(error) => {
                output::error(&error.into());
                return Ok(());
            }
        }
    }
    Ok(())
}

fn list(tables: &BTreeMap<String, SchemaRef>) -> String {
    let shown = tables.keys().filter(|name| !name.starts_with("information_schema"));
    shown.cloned().collect::<Vec<_>>().join("\n")
}

fn describe(tables: &BTreeMap<String, SchemaRef>, name: &str) -> String {
    let name = name.to_lowercase();
    let full = if name.contains('.') { name } else { format!("mart.{name}") };
    let Some(schema) = tables.get(&full) else {
        let near = nearest(&full, tables.keys().map(String::as_str));
        return match near {
            Some(near) => format!("there is no table {full}; did you mean {near}?"),
            None => format!("there is no table {full}; \\dt lists them"),
        };
    };
    let widest = schema.fields().iter().map(|field| field.name().len()).max().unwrap_or(0);
    let lines = schema.fields().iter().map(|field| {
        let null = if field.is_nullable() { "" } else { "  never null" };
        format!("  {:widest$}  {}{null}", field.name(), field.data_type())
    });
    std::iter::once(full.clone()).chain(lines).collect::<Vec<_>>().join("\n")
}

/// The user's own: `$XDG_DATA_HOME/tideline/history`, or the same under `~/.local/share`.
fn history_file() -> Option<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))?;
    Some(data.join("tideline").join("history"))
}

fn keep_history(editor: &mut Editor<Assistant, FileHistory>, path: &std::path::Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(editor.append_history(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_word_of_the_prompt_or_statements() {
        for (line, expected) in [
            ("  ", Line::Nothing),
            (" ; ", Line::Nothing),
            ("\\q", Line::Quit),
            ("quit;", Line::Quit),
            ("\\d", Line::Tables),
            ("\\d mart.quota;", Line::Columns("mart.quota")),
            ("\\x", Line::Unknown("\\x")),
            ("SELECT 1;", Line::Statements("SELECT 1;")),
            ("help me", Line::Statements("help me")),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }
}
