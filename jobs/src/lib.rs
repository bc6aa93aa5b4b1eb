//! The library behind the `tideline` command: configuration, subcommands and the wiring of the other crates.
//!
//! Start at [`main`]; every subcommand is one file under `commands`, taking its arguments and the [`Context`].

pub mod cli;
pub mod config;
pub mod customer_model;
pub mod import;
pub mod index_model;
pub mod lead_model;
pub mod predictor;
pub mod win_model;

mod cause;
mod commands;
mod context;
mod log;
mod model_file;
mod negotiate;
mod output;
mod panel_file;
mod past;
mod pg;
mod progress;
mod report;
mod scenario;
mod schedule;
mod scorers;
mod serve;
mod signal;
mod table_file;
mod tls;
mod trace;
mod train;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use engine::EngineError;
use tracing::Instrument as _;

pub use context::Context;

use trace::Traces;

/// Exit status where the user's input or configuration is wrong.
const WRONG_INPUT: u8 = 1;
/// Exit status of every other failure.
const FAILED: u8 = 2;
/// Exit status where running the same command again may help (`EX_TEMPFAIL`).
pub(crate) const TRY_AGAIN: u8 = 75;
/// Stack of each thread: plans of long queries are deep.
const STACK_BYTES: usize = 16 << 20;

/// The program: arguments in, exit status out.
pub fn main() -> ExitCode {
    run(std::env::args_os(), &config::variables())
}

fn run(arguments: impl IntoIterator<Item = OsString>, variables: &[(String, String)]) -> ExitCode {
    let cli = match cli::Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let wrong = error.use_stderr();
            // Nobody is left to tell where the terminal itself is gone.
            drop(error.print());
            return if wrong { ExitCode::from(WRONG_INPUT) } else { ExitCode::SUCCESS };
        }
    };
    match execute(cli, variables) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if output::is_stdout_closed() => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::from(status(&error))
        }
    }
}

fn execute(cli: cli::Cli, variables: &[(String, String)]) -> anyhow::Result<()> {
    let config = config::Config::load(cli.global.config.as_deref(), variables)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build()?;
    let traces = Traces::start(&config.trace, runtime.handle())?;
    log::start(&cli.global, config.log, traces.as_ref());
    let context = Context::new(config, &cli.global)?;
    // The stack of the process's first thread can't be chosen.
    let thread =
        std::thread::Builder::new().name("tideline".to_owned()).stack_size(STACK_BYTES).spawn(move || {
            let span = tracing::info_span!(target: trace::TARGET, "command", otel.name = cli.command.name());
            let ended = runtime.block_on(commands::run(cli.command, &context).instrument(span));
            // The last spans are sent while there is a runtime.
            drop(traces);
            ended
        })?;
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The exit status that an error stands for: what its chain says first.
fn status(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<EngineError>() {
            if error.is_retryable() {
                return TRY_AGAIN;
            }
            return if error.is_input() { WRONG_INPUT } else { FAILED };
        }
        let wrong_query = cause.downcast_ref::<sql::SqlError>().is_some_and(sql::SqlError::is_input);
        let wrong_catalogue = cause.is::<engine::catalogue::CatalogueError>();
        let wrong_import = cause.is::<import::BadInput>();
        let wrong_scale = matches!(
            cause.downcast_ref::<data_samples::GenerateError>(),
            Some(data_samples::GenerateError::Scale { .. } | data_samples::GenerateError::OutputInUse { .. })
        );
        if wrong_query || wrong_catalogue || wrong_import || wrong_scale {
            return WRONG_INPUT;
        }
    }
    FAILED
}
