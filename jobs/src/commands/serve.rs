//! `tideline serve`: what is published, over HTTP, until stopped.

use tokio::sync::watch;

use crate::cli::ServeArgs;
use crate::context::Context;
use crate::output;
use crate::serve::Server;
use crate::signal::stopped;

pub(crate) async fn run(args: &ServeArgs, context: &Context) -> anyhow::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let server = Server::open(args.http, context, stopping).await?;
    output::print(&format!("listening on http://{}", server.address))?;
    let listening = tokio::spawn(async move {
        stopped().await;
        stop.send_replace(true);
        output::note("stopping: requests under way are answered; once more to stop at once");
        stopped().await;
        std::process::exit(0);
    });
    let ended = server.run().await;
    listening.abort();
    ended
}
