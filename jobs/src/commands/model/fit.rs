//! `tideline model fit`: a model of a yes-or-no column, and how good it is.

use std::path::Path;

use arrow::array::{Array as _, Float64Array, StringArray, UInt64Array};
use models::tabular::{
    Column, FitOptions, Fitted, Frame, Model, Order, Scored, Values, fit, measure, permutation,
};

use super::output::{column, format, write};
use super::{FORMAT, MODEL_FILE, REPORT_FILE, Saved, refused, write_json};
use crate::cli::{ModelFitArgs, SplitBy};
use crate::import::BadInput;
use crate::output;
use crate::report::model::{Basis, Feature, Report, text};
use crate::table_file::{TableFile, cell, typed};

/// Values of a label that mean yes, in lower case.
const YES: [&str; 9] = ["1", "1.0", "true", "t", "yes", "y", "won", "positive", "是"];

pub(in crate::commands) fn run(args: &ModelFitArgs) -> anyhow::Result<()> {
    if !(args.test > 0.0 && args.test < 1.0) {
        return Err(BadInput::new(format!("--test {}: a share between 0 and 1 is needed", args.test)).into());
    }
    if let Some(to) = &args.predictions {
        format(to)?;
    }
    let table = TableFile::read(&args.from)?;
    if table.rows() == 0 {
        return Err(table.error("it has a header and no row").into());
    }
    let (labels, positive) = labels(&table, args)?;
    let frame = features(&table, args)?;
    let (order, out_of_order) = order(&table, args)?;
    let (train, test) = order.split_at(order.len() - test_rows(order.len(), args));
    let of = |rows: &[usize]| rows.iter().map(|&row| labels[row]).collect::<Vec<bool>>();
    let in_time = match args.split {
        Some(SplitBy::Random) => false,
        Some(SplitBy::Time) => true,
        None => args.time.is_some(),
    };
    let options = FitOptions {
        order: if in_time { Order::Time } else { Order::Random },
        seed: u64::from(args.seed),
        time: args.time.clone(),
    };
    let train_frame = frame.take(train);
    let fitted = fit(&train_frame, &of(train), &options).map_err(|error| refused(&args.from, &error))?;
    let refused = |error| refused(&args.from, &error);
    let model = save(args, &positive, fitted.model.clone())?;
    let (rows, scored, basis) = if test.is_empty() {
        let (rows, scored) = held_out(train, &fitted);
        if rows.is_empty() {
            (train.to_vec(), model.score(&train_frame).map_err(refused)?, Basis::InSample)
        } else {
            (rows, scored, Basis::OutOfFold)
        }
    } else {
        (test.to_vec(), model.score(&frame.take(test)).map_err(refused)?, Basis::Test)
    };
    let probabilities: Vec<f64> = scored.iter().map(|scored| scored.probability).collect();
    let importance = model.importance(&train_frame).map_err(refused)?;
    let report = Report {
        label: args.label.clone(),
        positive: positive.clone(),
        train_rows: train.len(),
        train_positives: of(train).iter().filter(|&&label| label).count(),
        basis,
        in_time,
        rows_out_of_order: out_of_order,
        measures: measure(&probabilities, &of(&rows)),
        features: importance
            .into_iter()
            .map(|(column, mean_log_odds)| Feature { column, mean_log_odds })
            .collect(),
        left_out: fitted.left_out.iter().map(|left| (left.column.clone(), left.reason.to_owned())).collect(),
        choices: fitted.choices,
    };
    write_json(&args.out.join(REPORT_FILE), &report)?;
    if let Some(to) = &args.predictions {
        predictions(to, &table, args, &rows, &scored)?;
    }
    output::print(&text(&report, &args.out))
}

/// Writes the model, and reads it again: what is reported is then what a later `score` says, where JSON rounded the last
/// bit of a number.
fn save(args: &ModelFitArgs, positive: &str, model: Model) -> anyhow::Result<Model> {
    std::fs::create_dir_all(&args.out)
        .map_err(|error| BadInput::new(format!("cannot make {}: {error}", args.out.display())))?;
    let (label, positive, id) = (args.label.clone(), positive.to_owned(), args.id.clone());
    write_json(&args.out.join(MODEL_FILE), &Saved { format: FORMAT, label, positive, id, model })?;
    Ok(Saved::load(&args.out)?.model)
}

/// How many rows are kept back: all but the first `⌊(1 − share) · n⌋`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of the rows, which are far below 2^53"
)]
fn test_rows(n: usize, args: &ModelFitArgs) -> usize {
    if args.split.is_none() { 0 } else { n - ((1.0 - args.test) * n as f64) as usize }
}

/// The label of each row, and the value that counts as true.
fn labels(table: &TableFile, args: &ModelFitArgs) -> anyhow::Result<(Vec<bool>, String)> {
    let texts = table.text("--label", &args.label)?;
    if let Some(row) = (0..texts.len()).find(|&row| texts.is_null(row)) {
        return Err(table.bad_cell(&args.label, row, "", "labels (drop the rows without one)").into());
    }
    let mut distinct: Vec<&str> = Vec::new();
    for text in texts.iter().flatten() {
        if !distinct.contains(&text) {
            distinct.push(text);
        }
        if distinct.len() > 2 {
            let message = format!(
                "the label {} has more than two values, among them {}; a model learns a yes or no",
                args.label,
                distinct.join(", ")
            );
            return Err(table.error(&message).into());
        }
    }
    distinct.sort_unstable();
    let [first, second] = distinct.as_slice() else {
        let message = format!(
            "the label {} is {} in every row; a model needs both outcomes",
            args.label,
            distinct.join("")
        );
        return Err(table.error(&message).into());
    };
    let is_yes = |text: &str| YES.contains(&text.to_lowercase().as_str());
    let positive = match &args.positive {
        Some(value) if value == first || value == second => value.as_str(),
        Some(value) => {
            let message =
                format!("--positive {value}: the label {} has the values {first} and {second}", args.label);
            return Err(table.error(&message).into());
        }
        None if is_yes(first) && !is_yes(second) => first,
        None => second,
    };
    Ok((texts.iter().map(|text| text == Some(positive)).collect(), positive.to_owned()))
}

/// All columns but those that options take away.
fn features(table: &TableFile, args: &ModelFitArgs) -> anyhow::Result<Frame> {
    for name in &args.drop {
        table.text("--drop", name)?;
    }
    let taken = |name: &str| name == args.label || Some(name) == args.id.as_deref();
    let mut columns = Vec::new();
    for name in table.header() {
        if !taken(name) && !args.drop.contains(name) {
            columns.push(typed(name, table.text("the table", name)?));
        }
    }
    if let Some(id) = &args.id {
        table.text("--id", id)?;
    }
    Frame::new(columns, table.rows()).map_err(|error| table.error(&error.to_string()).into())
}

/// The rows in the order they are split in, and how many of them stood before an earlier one.
fn order(table: &TableFile, args: &ModelFitArgs) -> anyhow::Result<(Vec<usize>, usize)> {
    let mut order: Vec<usize> = (0..table.rows()).collect();
    let mut out_of_order = 0;
    if let Some(name) = &args.time {
        let texts = table.text("--time", name)?;
        let Column { values: Values::Number(times) | Values::Date(times), .. } = typed(name, texts) else {
            let row = table.as_kind(name, texts, models::tabular::Kind::Date).err();
            return Err(row.unwrap_or_else(|| table.error("--time needs dates or numbers")).into());
        };
        if let Some(row) = times.iter().position(|time| time.is_nan()) {
            return Err(table.bad_cell(name, row, cell(texts, row), "dates or numbers to order by").into());
        }
        out_of_order = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
        order.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
    }
    if args.split == Some(SplitBy::Random) {
        order = permutation(args.seed, order.len()).into_iter().map(|position| order[position]).collect();
    }
    Ok((order, out_of_order))
}

/// The training rows that folds judged, and what they said of them.
fn held_out(train: &[usize], fitted: &Fitted) -> (Vec<usize>, Vec<Scored>) {
    train.iter().zip(&fitted.out_of_fold).filter_map(|(&row, scored)| Some((row, (*scored)?))).unzip()
}

/// Writes `row` or the id, the label as it stands in the table, and the probability with its interval.
fn predictions(
    to: &Path,
    table: &TableFile,
    args: &ModelFitArgs,
    rows: &[usize],
    scored: &[Scored],
) -> anyhow::Result<()> {
    let texts = |name: &str| -> Result<StringArray, BadInput> {
        let texts = table.text("--predictions", name)?;
        Ok(StringArray::from_iter_values(rows.iter().map(|&row| cell(texts, row))))
    };
    let id = match &args.id {
        Some(id) => column("id", texts(id)?),
        None => column("id", UInt64Array::from_iter_values(rows.iter().map(|&row| row as u64))),
    };
    let of = |of: fn(&Scored) -> f64| Float64Array::from_iter_values(scored.iter().map(of));
    let columns = vec![
        id,
        column("label", texts(&args.label)?),
        column("probability", of(|scored| scored.probability)),
        column("low", of(|scored| scored.low)),
        column("high", of(|scored| scored.high)),
    ];
    write(to, columns)
}
