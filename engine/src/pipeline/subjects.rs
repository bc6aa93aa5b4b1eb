//! What rules can ask about each rep, from what the run has computed so far.

use super::stage::{Measures, Windows};
use crate::factor::{FACTORS, Factor};
use crate::measure::customer::{Color, CustomerMeasure, Lifestage};
use crate::measure::process::ProcessHealth;
use crate::measure::{COMPONENTS, at, count, ratio, real};
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

/// Whether a customer is of some kind.
type Is = fn(&CustomerMeasure) -> bool;

/// Kinds of customers of whom a rep has some share.
const MIX: [(&str, Is); 9] = [
    ("share_new", |customer| customer.stage == Lifestage::New),
    ("share_growing", |customer| customer.stage == Lifestage::Growing),
    ("share_mature", |customer| customer.stage == Lifestage::Mature),
    ("share_at_risk", |customer| customer.stage == Lifestage::AtRisk),
    ("share_lost", |customer| customer.stage == Lifestage::Lost),
    ("share_prospect", |customer| customer.stage == Lifestage::Prospect),
    ("share_red", |customer| customer.color == Color::Red),
    ("share_amber", |customer| customer.color == Color::Amber),
    ("share_green", |customer| customer.color == Color::Green),
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
    let (customers, mix) = customers(inputs);
    set("customers", &|_, rep| Some(real(customers[rep])));
    for (place, (key, _)) in MIX.into_iter().enumerate() {
        set(key, &|_, rep| ratio(mix[rep][place], customers[rep]));
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

/// Per rep of the CRM the customers owned, and how many of them are of each kind of [`MIX`].
fn customers(inputs: &SubjectInputs<'_>) -> (Vec<i64>, Vec<[i64; MIX.len()]>) {
    let crm = &inputs.windows.crm;
    let (mut customers, mut mix) = (vec![0; crm.reps.len()], vec![[0; MIX.len()]; crm.reps.len()]);
    for customer in &inputs.measures.customers {
        let Some(owner) = crm.customers.owner[at(customer.key)].map(at) else { continue };
        customers[owner] += 1;
        for (sum, (_, is)) in mix[owner].iter_mut().zip(MIX) {
            *sum += count(usize::from(is(customer)));
        }
    }
    (customers, mix)
}
