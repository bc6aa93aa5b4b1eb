//! `tideline sql`: statements from the command line, a file or a prompt, answered in the form asked for.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::time::Instant;

use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use engine::EngineError;
use futures::StreamExt as _;
use sql::{Format, SqlError, Style, Writer, Written};

use super::prompt;
use crate::cli::{AnswerFormat, SqlArgs};
use crate::context::Context;
use crate::output::{self, AtomicFile};
use crate::report::words::count;

/// Rows of an answer shown on a terminal.
const TERMINAL_ROWS_MAX: usize = 1_000;

pub(crate) async fn run(args: SqlArgs, context: &Context) -> anyhow::Result<()> {
    let text = text(&args)?;
    let lake = context.lake()?;
    let session = sql::session(&lake, &context.catalogue()?, &context.settings()).await?;
    let format = format(args.format);
    let Some(text) = text else {
        if args.to.is_some() {
            return Err(EngineError::Input("--to needs a query: give one with -c or -f".to_owned()).into());
        }
        return prompt::run(&session, format, context).await;
    };
    let statements = sql::statements(&text)?;
    let one_answer = !matches!(format, Format::Table | Format::Csv | Format::Ndjson);
    if statements.is_empty() || (statements.len() > 1 && (one_answer || args.to.is_some())) {
        let message =
            format!("{} statements were given, and one is needed for this format or file", statements.len());
        return Err(EngineError::Input(message).into());
    }
    let Some(to) = &args.to else {
        for statement in statements {
            let style = style();
            let (written, _) = answer(&session, statement, format, style, output::stdout()).await?;
            tell(written, format, None, context.quiet);
        }
        return Ok(());
    };
    let format = file_format(to, args.format)?;
    for statement in statements {
        let file = AtomicFile::create(to)?;
        let (written, file) = answer(&session, statement, format, Style::default(), file).await?;
        file.publish()?;
        tell(written, format, None, context.quiet);
    }
    Ok(())
}

/// The statements given, if any: from -c, from -f, or from a pipe.
fn text(args: &SqlArgs) -> anyhow::Result<Option<String>> {
    let standard_input = || -> anyhow::Result<Option<String>> {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        Ok(Some(text))
    };
    match (&args.command, &args.file) {
        (Some(text), _) => Ok(Some(text.clone())),
        (None, Some(path)) if path == Path::new("-") => standard_input(),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) => {
                Err(EngineError::Input(format!("the query {} can't be read: {error}", path.display())).into())
            }
        },
        (None, None) if std::io::stdin().is_terminal() => Ok(None),
        (None, None) => standard_input(),
    }
}

pub(super) fn format(asked: AnswerFormat) -> Format {
    match asked {
        AnswerFormat::Table => Format::Table,
        AnswerFormat::Csv => Format::Csv,
        AnswerFormat::Json => Format::Json,
        AnswerFormat::Ndjson => Format::Ndjson,
        AnswerFormat::Arrow => Format::Arrow,
        AnswerFormat::Parquet => Format::Parquet,
    }
}

/// The format of a file: what was asked for, else what its ending says.
pub(super) fn file_format(to: &Path, asked: AnswerFormat) -> Result<Format, EngineError> {
    if asked == AnswerFormat::Arrow {
        return Ok(Format::ArrowFile);
    }
    if asked != AnswerFormat::Table {
        return Ok(format(asked));
    }
    let ending = to.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending {
        "txt" => Ok(Format::Table),
        _ => Format::of_ending(ending).ok_or_else(|| {
            EngineError::Input(format!(
                "the ending of {} says no format; name one with --format",
                to.display()
            ))
        }),
    }
}

/// Long answers are cut on a terminal, never in a pipe.
pub(super) fn style() -> Style {
    Style { rows_max: std::io::stdout().is_terminal().then_some(TERMINAL_ROWS_MAX) }
}

/// Computes a statement and writes its answer.
pub(super) async fn answer<W: Write + Send>(
    session: &SessionContext,
    statement: Statement,
    format: Format,
    style: Style,
    out: W,
) -> Result<(Written, W), SqlError> {
    let compute = |error| SqlError::Compute(Box::new(error));
    let mut stream = sql::plan(session, statement).await?.execute_stream().await.map_err(compute)?;
    let mut writer = Writer::new(out, &stream.schema(), format, style)?;
    while let Some(batch) = stream.next().await {
        if !writer.write(&batch.map_err(compute)?)? {
            break;
        }
    }
    let (mut out, written) = writer.finish()?;
    out.flush().map_err(SqlError::Write)?;
    Ok((written, out))
}

/// Says how many rows there were; for a person only.
pub(super) fn tell(written: Written, format: Format, started: Option<Instant>, quiet: bool) {
    if quiet || format != Format::Table {
        return;
    }
    let rows = count(u64::try_from(written.rows).unwrap_or(u64::MAX));
    let mut text = match written.rows {
        1 => "1 row".to_owned(),
        _ if written.cut => format!("the first {rows} rows; add LIMIT, or write all of them with --to FILE"),
        _ => format!("{rows} rows"),
    };
    if let Some(started) = started {
        let line = format!(" in {:.3} s", started.elapsed().as_secs_f64());
        text.push_str(&line);
    }
    output::note(&format!("({text})"));
}
