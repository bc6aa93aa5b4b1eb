//! The mart of lead scores.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, ListArray, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType;

use crate::error::{EngineError, Result};
use crate::lake::tables::reason;
use crate::mart::{Columns, Mart};
use crate::measure::at;
use crate::pipeline::stage::{Measures, Windows};
use crate::score::lead::ScoredLeads;
use crate::settings::Score;

/// A row per open lead, by ascending id.
pub(super) fn lead_score(
    scored: &ScoredLeads,
    windows: &Windows,
    measures: &Measures,
    settings: &Score,
) -> Result<Mart> {
    let facts = &windows.facts;
    let p = |of: usize| scored.scores.p_convert.iter().map(move |stated| Some(stated[of]));
    let rep = |number: &u32| facts.reps.get(measures.leads[at(*number)].assignee?);
    let graded: Vec<(&str, bool)> = scored.scores.p_convert.iter().map(|p| grade(*p, settings)).collect();
    let reasons = reasons(scored)?;
    Columns::default()
        .text(scored.numbers.iter().map(|number| facts.leads.get(*number).unwrap_or_default()))
        .maybe_text(scored.numbers.iter().map(rep))
        .ratio(p(0))
        .ratio(p(1))
        .ratio(p(2))
        .ratio(scored.points().map(|(_, points)| Some(points)))
        .text(graded.iter().map(|(grade, _)| *grade))
        .flag(graded.iter().map(|(_, unsure)| *unsure))
        .text(scored.numbers.iter().map(|_| scored.model_id.as_str()))
        .ratio(scored.numbers.iter().map(|_| Some(scored.scores.intercept)))
        .array(reasons)
        .of("mart.lead_score")
}

/// The grade of a probability with its interval, and whether that is unsure: where the interval spans a border, the
/// grade of its upper end stands.
fn grade([_, low, high]: [f64; 3], settings: &Score) -> (&'static str, bool) {
    let of = |p: f64| {
        let place = settings.grades.iter().position(|&from| 100.0 * p >= from);
        place.and_then(|place| ["A", "B", "C"].get(place)).copied().unwrap_or("D")
    };
    (of(high), of(low) != of(high))
}

/// Lists of feature, value and contribution.
fn reasons(scored: &ScoredLeads) -> Result<ArrayRef> {
    let rows = || scored.scores.reasons.iter().enumerate();
    let terms: Vec<(usize, &(String, f64))> =
        rows().flat_map(|(row, terms)| terms.iter().map(move |term| (row, term))).collect();
    let names = StringArray::from_iter_values(terms.iter().map(|(_, (name, _))| name));
    let values: StringArray = terms.iter().map(|(row, (name, _))| scored.cases.text(name, *row)).collect();
    let contributions = Float64Array::from_iter_values(terms.iter().map(|(_, (_, term))| *term));
    let columns: Vec<ArrayRef> = vec![Arc::new(names), Arc::new(values), Arc::new(contributions)];
    let element = Arc::new(reason());
    let DataType::Struct(fields) = element.data_type() else {
        return Err(EngineError::Lake("a reason is a struct".to_owned()));
    };
    let of_all =
        StructArray::try_new(fields.clone(), columns, None).map_err(EngineError::arrow("listing reasons"))?;
    let offsets = OffsetBuffer::from_lengths(rows().map(|(_, terms)| terms.len()));
    let lists = ListArray::try_new(Arc::clone(&element), offsets, Arc::new(of_all), None);
    Ok(Arc::new(lists.map_err(EngineError::arrow("listing reasons"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_grade_stands() {
        let check = |p: [f64; 3], expected: (&str, bool)| {
            assert_eq!(grade(p, &Score::default()), expected, "{p:?}");
        };
        check([0.45, 0.41, 0.50], ("A", false));
        check([0.39, 0.30, 0.42], ("A", true));
        check([0.40, 0.40, 0.40], ("A", false));
        check([0.21, 0.05, 0.30], ("B", true));
        check([0.01, 0.00, 0.02], ("D", false));
        check([0.07, 0.01, 0.08], ("C", true));
    }
}
