//! How hard quotas are for each group.

use crate::error::Result;
use crate::mart::{Columns, Mart};
use crate::measure::count;
use crate::pipeline::fairness::Judged;
use crate::quota::{GroupFairness, Interval};

pub(super) fn mart(judged: &[Judged]) -> Result<Mart> {
    let columns = Columns::default()
        .text(judged.iter().map(|group| group.grouping))
        .text(judged.iter().map(|group| group.group_id.as_str()))
        .long(judged.iter().map(|group| count(group.fairness.reps)));
    let of: [fn(&GroupFairness) -> Option<Interval>; 3] =
        [|group| group.p_attain, |group| group.quota_per_potential, |group| group.step];
    of.into_iter()
        .fold(columns, |columns, of| {
            let all = || judged.iter().map(|group| of(&group.fairness));
            columns
                .ratio(all().map(|interval| interval.map(|interval| interval.value)))
                .ratio(all().map(|interval| interval.map(|interval| interval.low)))
                .ratio(all().map(|interval| interval.map(|interval| interval.high)))
        })
        .ratio(judged.iter().map(|group| group.fairness.rank_correlation))
        .flag(judged.iter().map(|group| group.fairness.off))
        .of("mart.fairness")
}
