//! Who is on duty in a trial: the reps of the day, with some coming, going and moving.

use std::collections::{BTreeMap, BTreeSet};

use crate::entity::{Crm, Rep};
use crate::error::{EngineError, Result};
use crate::measure::at;
use crate::pipeline::past::Past;
use crate::quota::{Member, PredictInput, Sold};
use crate::rule::{Columns, Subject, Texts};
use crate::time::Day;

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
        let nowhere = u32::try_from(crm.regions.ids.len()).unwrap_or(u32::MAX);
        let mut people: BTreeMap<String, Person> = BTreeMap::new();
        for (row, &rep) in self.state.quotas.ground.basis.reps.iter().enumerate() {
            let rep = &crm.reps[rep];
            people.insert(
                rep.id.clone(),
                Person { rep: rep.clone(), row: Some(row), moved: false, tenure: 0.0, nowhere },
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
                role: None,
                manager: None,
                hired_on: None,
                left_on: None,
                status: None,
            };
            let person = Person { rep, row: None, moved: true, tenure: hire.tenure_months, nowhere };
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
    /// The number of no region.
    nowhere: u32,
}

/// Days of a mean month.
const MONTH_DAYS: f64 = 365.25 / 12.0;

/// What the prediction is made from, for these people; those who go are off duty.
pub(super) fn input(of: &PredictInput, people: &[Person]) -> PredictInput {
    let on_duty = of.attained.len();
    let kept: BTreeSet<usize> = people.iter().filter_map(|person| person.row).collect();
    let gone = (0..of.staff.len()).filter(|row| !kept.contains(row));
    let rows: Vec<Option<usize>> = people.iter().map(|person| person.row).chain(gone.map(Some)).collect();
    let member = |(place, row): (usize, &Option<usize>)| {
        let known = row.map(|row| of.staff[row]);
        let Some(person) = people.get(place) else {
            let gone = row.is_some_and(|row| row < on_duty).then_some(of.as_of);
            let nobody = Member { region: 0, hired: None, left: Some(of.as_of) };
            let known = known.unwrap_or(nobody);
            return Member { left: gone.or(known.left), ..known };
        };
        let region = person.rep.region.and_then(|region| u32::try_from(region).ok());
        let nowhere = known.map_or(person.nowhere, |known| known.region);
        #[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
        let hired = || of.as_of - (person.tenure * MONTH_DAYS).round() as Day;
        match known {
            Some(known) if !person.moved => known,
            _ => Member {
                region: region.unwrap_or(nowhere),
                hired: known.map_or_else(|| Some(hired()), |known| known.hired),
                left: known.and_then(|known| known.left),
            },
        }
    };
    let mut numbers = vec![0; of.staff.len()];
    for (row, number) in rows.iter().zip(0_u32..) {
        if let Some(row) = *row {
            numbers[row] = number;
        }
    }
    let mut sales: Vec<Sold> =
        of.sales.iter().map(|sold| Sold { rep: numbers[at(sold.rep)], ..*sold }).collect();
    sales.sort_by_key(|sold| sold.rep);
    let mut pipeline = of.pipeline.clone();
    if let Some(pipeline) = &mut pipeline {
        pipeline.open.retain(|deal| kept.contains(&deal.row));
        pipeline.open.iter_mut().for_each(|deal| deal.row = numbers[deal.row] as usize);
    }
    PredictInput {
        staff: rows.iter().enumerate().map(member).collect(),
        sales,
        attained: people.iter().map(|person| person.row.map_or(0.0, |row| of.attained[row])).collect(),
        pipeline,
        working: of.working.clone(),
        ..*of
    }
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
