//! The sections `[[serve.webhook]]`: who is told of changes, where, and of which.

use std::collections::BTreeSet;
use std::path::PathBuf;

use engine::EngineError;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::secret::secret;

/// A subscriber.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// Its name: in the lake, in log lines and metrics.
    pub name: String,
    /// Where changes are posted to.
    pub url: String,
    /// Where the secret is that signs them: `env:NAME` or `file:PATH`.
    pub secret: String,
    /// Certificates, as PEM, of authorities that are trusted beside the system's; empty for none.
    pub ca: PathBuf,
    /// The kinds of change that it wants.
    pub kinds: Vec<ChangeKind>,
    /// Changes of reps and regions of these very regions only; empty for all.
    pub regions: Vec<String>,
    /// Changes of one request, at most.
    pub changes_max: usize,
    /// Seconds that an answer may take.
    pub timeout_seconds: f64,
    /// Seconds after which a request that failed is tried again; doubled each time.
    pub retry_seconds: f64,
    /// Seconds between two attempts, at most.
    pub retry_seconds_max: f64,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A quota that is another than before.
    Quota,
    /// An alert that stands, and didn't before.
    AlertRaised,
    /// An alert that stood before, and doesn't any more.
    AlertCleared,
}

impl ChangeKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Quota, Self::AlertRaised, Self::AlertCleared];

    /// As it stands in changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::AlertRaised => "alert_raised",
            Self::AlertCleared => "alert_cleared",
        }
    }
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            secret: String::new(),
            ca: PathBuf::new(),
            kinds: ChangeKind::ALL.to_vec(),
            regions: Vec::new(),
            changes_max: 500,
            timeout_seconds: 10.0,
            retry_seconds: 1.0,
            retry_seconds_max: 300.0,
        }
    }
}

impl Webhook {
    /// The secret, read from where it is.
    ///
    /// # Errors
    /// [`EngineError::Input`] where it isn't there.
    pub(crate) fn secret(&self) -> Result<String, EngineError> {
        secret(&format!("serve.webhook {}: secret", self.name), &self.secret)
    }

    fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(plain) {
            return Err("name must have 1 to 64 small letters, digits and hyphens".to_owned());
        }
        let url = Url::parse(&self.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(url) = url.filter(Url::has_host) else {
            return Err("url must be an address like https://crm.example.com/tideline".to_owned());
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "url must not hold a user or password; requests are signed with the secret".to_owned()
            );
        }
        if self.secret.is_empty() {
            return Err("secret must say where the secret is, as \"env:NAME\" or \"file:PATH\"".to_owned());
        }
        if self.kinds.is_empty() {
            let names = ChangeKind::ALL.map(ChangeKind::name).join(", ");
            return Err(format!("kinds must name at least one of {names}; leave it out for all"));
        }
        if !(1..=10_000).contains(&self.changes_max) {
            return Err("changes_max must be between 1 and 10,000".to_owned());
        }
        if !(0.01..=300.0).contains(&self.timeout_seconds) {
            return Err("timeout_seconds must be between 0.01 and 300".to_owned());
        }
        if !(0.01..=86_400.0).contains(&self.retry_seconds) {
            return Err("retry_seconds must be between 0.01 and 86,400".to_owned());
        }
        if !(self.retry_seconds..=86_400.0).contains(&self.retry_seconds_max) {
            return Err("retry_seconds_max must be between retry_seconds and 86,400".to_owned());
        }
        Ok(())
    }
}

/// Says which subscriber is wrong, and what would be right.
pub(super) fn check(webhooks: &[Webhook]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (place, webhook) in webhooks.iter().enumerate() {
        let which = if webhook.name.is_empty() { (place + 1).to_string() } else { webhook.name.clone() };
        webhook.check().map_err(|wrong| format!("serve.webhook {which}: {wrong}"))?;
        if !seen.insert(&webhook.name) {
            return Err(format!("serve.webhook {which}: there are two of that name; choose another for one"));
        }
    }
    Ok(())
}
