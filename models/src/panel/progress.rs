//! A quota as of a day within its period: what is attained, and what the rest of the period may bring.

use super::calibrate::at;
use super::forecast::Raw;
use super::quota::{PanelQuota, QuotaForecast};

/// Of a rep of whom nothing was due yet, peers count as if this share of their time were over.
const GONE_MIN: f64 = 0.01;

/// The quotas of all reps of a forecast as days go by.
#[derive(Debug)]
pub struct Progress<'a> {
    forecast: &'a QuotaForecast,
    /// Amount of each rep since the period's start, in the order of the forecast's quotas.
    attained: Vec<f64>,
}

impl<'a> Progress<'a> {
    /// The period's start.
    pub fn new(forecast: &'a QuotaForecast) -> Self {
        Self { forecast, attained: vec![0.0; forecast.quotas.len()] }
    }

    /// Adds what a rep, by its place among the forecast's quotas, sold. What isn't a number, or of no rep, is left out.
    pub fn add(&mut self, place: usize, amount: f64) {
        if let Some(attained) = self.attained.get_mut(place).filter(|_| amount.is_finite()) {
            *attained += amount;
        }
    }

    /// Quotas when everything before `day` is known, `(n_quotas)`: what is attained, and the same quantile of the rest.
    ///
    /// The rest moves with what came against what was expected so far: with what the region's other reps show, as far as
    /// forecasts of a region err together, and with the rep's own, as far as a rep's deviation lasts (credibility, from the
    /// variances of the forecast).
    pub fn quotas(&self, day: i32) -> Vec<f64> {
        let elapsed = self.forecast.elapsed(day);
        let quotas = &self.forecast.quotas;
        let due: Vec<f64> = quotas.iter().map(|quota| self.forecast.due(quota, &elapsed, day)).collect();
        let mut regions =
            vec![(0.0, 0.0, 0.0); quotas.iter().map(|quota| quota.region + 1).max().unwrap_or(0)];
        for ((quota, due), attained) in quotas.iter().zip(&due).zip(&self.attained) {
            let region = &mut regions[quota.region];
            *region = (region.0 + due, region.1 + attained, region.2 + 1.0);
        }
        let now = |((quota, &due), &attained): ((&PanelQuota, &f64), &f64)| {
            let (all_due, all_attained, reps) = regions[quota.region];
            let peers = (all_due - due, all_attained - attained, reps - 1.0);
            quota_of(quota, due, attained, peers)
        };
        quotas.iter().zip(&due).zip(&self.attained).map(now).collect()
    }
}

fn quota_of(quota: &PanelQuota, due: f64, attained: f64, peers: (f64, f64, f64)) -> f64 {
    let parts = Parts::of(&quota.raw);
    if parts.expected <= 0.0 {
        return attained.max(quota.quota);
    }
    if due <= 0.0 {
        return attained + quota.quota;
    }
    let rest = parts.rest(due, attained, peers);
    attained + at(rest.held, rest.held_spread, quota.quota_deviations)
}

/// What a forecast of a rep's period says of the rest of it, once some of it is over.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Parts {
    pub(crate) expected: f64,
    spread: f64,
    held: f64,
    held_spread: f64,
    shared: f64,
    own: f64,
    noise: f64,
}

/// What is still to come: means, and standard deviations over them. `held` follows the rep's own last period no more than
/// the ratchet allows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rest {
    pub(crate) expected: f64,
    pub(crate) spread: f64,
    pub(crate) held: f64,
    pub(crate) held_spread: f64,
    /// Of the squares of the spreads: what all of the region share.
    pub(crate) shared: f64,
}

impl Parts {
    pub(crate) fn of(raw: &Raw) -> Self {
        Self {
            expected: raw.expected,
            spread: raw.spread,
            held: raw.held,
            held_spread: raw.held_spread,
            shared: raw.shared,
            own: raw.own,
            noise: raw.noise,
        }
    }

    /// The rest of the period, where `due` of the rep was expected by now and `attained` came; `peers` are the same of the
    /// others of its region, and how many they are.
    pub(crate) fn rest(&self, due: f64, attained: f64, peers: (f64, f64, f64)) -> Rest {
        let gone = if self.expected > 0.0 { (due / self.expected).clamp(0.0, 1.0) } else { 0.0 };
        let (peers_due, peers_attained, n_peers) = peers;
        let (mut shift, mut shared) = (0.0, self.shared);
        if peers_due > 0.0 && n_peers > 0.0 {
            // As much of a peer's time is over as it was due.
            let fresh = self.noise / if gone > 0.0 { gone } else { GONE_MIN };
            let trust = ratio(self.shared, self.shared + (self.own + fresh) / n_peers);
            shift = trust * (peers_attained / peers_due - 1.0);
            shared *= 1.0 - trust;
        }
        let mut lasting = self.own + shared;
        if gone > 0.0 {
            let trust = ratio(lasting, lasting + self.noise / gone);
            shift += trust * (attained / due - 1.0 - shift);
            lasting *= 1.0 - trust;
        }
        let left = (1.0 - gone) * (1.0 + shift).max(0.0);
        let anew = if gone < 1.0 { self.noise / (1.0 - gone) } else { 0.0 };
        // As wide as calibration found the whole period's forecast to be.
        let held = (self.held_spread.powi(2) - self.spread.powi(2)).max(0.0);
        Rest {
            expected: self.expected * left,
            spread: (lasting + anew).sqrt(),
            held: self.held * left,
            held_spread: (held + lasting + anew).sqrt(),
            shared,
        }
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
