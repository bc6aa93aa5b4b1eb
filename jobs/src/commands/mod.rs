//! The subcommands, one file each.

mod adjust;
mod backtest;
mod backtest_leads;
mod daily;
mod demo;
mod doctor;
mod explain;
mod export;
mod generate;
mod import;
mod ingest;
mod kafka;
mod key;
mod live;
mod maintain;
mod metrics;
mod model;
mod play;
mod prompt;
mod replay;
mod rules;
mod schedule;
mod serve;
mod sql;
mod status;
mod suggest;
mod train;
mod verify;
mod whatif;

use crate::cli::{BacktestCommand, Command, LakeCommand, ModelCommand};
use crate::context::Context;

/// Runs a subcommand.
///
/// # Errors
/// Whatever went wrong; `main` decides on the exit status.
pub(crate) async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Demo(args) => Box::pin(demo::run(args, context)).await,
        Command::Generate(args) => Box::pin(generate::run(args, context)).await,
        Command::Ingest(args) => Box::pin(ingest::run(args, context)).await,
        Command::Import(args) => Box::pin(import::run(args, context)).await,
        Command::Daily(args) => Box::pin(daily::run(args, context)).await,
        Command::Backtest(BacktestCommand::Quota(args)) => backtest::quota(&args, context).await,
        Command::Backtest(BacktestCommand::Leads(args)) => {
            Box::pin(backtest_leads::run(&args, context)).await
        }
        Command::Explain(args) => Box::pin(explain::run(args, context)).await,
        Command::Sql(args) => Box::pin(sql::run(args, context)).await,
        Command::Export(args) => Box::pin(export::run(args, context)).await,
        Command::Train(args) => Box::pin(train::run(args, context)).await,
        Command::Model(ModelCommand::List) => Box::pin(model::lake::list(context)).await,
        Command::Model(ModelCommand::Show(args)) => Box::pin(model::lake::show(&args.id, context)).await,
        Command::Model(ModelCommand::Promote(args)) => {
            Box::pin(model::lake::promote(&args.id, context)).await
        }
        Command::Model(ModelCommand::Rollback(args)) => {
            Box::pin(model::lake::rollback(&args.of, context)).await
        }
        Command::Model(ModelCommand::Fit(args)) => model::fit::run(&args),
        Command::Model(ModelCommand::Score(args)) => model::score::run(&args),
        Command::Rules(command) => Box::pin(rules::run(command, context)).await,
        Command::Adjust(command) => Box::pin(adjust::run(command, context)).await,
        Command::Whatif(args) => Box::pin(whatif::run(args, context)).await,
        Command::Replay(args) => Box::pin(replay::run(args, context)).await,
        Command::Schedule(args) => Box::pin(schedule::run(args, context)).await,
        Command::Serve(args) => Box::pin(serve::run(&args, context)).await,
        Command::Key(command) => key::run(command, context),
        Command::Lake(LakeCommand::Maintain(args)) => Box::pin(maintain::run(args, context)).await,
        Command::Lake(LakeCommand::Status(args)) => Box::pin(status::run(args, context)).await,
        Command::Lake(LakeCommand::Verify) => Box::pin(verify::run(context)).await,
        Command::Doctor => Box::pin(doctor::run(context)).await,
    }
}
