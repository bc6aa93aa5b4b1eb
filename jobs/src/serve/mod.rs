//! The HTTP API: what the lake has published, for the CRM.
//!
//! ```text
//! lake ── watch ──► shelf: the newest day in memory, swapped whole ──► routes ──► guard ──► client
//!                     │ older days and changes are read when they are asked for
//!                     └ news ──► event streams
//! ```
//!
//! Invariant: a request about the newest day never touches the lake. Invariant: cursors mean the same to every server
//! of a lake, and after a restart, because nothing is remembered outside the lake.

mod adjustment;
mod again;
mod answer;
mod audit;
mod board;
mod changes;
mod cursor;
mod day;
mod document;
mod given;
mod guard;
pub(crate) mod key_file;
mod keys;
mod listen;
pub(crate) mod live;
mod meter;
mod problem;
mod routes;
mod said;
mod sheet;
mod shelf;
pub(crate) mod webhook;

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use engine::EngineError;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use self::again::Again;
use self::audit::Audit;
use self::changes::Feed;
use self::keys::KeyRing;
use self::listen::Door;
use self::live::LiveBoard;
use self::meter::Meter;
use self::shelf::Shelf;
use self::webhook::Subscriber;
use crate::config::Serve;
use crate::context::Context;
use crate::tls::Tls;

/// Seconds that requests under way have to end when the server stops.
const LAST_SECONDS: u64 = 10;

/// What every request is answered from.
#[derive(Debug, Clone)]
pub(crate) struct App(Arc<Parts>);

/// See [`App`].
#[derive(Debug)]
pub(crate) struct Parts {
    shelf: Shelf,
    feed: Feed,
    keys: KeyRing,
    audit: Option<Audit>,
    meter: Meter,
    limits: Serve,
    subscribers: Vec<Arc<Subscriber>>,
    /// The newest published day, computed again.
    again: Again,
    /// Held by whoever adds to a request, so that two of this server don't get in each other's way.
    desk: Semaphore,
    /// Quotas of the running day, where a topic is followed.
    live: LiveBoard,
    /// None where clear text is spoken.
    tls: Option<Tls>,
    /// Counts publications that were noticed.
    news: watch::Sender<u64>,
    stopping: watch::Receiver<bool>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// A server that listens, and hasn't answered yet.
#[derive(Debug)]
pub(crate) struct Server {
    app: App,
    door: Door,
    address: SocketAddr,
}

impl Server {
    /// Where it listens, as clients write it.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.app.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Where whoever follows the topic tells of quotas, so that they are answered from then on.
    pub(crate) fn live(&self) -> LiveBoard {
        self.app.live.clone()
    }

    /// Reads what is published, and listens.
    ///
    /// # Errors
    /// [`EngineError::Input`] for an address that others could reach while there are no keys, for a file of keys, an
    /// audit log or a webhook's secret that can't be used; where the address is taken; where the lake can't be read.
    pub(crate) async fn open(
        address: SocketAddr,
        context: &Context,
        stopping: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let limits = context.config.serve.clone();
        let keys = KeyRing::open(&limits.keys, limits.requests_per_second)?;
        if !keys.is_asked_for() && !address.ip().is_loopback() {
            let message = format!(
                "--http {address}: others could reach it, and there are no keys; name a file of keys as serve.keys \
                 in the configuration and make one with `tideline key add NAME`, or use a loopback address such as \
                 127.0.0.1:8080"
            );
            return Err(EngineError::Input(message).into());
        }
        let tls = limits.tls.open()?;
        let subscribers = webhook::open(&limits.webhook)?;
        let shelf = Shelf::new(context.lake()?);
        shelf.refresh().await?;
        let audit = Audit::open(&limits.audit)?;
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("listening on {address} for HTTP"))?;
        let address = listener.local_addr().context("asking for the address")?;
        let idle = Duration::from_secs_f64(limits.idle_seconds);
        let door = Door::new(listener, limits.connections_max, idle, tls.as_ref().map(Tls::acceptor));
        let (news, _) = watch::channel(0);
        let (feed, meter) = (Feed::default(), Meter::default());
        let (again, desk) = (Again::new(context, limits.whatif_at_once), Semaphore::new(1));
        let app = App(Arc::new(Parts {
            shelf,
            feed,
            keys,
            audit,
            meter,
            limits,
            subscribers,
            again,
            desk,
            live: LiveBoard::default(),
            tls,
            news,
            stopping,
        }));
        Ok(Self { app, door, address })
    }

    /// Answers until told to stop; requests under way are ended, streams are closed.
    ///
    /// # Errors
    /// Where listening fails.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let watching = tokio::spawn(watch(self.app.clone()));
        for subscriber in &self.app.subscribers {
            tokio::spawn(webhook::serve(self.app.clone(), Arc::clone(subscriber)));
        }
        let mut stopping = self.app.stopping.clone();
        let mut told = stopping.clone();
        let router = guard::around(routes::router(), &self.app).with_state(self.app);
        let serving = axum::serve(self.door, router).with_graceful_shutdown(async move {
            // The sender is gone where nobody can stop the server any more.
            drop(told.wait_for(|stop| *stop).await);
        });
        let late = async move {
            drop(stopping.wait_for(|stop| *stop).await);
            tokio::time::sleep(Duration::from_secs(LAST_SECONDS)).await;
        };
        let ended = tokio::select! {
            ended = serving => ended.context("serving HTTP"),
            () = late => Ok(()),
        };
        watching.abort();
        ended
    }
}

/// Looks for new publications and changed keys, again and again.
async fn watch(app: App) {
    let pause = Duration::from_secs_f64(app.limits.poll_seconds);
    let mut complained = (false, false, false);
    loop {
        tokio::time::sleep(pause).await;
        match app.shelf.refresh().await {
            Ok(true) => {
                complained.0 = false;
                app.meter.published();
                app.news.send_modify(|count| *count += 1);
            }
            Ok(false) => complained.0 = false,
            Err(error) if !complained.0 => {
                complained.0 = true;
                tracing::error!("looking for new publications: {error:#}; the last known ones are served");
            }
            Err(_) => {}
        }
        app.again.tidy(app.shelf.board().ok().as_ref().map(|board| &board.day.run));
        match app.keys.refresh() {
            Ok(()) => complained.1 = false,
            Err(error) if !complained.1 => {
                complained.1 = true;
                tracing::error!("{error}; the keys known before stay in force");
            }
            Err(_) => {}
        }
        match app.tls.as_ref().map_or(Ok(false), Tls::refresh) {
            Ok(changed) => {
                complained.2 = false;
                if changed {
                    tracing::info!("another certificate is shown from now on");
                }
            }
            Err(error) if !complained.2 => {
                complained.2 = true;
                tracing::error!("{error}; the certificate shown before stays");
            }
            Err(_) => {}
        }
    }
}
