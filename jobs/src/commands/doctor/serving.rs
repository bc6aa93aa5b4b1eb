//! Checks of what serves and of what runs by itself: keys, audit log, TLS, subscribers, schedule.

use std::fs::File;
use std::path::Path;

use engine::EngineError;
use engine::lake::Lake;

use super::Verdict;
use crate::config::Webhook;
use crate::context::Context;
use crate::schedule;
use crate::serve::key_file::KeyFile;
use crate::serve::webhook::{self, Progress};

/// All of them; those about what isn't configured are left out.
pub(super) fn checks(context: &Context) -> Vec<(&'static str, Verdict)> {
    let serve = &context.config.serve;
    let mut checks = Vec::new();
    if !serve.keys.as_os_str().is_empty() {
        checks.push(("keys", keys(&serve.keys)));
    }
    if !serve.audit.as_os_str().is_empty() {
        checks.push(("audit log", audit(&serve.audit)));
    }
    match serve.tls.open() {
        Ok(None) => {}
        Ok(Some(_)) => {
            let text = format!("{} and its key fit", serve.tls.certificate.display());
            checks.push(("TLS", Verdict::Good(text)));
        }
        Err(error) => {
            let action = "correct the files that `serve.tls` names".to_owned();
            checks.push(("TLS", Verdict::Wrong(error.to_string(), action)));
        }
    }
    let lake = context.lake().ok();
    checks.extend(serve.webhook.iter().map(|settings| ("webhook", subscriber(settings, lake.as_ref()))));
    checks.push(("schedule", plan(context)));
    checks
}

fn keys(path: &Path) -> Verdict {
    let make = "`tideline key add NAME` makes one".to_owned();
    match KeyFile::read(path) {
        Ok(Some(file)) if !file.key.is_empty() => {
            if let Some(mode) = readable_by_others(path) {
                let text = format!("{} has the mode {mode:o}: others can read it", path.display());
                return Verdict::Look(text, format!("chmod 600 {}", path.display()));
            }
            Verdict::Good(format!("{} in {}", file.key.len(), path.display()))
        }
        Ok(_) => Verdict::Wrong(format!("{} holds no keys", path.display()), make),
        Err(error) => {
            Verdict::Wrong(error.to_string(), "correct the file that `serve.keys` names".to_owned())
        }
    }
}

/// The file's mode, where it lets others read it.
#[cfg(unix)]
fn readable_by_others(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o004 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn readable_by_others(_: &Path) -> Option<u32> {
    None
}

fn audit(path: &Path) -> Verdict {
    // Opening to append changes nothing, but makes a file that isn't there; then the folder is what matters.
    let opened = if path.exists() {
        File::options().append(true).open(path).map(|_| ())
    } else {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::read_dir(folder).map(|_| ())
    };
    match opened {
        Ok(()) => Verdict::Good(path.display().to_string()),
        Err(error) => Verdict::Wrong(
            format!("{} can't be written: {error}", path.display()),
            "nothing is answered while it can't: correct `serve.audit`, or its rights".to_owned(),
        ),
    }
}

fn subscriber(settings: &Webhook, lake: Option<&Lake>) -> Verdict {
    let name = &settings.name;
    if let Err(error) = webhook::check(settings) {
        let action =
            "put the secret, and the certificates of `ca`, where `serve.webhook` says they are".to_owned();
        return Verdict::Wrong(format!("{error:#}"), action);
    }
    let Some(lake) = lake else { return Verdict::Good(format!("{name}: its secret is there")) };
    match Progress::read(lake, name) {
        Ok(None) => Verdict::Good(format!("{name}: begins with what comes next, once `tideline serve` runs")),
        Ok(Some(progress)) if progress.gone == Some(webhook::fingerprint(settings)) => Verdict::Look(
            format!("{name}: it answered 410 Gone, so it is told nothing more"),
            "change its settings, or remove them".to_owned(),
        ),
        Ok(Some(progress)) => {
            Verdict::Good(format!("{name}: told of publications up to {}", progress.published()))
        }
        Err(error @ EngineError::Lake(_)) => {
            Verdict::Wrong(format!("{name}: {error}"), "remove the file".to_owned())
        }
        Err(error) => {
            let text = format!("{name}: {:#}", anyhow::Error::from(error));
            Verdict::Wrong(text, "let this user read the lake's folder".to_owned())
        }
    }
}

fn plan(context: &Context) -> Verdict {
    match schedule::outlook(context) {
        Ok((next, failed)) if failed.is_empty() => Verdict::Good(next),
        Ok((next, failed)) => Verdict::Look(
            format!("{next}; {}", failed.join(", ")),
            "the log of `tideline schedule` says why; `tideline schedule --run JOB` tries again".to_owned(),
        ),
        Err(error) => Verdict::Wrong(format!("{error:#}"), "correct the section `schedule`".to_owned()),
    }
}
