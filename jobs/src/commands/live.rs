//! `tideline serve --kafka`: the quotas of the running day, event by event, until stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use engine::EngineError;
use engine::contract::Stream;
use engine::kafka::{KafkaOptions, LiveOptions, LiveStatus, OnLiveNews, follow};
use engine::live::Making;

use super::metrics::Metrics;
use crate::cli::ServeArgs;
use crate::context::{Context, now};
use crate::output;
use crate::predictor::PanelPredictor;
use crate::report::words::count;
use crate::scorers::Scorers;
use crate::serve::live::LiveBoard;

/// First and longest pause before following is tried again, beside other servers.
const PAUSE_SECONDS: (u64, u64) = (1, 60);

/// Follows until `stop` is set; a `board` is told of quotas as they change.
///
/// What is wrong at the start ends it. Later, where this process serves something else as well, a failure is told, the
/// board is cleared, and following begins anew after a pause: whoever answers goes on.
pub(crate) async fn run(
    brokers: &str,
    args: &ServeArgs,
    (stop, board): (&Arc<AtomicBool>, Option<LiveBoard>),
    context: &Context,
) -> anyhow::Result<()> {
    let mut options = options(brokers, args, Arc::clone(stop), context)?;
    let metrics = match args.metrics {
        Some(address) => {
            Some(Metrics::serve(address, super::metrics::live_page(&LiveStatus::default())).await?)
        }
        None => None,
    };
    let begun = Arc::new(AtomicBool::new(false));
    options.on_status = Some(Arc::new({
        let begun = Arc::clone(&begun);
        move |status| {
            begun.store(true, Ordering::Relaxed);
            if let Some(metrics) = &metrics {
                metrics.show(super::metrics::live_page(status));
            }
        }
    }));
    options.on_news = board.clone().map(|board| -> OnLiveNews { Arc::new(move |news| board.take(news)) });
    let making = Making {
        settings: Arc::new(context.settings()),
        catalogue: Arc::new(context.catalogue()?),
        predictor: Arc::new(PanelPredictor),
        rules: Arc::new(context.rules()?),
        models: Arc::new(|lake, log, day| Scorers::of_log(lake, log, day).map(Scorers::kept)),
        rows_bytes_max: context.config.live.memory_mib << 20,
    };
    let lake = context.lake()?;
    let is_alone = args.http.is_none() && args.pg.is_none();
    let mut pause = PAUSE_SECONDS.0;
    loop {
        let progress = context.progress("serve");
        progress.stage("live");
        let followed = follow(&lake, &making, &options).await;
        drop(progress);
        let error = match followed {
            Ok(status) => return output::print(&describe(&status)),
            Err(error) if is_alone || !begun.load(Ordering::Relaxed) => return Err(error.into()),
            Err(error) => error,
        };
        if let Some(board) = &board {
            board.clear();
        }
        tracing::error!(
            "following the running day failed: {:#}; quotas are answered as published, and it begins anew in {pause} s",
            anyhow::Error::from(error)
        );
        if is_stopped_within(stop, pause).await {
            return Ok(());
        }
        pause = (2 * pause).min(PAUSE_SECONDS.1);
    }
}

/// Waits so long; at once where it is to stop.
async fn is_stopped_within(stop: &AtomicBool, seconds: u64) -> bool {
    for _ in 0..10 * seconds {
        if stop.load(Ordering::Relaxed) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.load(Ordering::Relaxed)
}

fn options(
    brokers: &str,
    args: &ServeArgs,
    stop: Arc<AtomicBool>,
    context: &Context,
) -> anyhow::Result<LiveOptions> {
    let (kafka, live) = (&context.config.kafka, &context.config.live);
    let (mut topics, _) = kafka.topics(&args.topic)?;
    let others = topics.iter().find(|(stream, _)| *stream != Stream::Behaviour);
    if let (Some((stream, _)), false) = (others, args.topic.is_empty()) {
        let message = format!(
            "--topic {}=…: serve follows the topic of behaviour; take the others in with `tideline ingest --kafka`",
            stream.name()
        );
        return Err(EngineError::Input(message).into());
    }
    topics.retain(|(stream, _)| *stream == Stream::Behaviour);
    Ok(LiveOptions {
        kafka: KafkaOptions {
            brokers: brokers.to_owned(),
            group: format!("{}-live", kafka.group),
            topics,
            topics_must_exist: true,
            properties: kafka.properties()?,
            registry: kafka.registry.options()?,
            until_end: false,
            commit_rows: kafka.commit_rows,
            commit_after: Duration::ZERO,
            memory_bytes: kafka.memory_mib << 20,
            threads: 1,
            connect: Duration::from_secs(kafka.connect_seconds),
            give_up_after: Duration::from_secs(kafka.give_up_seconds),
            rejected_share_warning: 1.0,
            rejected_share_stop: 1.0,
            skip_deleted: kafka.skip_deleted,
            clock: now,
            nonce: String::new(),
            stop,
            on_status: None,
        },
        quota_topic: live.quota_topic.clone(),
        alert_topic: live.alert_topic.clone(),
        as_of: args.as_of.map(|day| context.day(day)).transpose()?,
        emit_after: Duration::from_secs_f64(live.emit_seconds),
        refresh_after: Duration::from_secs_f64(live.refresh_seconds),
        on_status: None,
        on_news: None,
    })
}

/// What was followed, in words.
fn describe(status: &LiveStatus) -> String {
    let mut text = format!(
        "{} events applied, {} of earlier days left to the lake, {} refused; {} quotas and {} alerts sent",
        count(status.applied),
        count(status.late),
        count(status.refused),
        count(status.quotas),
        count(status.alerts),
    );
    if let (Some(half), Some(most)) = (status.latency_ms(0.5), status.latency_ms(0.99)) {
        let line = format!("\nhalf of the events within {half} ms of being sent, 99 of 100 within {most} ms");
        text.push_str(&line);
    }
    text
}
