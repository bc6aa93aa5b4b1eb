//! What an analyst wants: the colour of a customer's health, the period of a day. Whole columns at once, because these are
//! asked of every customer and every event.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type};
use arrow::util::display::array_value_to_string;
use datafusion::common::ScalarValue;
use datafusion::common::types::{NativeType, logical_date, logical_string};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    Coercion, ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignatureClass,
    Volatility,
};
use engine::quota::Span;
use engine::settings::Settings;

/// Days from year 1 to 1970, and to year 10000: what a period has a name for.
const DAYS: std::ops::Range<i32> = -719_162..2_932_897;

/// All of them, by the company's settings.
pub(super) fn all(settings: &Settings) -> Vec<ScalarUDF> {
    vec![health_color(settings), period_of(settings)]
}

/// What makes a column of texts of a column.
type Compute = Arc<dyn Fn(&ArrayRef) -> Result<StringArray> + Send + Sync>;

/// A function of one column, whose answer is a text.
struct OfColumn {
    name: &'static str,
    signature: Signature,
    compute: Compute,
}

/// `health_color(x)`: `red`, `amber` or `green` for a customer's health, by the thresholds of the settings.
fn health_color(settings: &Settings) -> ScalarUDF {
    let (red, amber) = (settings.health.red_below, settings.health.amber_below);
    let color = move |below: &dyn Fn(i64) -> bool| {
        if below(red) {
            "red"
        } else if below(amber) {
            "amber"
        } else {
            "green"
        }
    };
    let compute = move |column: &ArrayRef| {
        if let Some(whole) = column.as_primitive_opt::<Int64Type>() {
            return Ok(whole
                .iter()
                .map(|health| health.map(|health| color(&|limit| health < limit)))
                .collect());
        }
        let below = |health: f64, limit: i64| {
            i32::try_from(limit).map_or(limit > 0, |limit| health < f64::from(limit))
        };
        let numbers = column.as_primitive::<Float64Type>();
        Ok(numbers.iter().map(|health| health.map(|health| color(&|limit| below(health, limit)))).collect())
    };
    let signature = Signature::uniform(1, vec![DataType::Int64, DataType::Float64], Volatility::Immutable);
    ScalarUDF::new_from_impl(OfColumn { name: "health_color", signature, compute: Arc::new(compute) })
}

/// `period_of(date)`: the quota's period in which a day falls, as in `mart.quota.period`.
fn period_of(settings: &Settings) -> ScalarUDF {
    let period = settings.quota.period;
    let compute = move |column: &ArrayRef| {
        let days = column.as_primitive::<Date32Type>();
        let mut names: BTreeMap<i32, String> = BTreeMap::new();
        for (row, day) in days.iter().enumerate() {
            let Some(day) = day.filter(|day| !names.contains_key(day)) else { continue };
            if !DAYS.contains(&day) {
                let date = array_value_to_string(days, row).unwrap_or_else(|_| format!("the day {day}"));
                return Err(DataFusionError::Execution(format!(
                    "period_of: {date} is outside the years 1 to 9999"
                )));
            }
            names.insert(day, Span::of(day, period).name);
        }
        Ok(days.iter().map(|day| names.get(&day?)).collect())
    };
    // A day, or its text as in a comparison with one.
    let (day, text) =
        (TypeSignatureClass::Native(logical_date()), TypeSignatureClass::Native(logical_string()));
    let signature = Signature::coercible(
        vec![Coercion::new_implicit(day, vec![text], NativeType::Date)],
        Volatility::Immutable,
    );
    ScalarUDF::new_from_impl(OfColumn { name: "period_of", signature, compute: Arc::new(compute) })
}

impl fmt::Debug for OfColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfColumn").field("name", &self.name).finish_non_exhaustive()
    }
}

// A session has one function of a name.
impl PartialEq for OfColumn {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for OfColumn {}

impl Hash for OfColumn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for OfColumn {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [argument] = <[ColumnarValue; 1]>::try_from(args.args)
            .map_err(|_| DataFusionError::Plan(format!("{} takes one argument", self.name)))?;
        let constant = matches!(argument, ColumnarValue::Scalar(_));
        let answers = (self.compute)(&argument.into_array(if constant { 1 } else { args.number_rows })?)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&answers, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(answers)))
    }
}
