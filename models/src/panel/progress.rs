//! A quota as of a day within its period: what is attained, and what the rest of the period may bring.

use super::calibrate::at;
use super::quota::{PanelQuota, QuotaForecast};

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
        let due: Vec<f64> = quotas.iter().map(|quota| due(quota, &elapsed)).collect();
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

/// What was expected of a rep by now.
fn due(quota: &PanelQuota, elapsed: &[f64]) -> f64 {
    quota.raw.profile.iter().zip(elapsed).map(|(amount, elapsed)| amount * elapsed).sum()
}

fn quota_of(quota: &PanelQuota, due: f64, attained: f64, peers: (f64, f64, f64)) -> f64 {
    let raw = &quota.raw;
    if raw.expected <= 0.0 {
        return attained.max(quota.quota);
    }
    let gone = (due / raw.expected).clamp(0.0, 1.0);
    if gone <= 0.0 {
        return attained + quota.quota;
    }
    let fresh = raw.noise / gone;
    let (peers_due, peers_attained, n_peers) = peers;
    let (mut shift, mut shared) = (0.0, raw.shared);
    if peers_due > 0.0 && n_peers > 0.0 {
        let trust = ratio(raw.shared, raw.shared + (raw.own + fresh) / n_peers);
        shift = trust * (peers_attained / peers_due - 1.0);
        shared *= 1.0 - trust;
    }
    let trust = ratio(raw.own + shared, raw.own + shared + fresh);
    shift += trust * (attained / due - 1.0 - shift);
    let rest = raw.held * (1.0 - gone) * (1.0 + shift).max(0.0);
    let lasting = (raw.own + shared) * (1.0 - trust);
    let anew = if gone < 1.0 { raw.noise / (1.0 - gone) } else { 0.0 };
    // As wide as calibration found the whole period's forecast to be.
    let spread = (raw.held_spread.powi(2) - raw.spread.powi(2)).max(0.0) + lasting + anew;
    attained + at(rest, spread.sqrt(), quota.quota_deviations)
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
