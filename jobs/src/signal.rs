//! Being told to stop.

use tokio::task::JoinHandle;

use crate::output;

/// Calls `stop` at a signal and says `what` is done then; a second signal ends the process at once.
pub(crate) fn on_stop(what: &'static str, stop: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        stopped().await;
        stop();
        output::note(what);
        stopped().await;
        // Nothing is lost: what isn't committed is read again.
        std::process::exit(i32::from(crate::TRY_AGAIN));
    })
}

/// Waits for a signal to stop.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
