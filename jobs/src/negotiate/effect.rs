//! Who would pay for a request or a rule, to the cent: the quotas of the newest published day with and without it.

use engine::adjust::{Adjustment, Request};
use engine::pipeline::{Past, Staff, Variation};
use engine::quota::RegionOutcome;
use engine::rule::{Book, Rule};
use engine::time::{Day, date};

use crate::predictor::PanelPredictor;

/// What a request would do.
#[derive(Debug)]
pub(crate) enum Effect {
    /// It can't be said, and why.
    Unknown(String),
    Known(Known),
}

/// What a request would do, on the state of a published day. Amounts in minor units.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) as_of: Day,
    /// The rep that it is about.
    pub(crate) own: Line,
    /// Whose quota changes along, the largest change first.
    pub(crate) others: Vec<Line>,
    /// Regions by id, without and with it.
    pub(crate) regions: Vec<(String, RegionOutcome, RegionOutcome)>,
}

/// One rep.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) rep_id: String,
    pub(crate) before: i64,
    pub(crate) after: i64,
    /// The chances of reaching them.
    pub(crate) chance: (f64, f64),
    /// What holds the quota after it: `none`, `floor`, `ceiling`, `daily_cap` or `frozen`.
    pub(crate) bound: &'static str,
}

impl Line {
    pub(crate) fn change(&self) -> i64 {
        self.after - self.before
    }
}

impl Known {
    /// What the others pay together.
    pub(crate) fn paid(&self) -> i64 {
        self.others.iter().map(Line::change).sum()
    }
}

/// What a request would do on a published day, by the real frame.
///
/// # Errors
/// Where the frame can't be computed.
pub(crate) fn effect(past: &Past, request: &Request) -> engine::Result<Effect> {
    let cast = past.cast(&Staff::default(), &PanelPredictor)?;
    let (rep, day) = (&request.rep_id, date(past.run.as_of));
    let Some(own) = cast.row(rep) else {
        return Ok(Effect::Unknown(format!("{rep} is not on duty as of {day}: it would change nothing.")));
    };
    if cast.period().name != request.period {
        return Ok(Effect::Unknown(format!(
            "The newest published day, {day}, is in {}: what it does to {} can't be said yet.",
            cast.period().name,
            request.period
        )));
    }
    let without = cast.quotas(&Variation::default())?;
    let mut adjustments = cast.adjustments().to_vec();
    adjustments.push(Adjustment::of(request));
    let with = cast.quotas(&Variation { adjustments: Some(adjustments), ..Variation::default() })?;
    let ids: Vec<&str> = cast.rep_ids().collect();
    let line = |row: usize| Line {
        rep_id: ids[row].to_owned(),
        before: without.reps[row].quota,
        after: with.reps[row].quota,
        chance: (without.reps[row].p_attain, with.reps[row].p_attain),
        bound: with.reps[row].bound.as_str(),
    };
    let mut others: Vec<Line> =
        (0..ids.len()).filter(|&row| row != own).map(line).filter(|line| line.change() != 0).collect();
    others.sort_by_key(|line| -line.change().abs());
    let regions = cast.region_ids().iter().cloned().zip(without.regions).zip(with.regions);
    let regions = regions.map(|((id, before), after)| (id, before, after)).collect();
    Ok(Effect::Known(Known { as_of: past.run.as_of, own: line(own), others, regions }))
}

/// What a rule would do on a published day. Amounts in minor units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) as_of: Day,
    /// Reps that it touches, and by how much their quotas change.
    pub(crate) touched: (usize, i64),
    /// The others whose quotas change along, and by how much.
    pub(crate) others: (usize, i64),
}

/// What a rule would do beside those that there are and in place of some requests, by the real frame; `touches` says
/// whom it is about.
///
/// # Errors
/// Where the frame can't be computed.
pub(crate) fn cost(
    past: &Past,
    (book, rule): (&Book, &Rule),
    requests: &[&str],
    touches: impl Fn(&str) -> bool,
) -> engine::Result<Cost> {
    let cast = past.cast(&Staff::default(), &PanelPredictor)?;
    let mut adjustments = cast.adjustments().to_vec();
    adjustments.retain(|adjustment| !requests.contains(&adjustment.request_id.as_str()));
    let quotas = |book: Book| {
        let (rules, adjustments) = (Some(std::sync::Arc::new(book)), Some(adjustments.clone()));
        cast.quotas(&Variation { rules, adjustments, ..Variation::default() })
    };
    let mut more = book.clone();
    more.rules.push(rule.clone());
    let (without, with) = (quotas(book.clone())?, quotas(more)?);
    let mut told = Cost { as_of: past.run.as_of, touched: (0, 0), others: (0, 0) };
    for ((rep, before), after) in cast.rep_ids().zip(&without.reps).zip(&with.reps) {
        let change = after.quota - before.quota;
        if touches(rep) {
            told.touched = (told.touched.0 + 1, told.touched.1 + change);
        } else if change != 0 {
            told.others = (told.others.0 + 1, told.others.1 + change);
        }
    }
    Ok(told)
}
