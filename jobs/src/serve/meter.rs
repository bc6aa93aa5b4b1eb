//! What the server counts of itself, as text that Prometheus reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the classes of answering times, in seconds.
const BOUNDS_SECONDS: [f64; 10] = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.025, 0.1, 1.0, 10.0];

/// Counters of answers.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// By status and route.
    answers: Mutex<BTreeMap<u16, BTreeMap<String, u64>>>,
    classes: [AtomicU64; BOUNDS_SECONDS.len()],
    answered: AtomicU64,
    micros: AtomicU64,
    streams: AtomicU64,
    publications: AtomicU64,
}

/// Counts a stream as open until it is dropped.
#[derive(Debug)]
pub(super) struct OpenStream(pub(super) super::App);

impl OpenStream {
    pub(super) fn new(app: super::App) -> Self {
        app.meter.streams.fetch_add(1, Ordering::Relaxed);
        Self(app)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.meter.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Meter {
    /// Counts an answer. `route` is the route's pattern, so that there are few.
    pub(super) fn count(&self, route: &str, status: u16, took: Duration) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let of_status = answers.entry(status).or_default();
        match of_status.get_mut(route) {
            Some(count) => *count += 1,
            None => {
                of_status.insert(route.to_owned(), 1);
            }
        }
        drop(answers);
        let seconds = took.as_secs_f64();
        if let Some(class) = BOUNDS_SECONDS.iter().position(|&bound| seconds <= bound) {
            self.classes[class].fetch_add(1, Ordering::Relaxed);
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts a publication that was noticed.
    pub(super) fn published(&self) {
        self.publications.fetch_add(1, Ordering::Relaxed);
    }

    /// The page; `age_seconds` is none before the first publication, `live_seconds` while no running day is followed.
    pub(super) fn page(&self, age_seconds: Option<i64>, live_seconds: Option<i64>) -> String {
        let mut page = String::new();
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        head(&mut page, "tideline_http_answers_total", "counter", "Answers by route and status.");
        for (status, routes) in self.answers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (route, count) in routes {
                let labels = format!("{{route=\"{route}\",status=\"{status}\"}}");
                line(&mut page, &format!("tideline_http_answers_total{labels}"), *count);
            }
        }
        let name = "tideline_http_answer_seconds";
        head(&mut page, name, "histogram", "Time until an answer was ready, in seconds.");
        let mut sum = 0;
        for (bound, class) in BOUNDS_SECONDS.iter().zip(&self.classes) {
            sum += load(class);
            line(&mut page, &format!("{name}_bucket{{le=\"{bound}\"}}"), sum);
        }
        let answered = load(&self.answered);
        line(&mut page, &format!("{name}_bucket{{le=\"+Inf\"}}"), answered);
        line(&mut page, &format!("{name}_sum"), Duration::from_micros(load(&self.micros)).as_secs_f64());
        line(&mut page, &format!("{name}_count"), answered);
        head(&mut page, "tideline_http_streams", "gauge", "Event streams that are open.");
        line(&mut page, "tideline_http_streams", load(&self.streams));
        head(
            &mut page,
            "tideline_publications_noticed_total",
            "counter",
            "Publications noticed since the start.",
        );
        line(&mut page, "tideline_publications_noticed_total", load(&self.publications));
        if let Some(age) = age_seconds {
            head(&mut page, "tideline_data_age_seconds", "gauge", "Seconds since the newest publication.");
            line(&mut page, "tideline_data_age_seconds", age);
        }
        head(&mut page, "tideline_live_attached", "gauge", "Whether quotas are those of the running day.");
        line(&mut page, "tideline_live_attached", u8::from(live_seconds.is_some()));
        if let Some(age) = live_seconds {
            head(
                &mut page,
                "tideline_live_age_seconds",
                "gauge",
                "Seconds for which events may be missing in them.",
            );
            line(&mut page, "tideline_live_age_seconds", age);
        }
        page
    }
}

/// What a metric is.
pub(super) fn head(page: &mut String, name: &str, kind: &str, help: &str) {
    let text = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
    page.push_str(&text);
}

/// A metric's value.
pub(super) fn line(page: &mut String, name: &str, value: impl std::fmt::Display) {
    let text = format!("{name} {value}\n");
    page.push_str(&text);
}
