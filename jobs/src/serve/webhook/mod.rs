//! Webhooks: each subscriber is posted the feed of changes, at least once and in order.
//!
//! ```text
//! feed of changes (the lake) ── after the subscriber's cursor ──► parcel of one publication ── signed ──► subscriber
//!                                    ▲                                                                       │
//!                                    └── cursor, synced to _tideline/webhook/NAME.json ◄── 200 … 299 ────────┘
//! ```
//!
//! The outbox is the lake itself: what hasn't been taken is read from it again. One request is under way at a time, so
//! nothing overtakes. Of several servers on a lake, whoever holds the subscriber's lock tells it; another takes over
//! where that one dies. A parcel that was taken, and whose cursor could not be kept any more, comes again with the
//! same id.

mod base64;
mod meter;
mod progress;
mod send;
mod sign;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use engine::EngineError;
use engine::lake::Lock;
use reqwest::Client;
use ring::rand::SecureRandom as _;

use self::meter::Counts;
pub(super) use self::meter::page;
pub(crate) use self::progress::Progress;
use self::send::{Parcel, Refusal};
use self::sign::Signer;
use super::App;
use super::changes::{self, Change, Page};
use super::cursor::Cursor;
use crate::config::Webhook;

/// Pause before a lock that another server holds is tried again.
const STANDBY: Duration = Duration::from_secs(1);
/// Doublings after which a pause grows no more, whatever its limit.
const DOUBLINGS_MAX: u32 = 30;

/// Somebody who is told of changes.
#[derive(Debug)]
pub(super) struct Subscriber {
    settings: Webhook,
    signer: Signer,
    client: Client,
    counts: Counts,
}

/// All subscribers of the configuration; nothing is sent yet.
///
/// # Errors
/// [`EngineError::Input`] for a secret that can't be used.
pub(super) fn open(settings: &[Webhook]) -> anyhow::Result<Vec<Arc<Subscriber>>> {
    let each = settings.iter().map(|settings| {
        let signer = Signer::of(settings)?;
        let client = send::client(settings)
            .with_context(|| format!("making a client for the subscriber {}", settings.name))?;
        let settings = settings.clone();
        Ok(Arc::new(Subscriber { settings, signer, client, counts: Counts::default() }))
    });
    each.collect()
}

/// Says what is wrong with the secret of a subscriber, or its authorities.
///
/// # Errors
/// [`EngineError::Input`] for either.
pub(crate) fn check(settings: &Webhook) -> anyhow::Result<()> {
    Signer::of(settings)?;
    send::client(settings).map(|_| ())
}

/// What names a subscriber's settings, so that "gone" holds until they change.
pub(crate) fn fingerprint(settings: &Webhook) -> String {
    blake3::hash(format!("{settings:?}").as_bytes()).to_hex()[..16].to_owned()
}

/// Tells a subscriber of changes until the server stops.
pub(super) async fn serve(app: App, subscriber: Arc<Subscriber>) {
    let mut stopping = app.stopping.clone();
    tokio::select! {
        () = subscriber.tell(&app) => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
}

/// What a step came to.
enum Step {
    /// There may be more to tell.
    Done,
    /// Nothing is there to tell.
    Idle,
    /// The subscriber wants no more.
    Gone,
}

/// Why a step failed.
struct Failure {
    why: String,
    /// When the subscriber wants to be asked again at the soonest.
    wait: Option<Duration>,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { why: format!("{error:#}"), wait: None }
    }
}

impl Subscriber {
    async fn tell(&self, app: &App) {
        let _lock = self.alone(app).await;
        self.counts.active.store(true, Ordering::Relaxed);
        let (mut news, mut failures, mut known) = (app.news.subscribe(), 0_u32, None);
        // Reasons of this streak of failures: each is told once.
        let mut said = BTreeSet::new();
        loop {
            news.borrow_and_update();
            match self.step(app, &mut known).await {
                Err(failure) => {
                    // Some reasons count seconds, as that of a certificate which has expired.
                    let why = failure.why.replace(|letter: char| letter.is_ascii_digit(), "");
                    if said.insert(why) {
                        tracing::warn!(
                            subscriber = self.settings.name,
                            "telling a subscriber of changes: {}; it is tried again until it takes them",
                            failure.why
                        );
                    }
                    failures = failures.saturating_add(1);
                    self.counts.streak.store(u64::from(failures), Ordering::Relaxed);
                    tokio::time::sleep(self.pause(failures, failure.wait)).await;
                    continue;
                }
                Ok(Step::Gone) => {
                    self.counts.active.store(false, Ordering::Relaxed);
                    self.counts.streak.store(0, Ordering::Relaxed);
                    self.counts.waiting_since.store(0, Ordering::Relaxed);
                    tracing::warn!(
                        subscriber = self.settings.name,
                        "the subscriber answered 410 Gone: it is told nothing more until its settings change"
                    );
                    return;
                }
                Ok(Step::Idle) if failures == 0 => {
                    if news.changed().await.is_err() {
                        return;
                    }
                }
                Ok(Step::Done | Step::Idle) => {}
            }
            if failures > 0 {
                tracing::info!(
                    subscriber = self.settings.name,
                    failures,
                    "the subscriber takes changes again"
                );
                failures = 0;
                said.clear();
                self.counts.streak.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Waits until no other server tells this subscriber.
    async fn alone(&self, app: &App) -> Option<Lock> {
        let path = progress::place(app.shelf.lake(), &self.settings.name, "lock");
        let mut complained = false;
        loop {
            match app.shelf.lake().lock_file(&path, "telling a subscriber of changes of") {
                Ok(lock) => return Some(lock),
                Err(EngineError::Busy { .. }) => {}
                Err(error) if !complained => {
                    complained = true;
                    tracing::error!(subscriber = self.settings.name, "{:#}", anyhow::Error::from(error));
                }
                Err(_) => {}
            }
            tokio::time::sleep(STANDBY).await;
        }
    }

    /// Tells of the next changes.
    async fn step(&self, app: &App, known: &mut Option<Progress>) -> Result<Step, Failure> {
        let progress = match known {
            Some(progress) => progress,
            None => known.insert(self.begin(app).await?),
        };
        if progress.gone.as_ref() == Some(&fingerprint(&self.settings)) {
            return Ok(Step::Gone);
        }
        if app.shelf.board().is_err() {
            return Ok(Step::Idle);
        }
        let page = self.page(app, &progress.cursor).await?;
        let name = &self.settings.name;
        let Some(parcel) = Parcel::first(name, &page.changes, &page.next) else {
            self.counts.waiting_since.store(0, Ordering::Relaxed);
            if page.next != progress.cursor {
                progress.cursor = page.next;
                progress.write(app.shelf.lake(), name).await?;
            }
            return Ok(if page.more { Step::Done } else { Step::Idle });
        };
        self.counts.waiting_since.store(parcel.published, Ordering::Relaxed);
        match self.post(&parcel).await {
            Ok(()) => {
                self.counts.taken.fetch_add(1, Ordering::Relaxed);
                let changes = u64::try_from(parcel.changes).unwrap_or(u64::MAX);
                self.counts.changes.fetch_add(changes, Ordering::Relaxed);
                progress.cursor = parcel.until;
                progress.write(app.shelf.lake(), name).await?;
                Ok(Step::Done)
            }
            Err(Refusal::Gone) => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
                progress.gone = Some(fingerprint(&self.settings));
                progress.write(app.shelf.lake(), name).await?;
                Ok(Step::Gone)
            }
            Err(Refusal::Later(why, wait)) => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
                Err(Failure { why, wait })
            }
        }
    }

    /// Where it goes on; a new subscriber begins with what comes next.
    async fn begin(&self, app: &App) -> Result<Progress, Failure> {
        let (lake, name) = (app.shelf.lake(), &self.settings.name);
        if let Some(progress) = Progress::read(lake, name).map_err(anyhow::Error::from)? {
            return Ok(progress);
        }
        let cursor = changes::end(&app.shelf.published()).unwrap_or_else(Cursor::start);
        let progress = Progress { cursor, gone: None };
        progress.write(lake, name).await?;
        Ok(progress)
    }

    async fn page(&self, app: &App, since: &Cursor) -> Result<Page, Failure> {
        let Webhook { kinds, regions, changes_max, .. } = &self.settings;
        let wanted = |change: &Change, _: &_| {
            let there = |region: &String| change.regions.contains(region);
            kinds.contains(&change.kind) && (regions.is_empty() || regions.iter().any(there))
        };
        let page = changes::page(app, &wanted, Some(since), *changes_max).await;
        page.map_err(|problem| Failure { why: problem.detail().to_owned(), wait: None })
    }

    /// How long to wait after so many failures: twice as long each time, less up to a half of it, so that servers which
    /// failed together don't come back together.
    fn pause(&self, failures: u32, wait: Option<Duration>) -> Duration {
        let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
        let most = self.settings.retry_seconds_max;
        let full = (self.settings.retry_seconds * f64::from(1_u32 << doublings)).min(most);
        let mut random = [0_u8; 4];
        // Without randomness the pause is a full one.
        let share = match ring::rand::SystemRandom::new().fill(&mut random) {
            Ok(()) => f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX),
            Err(_) => 1.0,
        };
        let pause = Duration::from_secs_f64(full * (0.5 + share / 2.0));
        pause.max(wait.unwrap_or_default().min(Duration::from_secs_f64(most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_heed_the_subscriber() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("secret");
        std::fs::write(&place, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let secret = format!("file:{}", place.display());
        let settings = Webhook { secret, retry_seconds: 1.0, retry_seconds_max: 60.0, ..Webhook::default() };
        let subscriber = open(&[settings]).unwrap().remove(0);
        let pause = |failures, wait| subscriber.pause(failures, wait).as_secs_f64();
        for (failures, full) in [(1, 1.0), (2, 2.0), (4, 8.0), (7, 60.0), (500, 60.0)] {
            let seconds = pause(failures, None);
            assert!((full / 2.0..=full).contains(&seconds), "{failures}: {seconds}");
        }
        assert!((pause(1, Some(Duration::from_secs(30))) - 30.0).abs() < 1e-9);
        assert!((pause(1, Some(Duration::from_mins(50))) - 60.0).abs() < 1e-9);
    }
}
