//! Who is on duty in a trial: the reps of the day, with some coming, going and moving.

use std::collections::BTreeMap;

use crate::entity::{Crm, Rep};
use crate::error::{EngineError, Result};
use crate::factor::Factor;
use crate::pipeline::past::Past;
use crate::quota::PredictInput;
use crate::rule::{Columns, Subject, Texts};

/// Who comes, goes and moves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Staff {
    /// Reps that come.
    pub hires: Vec<Hire>,
    /// Ids of reps that go.
    pub leavers: Vec<String>,
    /// Ids of reps with the region that they move to.
    pub moves: BTreeMap<String, String>,
}

/// A rep that comes. It leans on its region, and its tenure says how far it is up to speed.
#[derive(Debug, Clone, PartialEq)]
pub struct Hire {
    /// An id that nobody has.
    pub rep_id: String,
    /// Its region.
    pub region_id: String,
    /// Months of experience.
    pub tenure_months: f64,
}

impl Past {
    /// Who is on duty after all, by ascending id.
    pub(super) fn people(&self, staff: &Staff) -> Result<Vec<Person>> {
        let crm = &self.state.windows.crm;
        let region = |id: &str| {
            let unknown = || EngineError::Input(format!("there is no region {id}"));
            crm.regions.position(id).ok_or_else(unknown)
        };
        let mut people: BTreeMap<String, Person> = BTreeMap::new();
        for (row, &rep) in self.state.quotas.ground.basis.reps.iter().enumerate() {
            let rep = &crm.reps[rep];
            people.insert(
                rep.id.clone(),
                Person { rep: rep.clone(), row: Some(row), moved: false, tenure: 0.0 },
            );
        }
        let unknown = |id: &str| EngineError::Input(format!("no rep {id} is on duty as of the day"));
        for (id, to) in &staff.moves {
            let person = people.get_mut(id).ok_or_else(|| unknown(id))?;
            person.rep.region = Some(region(to)?);
            person.moved = true;
        }
        for id in &staff.leavers {
            people.remove(id).ok_or_else(|| unknown(id))?;
        }
        for hire in &staff.hires {
            let rep = Rep {
                id: hire.rep_id.clone(),
                region: Some(region(&hire.region_id)?),
                team: None,
                manager: None,
                hired_on: None,
                left_on: None,
                status: None,
            };
            let person = Person { rep, row: None, moved: true, tenure: hire.tenure_months };
            if people.insert(hire.rep_id.clone(), person).is_some() {
                return Err(EngineError::Input(format!("there is a rep {} already", hire.rep_id)));
            }
        }
        Ok(people.into_values().collect())
    }
}

/// Somebody on duty.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) rep: Rep,
    /// The row of the published day.
    pub(super) row: Option<usize>,
    /// Whether the region is another, or there was none.
    pub(super) moved: bool,
    tenure: f64,
}

/// What the prediction is made from, for these people.
pub(super) fn input(of: &PredictInput, people: &[Person], factors: &[[Factor; 18]]) -> PredictInput {
    let months = of.n_months;
    let mut input = PredictInput {
        n_months: months,
        first_month: of.first_month,
        working_days: of.working_days.clone(),
        working_days_period: of.working_days_period,
        working_days_left: of.working_days_left,
        ..PredictInput::default()
    };
    for (person, factors) in people.iter().zip(factors) {
        let row = |cells: &[f64]| match person.row {
            Some(row) => cells[row * months..(row + 1) * months].to_vec(),
            None => vec![0.0; months],
        };
        input.history.extend(row(&of.history));
        input.worked.extend(row(&of.worked));
        let region = person.rep.region.and_then(|region| u32::try_from(region).ok());
        let known = person.row.map(|row| of.region[row]);
        input.region.push(if person.moved { region.unwrap_or(u32::MAX) } else { known.unwrap_or(u32::MAX) });
        input.tenure_months.push(person.row.map_or(person.tenure, |row| of.tenure_months[row]));
        input.attained.push(person.row.map_or(0.0, |row| of.attained[row]));
        input.factor_effect.extend(factors.iter().map(|factor| factor.effect));
    }
    input
}

/// What rules can ask about, with the ids and regions of these people.
pub(super) fn subjects(of: &Columns, people: &[Person], crm: &Crm) -> Columns {
    let mut subjects = of.clone();
    if people.iter().all(|person| !person.moved) {
        return subjects;
    }
    let mut set = |key: &str, of: &dyn Fn(&Person) -> Option<Vec<String>>| {
        if let Some(subject) = Subject::find(key) {
            subjects.set_texts(subject, Texts::new(people.iter().map(of)));
        }
    };
    set("rep_id", &|person| Some(vec![person.rep.id.clone()]));
    set("region_id", &|person| {
        let regions = crm.regions.upward(person.rep.region?);
        Some(regions.filter_map(|region| crm.regions.ids.get(region).cloned()).collect())
    });
    subjects
}
