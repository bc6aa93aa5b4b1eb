//! The PostgreSQL wire: the session of `tideline sql` for the tools that analysts have already.
//!
//! ```text
//! client ── greet: TLS, SCRAM ──► session: simple and extended protocol ── work: threads of its own ──► sql::Sessions
//!                                   └ rows: batches as text or binary        └ one snapshot of the lake, renewed
//! ```
//!
//! Invariant: every statement becomes a plan that `sql::plan_for` has accepted, or one of the words in `command.rs`;
//! nothing else reaches DataFusion. Invariant: nothing of a statement runs on the threads of HTTP or of the running day.

mod auth;
mod cancel;
mod command;
mod extended;
mod failure;
mod greet;
mod parameter;
mod rows;
mod session;
mod settings;
mod wire;
mod work;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use engine::EngineError;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::auth::Account;
use self::cancel::Cancels;
use self::failure::Failure;
use self::greet::greet;
use self::session::Session;
use self::wire::{Broken, Wire};
use self::work::Work;
use crate::context::Context;
use crate::tls::Tls;

/// Seconds that statements under way have to end when the server stops.
const LAST_SECONDS: u64 = 10;
/// Seconds that a client has to say who it is.
const GREETING_SECONDS: u64 = 30;
/// Connections beyond the limit that are greeted at a time, to be told so or to cancel something.
const GUESTS_MAX: usize = 32;
/// Seconds that a client may take nothing of what it is sent.
const PATIENCE_SECONDS: u64 = 60;
/// Pause before somebody with a wrong password is told, and after the system refused a connection.
const REFUSED_PAUSE: Duration = Duration::from_millis(500);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    account: Option<Account>,
    tls: Option<Tls>,
    cancels: Arc<Cancels>,
    work: Work,
    idle: Duration,
    patience: Duration,
    stopping: watch::Receiver<bool>,
}

/// A server that listens, and hasn't answered yet.
#[derive(Debug)]
pub(crate) struct Server {
    shared: Arc<Shared>,
    listener: TcpListener,
    connections_max: usize,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Reads the settings, and listens.
    ///
    /// # Errors
    /// [`EngineError::Input`] for an address that others could reach while there is no user, for a password, a
    /// certificate or a folder that can't be used; where the address is taken; where there is no lake.
    pub(crate) async fn open(
        address: SocketAddr,
        context: &Context,
        stopping: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let settings = &context.config.serve.pg;
        let account = Account::open(settings)?;
        if account.is_none() && !address.ip().is_loopback() {
            let message = format!(
                "--pg {address}: others could reach it, and there is no user; name one as serve.pg.user in the \
                 configuration, with the place of the password as serve.pg.password = \"file:PATH\", or use a \
                 loopback address such as 127.0.0.1:5432"
            );
            return Err(EngineError::Input(message).into());
        }
        let tls = if settings.certificate.as_os_str().is_empty() {
            None
        } else {
            Some(Tls::open("serve.pg", &settings.certificate, &settings.key, &[])?)
        };
        let work = Work::open(settings, context)?;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("listening on {address} for the PostgreSQL wire"))?;
        let address = listener.local_addr().context("asking for the address")?;
        let shared = Shared {
            account,
            tls,
            cancels: Arc::default(),
            work,
            idle: Duration::from_secs_f64(settings.idle_seconds),
            patience: Duration::from_secs(PATIENCE_SECONDS),
            stopping,
        };
        Ok(Self { shared: Arc::new(shared), listener, connections_max: settings.connections_max, address })
    }

    /// Answers until told to stop; statements under way are ended.
    ///
    /// # Errors
    /// None so far.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let places = Arc::new(Semaphore::new(self.connections_max));
        // Who has no place is greeted too, to be told so and because requests to cancel need none; but only so many at a
        // time, as each holds a file of the process that HTTP and the lake need as well.
        let guests = Arc::new(Semaphore::new(self.connections_max.saturating_add(GUESTS_MAX)));
        let mut stopping = self.shared.stopping.clone();
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
                _ = stopping.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, address)) => {
                    // Small answers shouldn't wait for more.
                    drop(stream.set_nodelay(true));
                    let Ok(guest) = Arc::clone(&guests).try_acquire_owned() else { continue };
                    let place = Arc::clone(&places).try_acquire_owned().ok();
                    let connection = connection(stream, address, place, Arc::clone(&self.shared));
                    connections.spawn(async move {
                        let _guest = guest;
                        connection.await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection");
                    tokio::time::sleep(REFUSED_PAUSE).await;
                }
            }
        }
        let ending = async { while connections.join_next().await.is_some() {} };
        drop(timeout(Duration::from_secs(LAST_SECONDS), ending).await);
        Ok(())
    }
}

/// One connection, from the first byte to the last.
async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    place: Option<OwnedSemaphorePermit>,
    shared: Arc<Shared>,
) {
    let greeted =
        timeout(Duration::from_secs(GREETING_SECONDS), greet(stream, &shared, place.is_some())).await;
    match greeted {
        Err(_) | Ok(Ok(None) | Err((Broken::Gone, _) | (_, None))) => {}
        Ok(Ok(Some(guest))) => {
            tracing::info!(user = guest.user, %address, "an analyst connected");
            Session::new(&shared, guest).run().await;
        }
        Ok(Err((Broken::Told(failure), Some(wire)))) => refuse(wire, failure, address).await,
    }
}

async fn refuse(mut wire: Wire, failure: Failure, address: SocketAddr) {
    tracing::warn!(%address, code = failure.code, "a connection was refused");
    if failure.code == "28P01" {
        tokio::time::sleep(REFUSED_PAUSE).await;
    }
    drop(wire.send(session::error(failure)).await);
    wire.close().await;
}
