//! The model of the process-health index, judged by how near it is, and by its probability of red.

use std::collections::BTreeMap;

use engine::score::{Cells, INDEX_DAYS, IndexRows, IndexScorer as _};
use engine::time::{Day, date};
use models::outlook::{Expected, Outlook, fit};
use models::tabular::measure;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::judge::{Compared, Group, Groups, Split, Verdict, base_rate, comparable, cut, distinct, rate_by};
use super::{Fitted, Trained};
use crate::config::Model as Config;
use crate::index_model::{Asked, INDEX, IndexModel, KINDS, columns};
use crate::model_file::model_id;

/// Judged rows that a comparison of mean errors needs.
const JUDGED_MIN: usize = 20;

/// How near forecasts were to what came, on the judged rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Levels {
    /// Mean absolute error, points.
    pub(crate) mae: f64,
    /// Share of the outcomes within the 80 % interval.
    pub(crate) coverage: f64,
    /// Mean width of that interval, points.
    pub(crate) width: f64,
    /// The same error of others on the same rows.
    pub(crate) against: Vec<Beside>,
}

/// Another's mean absolute error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Beside {
    pub(crate) name: String,
    /// Rows that both are compared by.
    pub(crate) rows: usize,
    /// Of the model on these, points.
    pub(crate) own: f64,
    /// Of the other, points.
    pub(crate) other: f64,
}

/// Fits and judges a model of indices. Where nothing can be learnt, the error says why.
pub(crate) fn train_indices(
    rows: &IndexRows,
    in_use: Option<(&IndexModel, Day)>,
    config: &Config,
    red_below: f64,
    as_of: Day,
) -> anyhow::Result<Fitted> {
    let (days, came) = (&rows.days, &rows.came);
    let known: Vec<usize> = (0..days.len()).filter(|&row| !came[row].is_nan()).collect();
    let Some(asked) =
        (!known.is_empty()).then(|| Asked::new(&rows.cases)).transpose().map_err(anyhow::Error::msg)?
    else {
        return Ok(Err(too_few(0, config)));
    };
    let looks = asked.looks(days);
    let fitted = |of: &[usize]| fit(&looks, of, came, INDEX_DAYS, KINDS.len());
    let split = split(days, &known);
    let early = split.train.len() >= config.rows_min && split.judged.len() >= JUDGED_MIN;
    let Some(first) = early.then(|| fitted(&split.train)).flatten() else {
        return Ok(Err(too_few(known.len(), config)));
    };
    // Of what the fit says nothing, nothing can be judged.
    let said = first.ahead(&looks, red_below);
    let split =
        Split { judged: split.judged.into_iter().filter(|&row| said[row].is_some()).collect(), ..split };
    let own: Vec<Expected> = split.judged.iter().filter_map(|&row| said[row]).collect();
    let labels: Vec<bool> = came.iter().map(|came| *came < red_below).collect();
    let p_red: Vec<f64> = own.iter().map(|said| said.p_under).collect();
    let mut compared = Compared::new(&split, &labels, &p_red);
    compared.plain("the base rate", &base_rate(&split, &labels));
    compared.plain("the rate by color", &rate_by(&rows.colors, &split, &labels));
    let mut levels = levels(&own, &split, came);
    let stays: Vec<Option<f64>> = split.judged.iter().map(|&row| Some(asked.now[row])).collect();
    levels.beside("the index as it is", &own, &stays, (&split, came));
    let judged = split.labels(&labels);
    let mut ruling = verdict(&levels, &compared, &judged, config.margin);
    if let Some((model, fitted_on)) = in_use.filter(|_| ruling.promoted) {
        let theirs = new_to(&model.outlook().ahead(&looks, red_below), &split, (days, fitted_on));
        let name = format!("the model in use ({})", model.id());
        ruling = if levels.beside(&name, &own, &theirs, (&split, came)) {
            verdict(&levels, &compared, &judged, config.margin)
        } else {
            unknown(model.id(), fitted_on)
        };
    }
    let Some(outlook) = fitted(&known) else { return Ok(Err(too_few(known.len(), config))) };
    let parameters = told(&outlook);
    let bytes = IndexModel::to_bytes(outlook, date(as_of).to_string())?;
    Ok(Ok(Trained {
        name: INDEX,
        id: model_id(&bytes),
        bytes,
        verdict: ruling,
        rows: known.len(),
        fitted_rows: known.len(),
        fitted_on: "looks at the process health of reps, managers, regions and the company",
        censored: (rows.censored, "later looks at all of them are left out, their 14 days are not over"),
        judged_days: split.span(days),
        score: compared.own(),
        groups: groups(rows, &split, &labels, &p_red),
        levels: Some(levels),
        against: compared.against,
        calibration: measure(&p_red, &split.labels(&labels)).calibration,
        parameters,
        importance: Vec::new(),
    }))
}

/// What another model, fitted as of a day, says of the judged rows whose outcome it hasn't learnt from.
fn new_to(said: &[Option<Expected>], split: &Split, (days, fitted_on): (&[Day], Day)) -> Vec<Option<f64>> {
    let of = |&row: &usize| said[row].map(|said| said.level).filter(|_| days[row] > fitted_on - INDEX_DAYS);
    split.judged.iter().map(of).collect()
}

fn unknown(id: &str, fitted_on: Day) -> Verdict {
    let reason = format!(
        "too few outcomes are known that the model in use ({id}, fitted as of {}) has not learnt from",
        date(fitted_on)
    );
    Verdict { promoted: false, reason }
}

fn too_few(looks: usize, config: &Config) -> String {
    format!(
        "{looks} looks at process-health indices whose {INDEX_DAYS} days are over are too few: a model needs {} to fit \
         on, over some weeks, and others from {INDEX_DAYS} days later on to judge by",
        config.rows_min
    )
}

/// Judged are the rows of the last quarter of the days, by those whose outcome was known on the first of them.
fn split(days: &[Day], known: &[usize]) -> Split {
    let looks = distinct(&known.iter().map(|&row| days[row]).collect::<Vec<_>>());
    let from = looks.get(cut(looks.len())).copied().unwrap_or(Day::MAX);
    let rows = |keep: &dyn Fn(Day) -> bool| known.iter().copied().filter(|&row| keep(days[row])).collect();
    Split { from, train: rows(&|day| day <= from - INDEX_DAYS), judged: rows(&|day| day >= from) }
}

fn levels(own: &[Expected], split: &Split, came: &[f64]) -> Levels {
    let pairs = || own.iter().zip(split.judged.iter().map(|&row| came[row]));
    Levels {
        mae: mean(pairs().map(|(said, came)| (said.level - came).abs())),
        coverage: mean(
            pairs().map(|(said, came)| f64::from(u8::from((said.low..=said.high).contains(&came)))),
        ),
        width: mean(pairs().map(|(said, _)| said.high - said.low)),
        against: Vec::new(),
    }
}

impl Levels {
    /// Holds the model against another's levels of the judged rows, where it has any; false where those are too few.
    fn beside(
        &mut self,
        name: &str,
        own: &[Expected],
        theirs: &[Option<f64>],
        (split, came): (&Split, &[f64]),
    ) -> bool {
        let all = own.iter().zip(theirs).zip(&split.judged);
        let errors: Vec<(f64, f64)> = all
            .filter_map(|((own, theirs), &row)| {
                Some(((own.level - came[row]).abs(), (theirs.as_ref()? - came[row]).abs()))
            })
            .collect();
        if errors.len() < JUDGED_MIN {
            return false;
        }
        self.against.push(Beside {
            name: name.to_owned(),
            rows: errors.len(),
            own: mean(errors.iter().map(|(own, _)| *own)),
            other: mean(errors.iter().map(|(_, other)| *other)),
        });
        true
    }
}

/// Whether it is nearer than all by the margin, and where both outcomes are there its probabilities better as well.
fn verdict(levels: &Levels, compared: &Compared<'_>, judged: &[bool], margin: f64) -> Verdict {
    for Beside { name, own, other, .. } in &levels.against {
        let gain = 1.0 - own / other.max(f64::MIN_POSITIVE);
        if gain.is_nan() || gain < margin {
            let percent = 100.0 * margin;
            let reason = format!(
                "its mean error of {own:.3} points is not {percent:.1} % below the {other:.3} of {name}"
            );
            return Verdict { promoted: false, reason };
        }
    }
    let names: Vec<&str> = levels.against.iter().map(|beside| beside.name.as_str()).collect();
    let near =
        format!("its mean error is at least {:.1} % below that of {}", 100.0 * margin, names.join(", "));
    if !comparable(judged) {
        return Verdict { promoted: true, reason: near };
    }
    let ruling = compared.verdict(margin);
    if ruling.promoted { Verdict { reason: format!("{near}; {}", ruling.reason), ..ruling } } else { ruling }
}

/// The judged rows by scope and by the color that the index had.
fn groups(rows: &IndexRows, split: &Split, labels: &[bool], p_red: &[f64]) -> Vec<Group> {
    let groups = Groups::new(split, labels, p_red);
    let mut all = Vec::new();
    if let Some(Cells::Text { codes, levels }) = rows.cases.column("scope") {
        let codes: Vec<Option<u32>> = codes.iter().map(|&code| Some(code)).collect();
        all = groups.by("scope", &codes, |code| levels.get(usize::try_from(*code).ok()?).cloned());
    }
    let colors: Vec<Option<&str>> = rows.colors.iter().map(|color| Some(*color)).collect();
    all.extend(groups.by("color", &colors, |color| Some((*color).to_owned())));
    all
}

/// What was fitted, by kind of scope.
fn told(outlook: &Outlook) -> serde_json::Value {
    let of = |kind: &models::outlook::Kind| {
        let weights = columns().into_iter().zip(kind.ridge.weights.iter().copied());
        json!({ "penalty": kind.ridge.penalty, "weights": weights.collect::<BTreeMap<String, f64>>() })
    };
    let kinds = KINDS.into_iter().zip(outlook.kinds());
    let fitted = kinds.filter_map(|(name, kind)| Some((name.to_owned(), of(kind.as_ref()?))));
    json!({ "days_ahead": INDEX_DAYS, "fits": fitted.collect::<BTreeMap<_, _>>() })
}

#[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len().max(1) as f64;
    values.sum::<f64>() / n
}
