//! Adapter: the engine's prediction interface over the panel of [`models::panel`].

use std::collections::BTreeMap;

use engine::quota::{self, Effects, Forecast, Learnt as Kept, PredictInput, Predictor};
use engine::time::Day;
use models::panel::{
    Learnt, OpenDeal, Panel, PanelRows, PastLooks, PeriodDay, Pipeline, QuotaParams, Staff, Standing, Wins,
    WonDeal, Workdays, learn,
};

use crate::report::backtest::leans_on;

/// Predicts by what the whole company's sales say of each rep: see [`models::panel`].
#[derive(Debug, Clone, Copy, Default)]
pub struct PanelPredictor;

impl Predictor for PanelPredictor {
    fn name(&self) -> &'static str {
        "panel/3"
    }

    fn learns_before(&self, input: &PredictInput) -> Day {
        moment(input).origin(input.sales.iter().map(|sold| sold.day).min())
    }

    fn learn(&self, known: &PredictInput) -> Result<Kept, String> {
        let panel = panel(known, |region| region)?;
        let learnt = learn(&panel, known.as_of, known.period.1 + 1, &params(known));
        Ok(Kept(
            learnt.map_err(|error| error.to_string())?.map(|learnt| learnt.to_values()).unwrap_or_default(),
        ))
    }

    fn predict(&self, input: &PredictInput, kept: &Kept) -> Result<Box<dyn Forecast>, String> {
        let day = moment(input);
        // Regions keep their numbers, by which something was learnt of them.
        let panel = panel(input, |region| region)?;
        let looks = input.pipeline.as_ref().map(|deals| PastLooks::of(&panel, day, deals.known_from));
        let pipeline = looks.as_ref().zip(input.pipeline.as_ref());
        let pipeline = pipeline.map(|(looks, deals)| pipeline_of(looks, input.attained.len(), deals));
        let damaged = || "what was learnt for the period is damaged".to_owned();
        let learnt = match &kept.0[..] {
            [] => None,
            values => Some(Learnt::from_values(values).ok_or_else(damaged)?),
        };
        let known = (&input.attained[..], pipeline.as_ref());
        let standing = Standing::with(&panel, day, known, &params(input), learnt.as_ref())
            .map_err(|error| error.to_string())?;
        let start = vec![1.0; input.attained.len()];
        Ok(Box::new(PanelForecast { standing, start, looks }))
    }
}

fn moment(input: &PredictInput) -> PeriodDay {
    let (first, last) = input.period;
    PeriodDay { start: first, end: last + 1, as_of: input.as_of }
}

/// What the company wants of the quotas, and how far back they may look.
fn params(input: &PredictInput) -> QuotaParams {
    QuotaParams {
        attain_probability: input.attain_probability,
        history_months: input.history_months,
        ..QuotaParams::default()
    }
}

/// The input as a table, in which regions have other numbers.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(crate) fn panel(input: &PredictInput, region: impl Fn(u32) -> u32) -> Result<Panel, String> {
    let rep: Vec<u32> = input.sales.iter().map(|sold| sold.rep).collect();
    let day: Vec<Day> = input.sales.iter().map(|sold| sold.day).collect();
    let amount: Vec<f64> = input.sales.iter().map(|sold| sold.amount).collect();
    let staff: Vec<Staff> = (input.staff.iter())
        .map(|member| Staff { region: region(member.region), hired: member.hired, left: member.left })
        .collect();
    // The regions of the rows don't count beside those of the staff.
    let zeros = vec![0; rep.len()];
    let rows = PanelRows::without_factors(&day, &rep, &zeros, &amount);
    let panel = Panel::new(&rows).and_then(|panel| panel.with_staff(&staff)).map_err(|e| e.to_string())?;
    Ok(if input.working.is_empty() {
        panel
    } else {
        panel.with_workdays(Workdays { first: input.first_day, working: input.working.clone() })
    })
}

/// The regions of the staff, and their numbers in the table: from 0, in rising order.
pub(crate) fn regions(input: &PredictInput) -> BTreeMap<u32, u32> {
    let mut dense: BTreeMap<u32, u32> = input.staff.iter().map(|member| (member.region, 0)).collect();
    for (slot, number) in dense.values_mut().zip(0..) {
        *slot = number;
    }
    dense
}

fn pipeline_of(looks: &PastLooks, n_reps: usize, deals: &quota::Pipeline) -> Pipeline {
    let open = deals.open.iter().map(|d| OpenDeal { rep: d.row, amount: d.amount, p_win: d.p_win });
    Pipeline::of(looks, n_reps, &open.collect::<Vec<_>>(), &won(&deals.won))
}

fn won(deals: &[quota::WonDeal]) -> Vec<WonDeal> {
    deals.iter().map(|d| WonDeal { opened: d.opened, won: d.won, amount: d.amount }).collect()
}

/// A forecast of the panel. Factors at the period's start are in it already.
#[derive(Debug, Clone)]
struct PanelForecast {
    standing: Standing,
    /// The product of each rep's factor effects at the period's start.
    start: Vec<f64>,
    /// Where there is a pipeline.
    looks: Option<PastLooks>,
}

impl Forecast for PanelForecast {
    fn base(&self, rep: usize) -> f64 {
        self.standing.base(rep) / self.start.get(rep).copied().unwrap_or(1.0)
    }

    fn expected(&self, rep: usize) -> f64 {
        self.standing.expected(rep)
    }

    fn without_pipeline(&self, rep: usize) -> f64 {
        self.standing.without_pipeline(rep)
    }

    fn low(&self, rep: usize) -> f64 {
        self.standing.low(rep)
    }

    fn high(&self, rep: usize) -> f64 {
        self.standing.high(rep)
    }

    fn quantile(&self, rep: usize, p: f64) -> f64 {
        self.standing.quantile(rep, p)
    }

    fn p_at_least(&self, rep: usize, amount: f64) -> f64 {
        self.standing.p_at_least(rep, amount)
    }

    fn leans_on(&self, rep: usize) -> String {
        let history = self.standing.leans_on(rep).map_or("nothing", leans_on);
        if self.looks.is_some() { format!("{history}, pipeline") } else { history.to_owned() }
    }

    fn season(&self) -> f64 {
        self.standing.season()
    }

    fn with_effects(&self, effects: &[Effects]) -> Box<dyn Forecast> {
        let mut other = self.clone();
        for (rep, effects) in effects.iter().enumerate() {
            other.revise(rep, self.standing.attained(rep), *effects);
        }
        Box::new(other)
    }

    fn revise(&mut self, rep: usize, attained: f64, effects: Effects) {
        if let Some(start) = self.start.get_mut(rep) {
            *start = effects.start;
            self.standing.revise(rep, attained, effects.now / effects.start);
        }
    }
    fn revise_open(&mut self, rep: usize, open: &[(f64, f64)]) {
        if self.looks.is_some() {
            self.standing.revise_wins(rep, Wins::of(open.iter().copied()));
        }
    }

    fn revise_won(&mut self, deals: &[quota::WonDeal]) -> bool {
        let looks = self.looks.as_ref();
        looks.is_some_and(|looks| self.standing.revise_share(looks.share(&won(deals))))
    }
}
