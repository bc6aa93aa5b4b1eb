//! What is sent: one JSON object a quota or alert.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

use crate::live::{Live, LiveAlert, LiveQuota};
use crate::time::{Micros, date};

/// What a state stands on: part of every message.
#[derive(Debug, Serialize)]
pub(super) struct Standing<'a> {
    as_of: String,
    run_id: Option<&'a str>,
    positions: &'a BTreeMap<String, i64>,
    loaded_at: String,
    outdated_since: Option<String>,
}

impl<'a> Standing<'a> {
    pub(super) fn new(
        live: &'a Live,
        positions: &'a BTreeMap<String, i64>,
        (loaded_at, outdated_since): (Micros, Option<Micros>),
    ) -> Self {
        Self {
            as_of: date(live.as_of()).to_string(),
            run_id: live.run_id(),
            positions,
            loaded_at: rfc3339(loaded_at),
            outdated_since: outdated_since.map(rfc3339),
        }
    }
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "named as in mart.quota")]
struct Quota<'a> {
    rep_id: &'a str,
    region_id: Option<&'a str>,
    period: &'a str,
    quota: String,
    previous_quota: Option<String>,
    proposal: String,
    attained: String,
    expected: String,
    low: String,
    high: String,
    p_attain: f64,
    bound: &'static str,
    #[serde(flatten)]
    standing: &'a Standing<'a>,
}

/// What tells quotas apart.
pub(super) fn quota_key(rep_id: &str, period: &str) -> String {
    format!("{rep_id}/{period}")
}

/// A quota as it is sent; amounts as decimals in quotes.
pub(super) fn quota(quota: &LiveQuota, standing: &Standing<'_>) -> serde_json::Result<String> {
    serde_json::to_string(&Quota {
        rep_id: &quota.rep_id,
        region_id: quota.region_id.as_deref(),
        period: &quota.period,
        quota: decimal(quota.quota),
        previous_quota: quota.previous_quota.map(decimal),
        proposal: decimal(quota.proposal),
        attained: decimal(quota.attained),
        expected: decimal(quota.expected),
        low: decimal(quota.low),
        high: decimal(quota.high),
        p_attain: quota.p_attain,
        bound: quota.bound,
        standing,
    })
}

#[derive(Debug, Serialize)]
struct Alert<'a> {
    rule: &'a str,
    severity: &'static str,
    scope: &'static str,
    scope_id: &'a str,
    message: &'a str,
    evidence: &'a str,
    #[serde(flatten)]
    standing: &'a Standing<'a>,
}

/// What tells alerts apart.
pub(super) fn alert_key(rule: &str, rep_id: &str) -> String {
    format!("{rule}/{rep_id}")
}

/// An alert as it is sent.
pub(super) fn alert(alert: &LiveAlert, standing: &Standing<'_>) -> serde_json::Result<String> {
    serde_json::to_string(&Alert {
        rule: &alert.rule,
        severity: alert.severity,
        scope: "rep",
        scope_id: &alert.rep_id,
        message: &alert.message,
        evidence: &alert.evidence,
        standing,
    })
}

/// An instant as text, to the millisecond.
fn rfc3339(at: Micros) -> String {
    DateTime::from_timestamp_micros(at).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Minor units as a decimal with two places.
fn decimal(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let size = minor.unsigned_abs();
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_sign_and_places() {
        let told = [0, 5, -5, 100, -12_345, i64::MIN].map(decimal);
        assert_eq!(told, ["0.00", "0.05", "-0.05", "1.00", "-123.45", "-92233720368547758.08"]);
    }
}
