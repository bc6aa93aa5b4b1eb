//! What rules can ask about each rep, from what the run has computed so far.

use super::stage::{Measures, Windows};
use crate::factor::{FACTORS, Factor};
use crate::measure::customer::{Color, Lifestage};
use crate::measure::portfolio::Portfolio;
use crate::measure::process::ProcessHealth;
use crate::measure::{COMPONENTS, ratio, real};
use crate::quota::Previous;
use crate::rule::{Columns, Subject, Texts};
use crate::time::Day;

/// What the columns are made of. `reps` are positions in the CRM; `attained`, `expected` and `proposals` run over them.
#[derive(Debug, Clone, Copy)]
pub(super) struct SubjectInputs<'a> {
    pub(super) windows: &'a Windows,
    pub(super) measures: &'a Measures,
    pub(super) reps: &'a [usize],
    /// By position in the CRM.
    pub(super) factors: &'a [[Factor; 18]],
    pub(super) attained: &'a [i64],
    pub(super) expected: &'a [f64],
    pub(super) proposals: &'a [i64],
    pub(super) previous: &'a std::collections::BTreeMap<String, Previous>,
    pub(super) as_of: Day,
}

/// What share of a rep's customers is of some kind.
type Share = fn(&Portfolio) -> Option<f64>;

/// Kinds of customers of whom a rep has some share.
const MIX: [(&str, Share); 9] = [
    ("share_new", |portfolio| portfolio.stage_share(Lifestage::New)),
    ("share_growing", |portfolio| portfolio.stage_share(Lifestage::Growing)),
    ("share_mature", |portfolio| portfolio.stage_share(Lifestage::Mature)),
    ("share_at_risk", |portfolio| portfolio.stage_share(Lifestage::AtRisk)),
    ("share_lost", |portfolio| portfolio.stage_share(Lifestage::Lost)),
    ("share_prospect", |portfolio| portfolio.stage_share(Lifestage::Prospect)),
    ("share_red", |portfolio| portfolio.color_share(Color::Red)),
    ("share_amber", |portfolio| portfolio.color_share(Color::Amber)),
    ("share_green", |portfolio| portfolio.color_share(Color::Green)),
];

/// The columns, one row per rep on duty.
pub(super) fn columns(inputs: &SubjectInputs<'_>) -> Columns {
    let SubjectInputs { windows, measures, reps, factors, .. } = *inputs;
    let crm = &windows.crm;
    let mut columns = Columns::new(reps.len());
    let mut set = |key: &str, of: &dyn Fn(usize, usize) -> Option<f64>| {
        if let Some(subject) = Subject::find(key) {
            columns.set_numbers(subject, reps.iter().enumerate().map(|(row, &rep)| of(row, rep)));
        }
    };
    for (place, key) in FACTORS.into_iter().enumerate() {
        set(key, &|_, rep| factors[rep][place].raw);
    }
    let health = |rep: usize| -> Option<&ProcessHealth> { measures.process.get(rep) };
    for (place, key) in COMPONENTS.into_iter().enumerate() {
        set(key, &|_, rep| health(rep)?.components[place].value);
    }
    set("process_health", &|_, rep| health(rep)?.index);
    let portfolio = |rep: usize| &measures.portfolios.reps[rep];
    set("customers", &|_, rep| Some(real(portfolio(rep).customers)));
    for (key, share) in MIX {
        set(key, &|_, rep| share(portfolio(rep)));
    }
    let major = |minor: i64| real(minor) / 100.0;
    let previous = |rep: usize| Some(inputs.previous.get(&crm.reps[rep].id)?.quota);
    set("attained", &|row, _| Some(major(inputs.attained[row])));
    set("expected", &|row, _| Some(inputs.expected[row].round() / 100.0));
    set("proposal", &|row, _| Some(major(inputs.proposals[row])));
    set("previous_quota", &|_, rep| previous(rep).map(major));
    set("attainment", &|row, rep| ratio(inputs.attained[row], previous(rep)?));
    let tenure = |rep: usize| Some(f64::from((inputs.as_of - crm.reps[rep].hired_on?).max(0)) / 30.4);
    set("tenure_months", &|_, rep| tenure(rep));
    set("hired_on", &|_, rep| crm.reps[rep].hired_on.map(f64::from));
    let mut set = |key: &str, of: &dyn Fn(usize) -> Option<Vec<String>>| {
        if let Some(subject) = Subject::find(key) {
            columns.set_texts(subject, Texts::new(reps.iter().map(|&rep| of(rep))));
        }
    };
    set("rep_id", &|rep| Some(vec![crm.reps[rep].id.clone()]));
    set("manager_id", &|rep| Some(vec![crm.reps[rep].manager.clone()?]));
    set("status", &|rep| Some(vec![crm.reps[rep].status.clone()?]));
    set("region_id", &|rep| {
        let regions = crm.regions.upward(crm.reps[rep].region?);
        Some(regions.filter_map(|region| crm.regions.ids.get(region).cloned()).collect())
    });
    columns.set_calendar(inputs.as_of, &windows.period);
    columns
}
