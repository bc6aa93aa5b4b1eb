//! The narrow interface behind which a prediction sits: arrays in, a forecast out.

/// What is known of every rep on duty. Money in minor units, as `f64`; matrices row-major, one row per rep.
#[derive(Debug, Clone, Default)]
pub struct PredictInput {
    /// Columns of `history` and `worked`.
    pub n_months: usize,
    /// The calendar month (1–12) of the first column.
    pub first_month: u8,
    /// Amount signed per rep and closed month.
    pub history: Vec<f64>,
    /// Working days on duty per rep and closed month.
    pub worked: Vec<f64>,
    /// Working days of each closed month.
    pub working_days: Vec<f64>,
    /// A region number per rep.
    pub region: Vec<u32>,
    /// Months since the rep was hired.
    pub tenure_months: Vec<f64>,
    /// Working days of the period, and those after the day.
    pub working_days_period: f64,
    /// Working days of the period after the run's day.
    pub working_days_left: f64,
    /// Amount signed in the period up to the day.
    pub attained: Vec<f64>,
    /// Ratio per rep and factor, in the order of [`crate::factor::FACTORS`].
    pub factor_effect: Vec<f64>,
}

/// What every rep can still achieve.
pub trait Forecast: std::fmt::Debug + Send + Sync {
    /// The whole period's expectation at neutral factors.
    fn base(&self, rep: usize) -> f64;
    /// Attained plus the expectation of the rest.
    fn expected(&self, rep: usize) -> f64;
    /// The `p` quantile of achievable.
    fn quantile(&self, rep: usize, p: f64) -> f64;
    /// The chance that achievable is at least `amount`.
    fn p_at_least(&self, rep: usize, amount: f64) -> f64;
    /// The same prediction with another product of all factor effects for every rep, to the bit what
    /// [`Predictor::predict`] makes of those effects.
    fn with_effects(&self, effect: &[f64]) -> Box<dyn Forecast>;
    /// Forecasts one rep again, of whom more is attained in the period or other factors hold: to the last bit what
    /// [`Predictor::predict`] would say with these in the rep's row. `effects` as a row of
    /// [`PredictInput::factor_effect`].
    fn revise(&mut self, rep: usize, attained: f64, effects: &[f64]);
}

/// A way of predicting; `jobs` wires one from `models`.
pub trait Predictor: Send + Sync {
    /// Its name and version, part of a run's identity and published as `basis`.
    fn name(&self) -> &str;

    /// Month-of-year indices (January first) estimated from the company's amounts per working day of closed months.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the input.
    fn season(&self, per_day: &[f64], first_month: u8) -> Result<[f64; 12], String>;

    /// Predicts every rep.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the input.
    fn predict(&self, input: &PredictInput, season: &[f64; 12]) -> Result<Box<dyn Forecast>, String>;
}
