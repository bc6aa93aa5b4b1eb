//! `tideline serve`: what is published over HTTP and over the PostgreSQL wire, the quotas of the running day along a
//! topic, or several of these.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::cli::ServeArgs;
use crate::context::Context;
use crate::output;
use crate::pg;
use crate::serve::Server;
use crate::signal::on_stop;

pub(crate) async fn run(args: &ServeArgs, context: &Context) -> anyhow::Result<()> {
    let (tell, told) = watch::channel(false);
    let stop = Arc::new(AtomicBool::new(false));
    let end = {
        let stop = Arc::clone(&stop);
        move || {
            stop.store(true, Ordering::Relaxed);
            tell.send_replace(true);
        }
    };
    let server = match args.http {
        Some(address) => Some(Server::open(address, context, told.clone()).await?),
        None => None,
    };
    let analysts = match args.pg {
        Some(address) => Some(pg::Server::open(address, context, told).await?),
        None => None,
    };
    let board = server.as_ref().map(Server::live);
    if let Some(server) = &server {
        output::print(&format!("listening on {}", server.url()))?;
    }
    if let Some(analysts) = &analysts {
        output::print(&format!("listening on postgresql://{}/{}", analysts.address, sql::CATALOG))?;
    }
    let listening = on_stop("stopping: what is under way is ended; once more to stop at once", end.clone());
    let answering = async {
        match server {
            Some(server) => server.run().await.inspect_err(|_| end()),
            None => Ok(()),
        }
    };
    let querying = async {
        match analysts {
            Some(analysts) => analysts.run().await.inspect_err(|_| end()),
            None => Ok(()),
        }
    };
    let following = async {
        match &args.kafka {
            Some(brokers) => {
                super::live::run(brokers, args, (&stop, board), context).await.inspect_err(|_| end())
            }
            None => Ok(()),
        }
    };
    let (answered, queried, followed) = tokio::join!(answering, querying, following);
    listening.abort();
    answered.and(queried).and(followed)
}
