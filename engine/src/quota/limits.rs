//! Limits of one rep's quota, and how they nest: which wins where two contradict each other.

use super::round::{parts_per_million, scale_ppm};

/// A kind of limit that can give way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The largest move from yesterday's published quota.
    DailyCap,
    /// The most a quota may be.
    Ceiling,
    /// The least a quota may be.
    Floor,
    /// The one value a quota must have.
    Frozen,
}

impl Layer {
    /// The name used in configuration and reports: `daily_cap`, `ceiling`, `floor` or `frozen`.
    pub fn as_str(self) -> &'static str {
        Bound::from(self).as_str()
    }

    /// The layer of that name; `None` for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::DailyCap, Self::Ceiling, Self::Floor, Self::Frozen].into_iter().find(|l| l.as_str() == name)
    }
}

/// What holds a quota away from its scaled proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Bound {
    /// Nothing does.
    #[default]
    None,
    /// Its floor.
    Floor,
    /// Its ceiling.
    Ceiling,
    /// The daily cap around yesterday's quota.
    DailyCap,
    /// It is frozen.
    Frozen,
}

impl Bound {
    /// The name published in `mart.quota`: `none`, `floor`, `ceiling`, `daily_cap` or `frozen`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Floor => "floor",
            Self::Ceiling => "ceiling",
            Self::DailyCap => "daily_cap",
            Self::Frozen => "frozen",
        }
    }
}

impl From<Layer> for Bound {
    fn from(layer: Layer) -> Self {
        match layer {
            Layer::DailyCap => Self::DailyCap,
            Layer::Ceiling => Self::Ceiling,
            Layer::Floor => Self::Floor,
            Layer::Frozen => Self::Frozen,
        }
    }
}

/// Which way a limit gave way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// An upper limit was raised.
    Up,
    /// A lower limit was lowered.
    Down,
}

/// The order in which layers give way: the first is the first to be relaxed, the last the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelaxOrder([Layer; Self::LAYERS]);

impl RelaxOrder {
    pub(super) const LAYERS: usize = 4;

    /// An order that names each of the four layers once; `None` if one is missing.
    pub fn new(layers: [Layer; Self::LAYERS]) -> Option<Self> {
        let mut sorted = layers;
        sorted.sort_unstable();
        sorted.windows(2).all(|pair| pair[0] != pair[1]).then_some(Self(layers))
    }

    /// The layers, first to give way first.
    pub fn layers(&self) -> &[Layer] {
        &self.0
    }
}

/// Daily cap, ceiling, floor, frozen.
impl Default for RelaxOrder {
    fn default() -> Self {
        Self([Layer::DailyCap, Layer::Ceiling, Layer::Floor, Layer::Frozen])
    }
}

/// The limits of one rep's quota in minor units; `None` is no limit. No quota is ever below 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// The least it may be.
    pub floor: Option<i64>,
    /// The most it may be.
    pub ceiling: Option<i64>,
    /// The least it may be as a move from yesterday's quota.
    pub daily_low: Option<i64>,
    /// The most it may be as a move from yesterday's quota.
    pub daily_high: Option<i64>,
    /// The value it must have.
    pub frozen: Option<i64>,
}

impl Limits {
    /// The same limits with a daily cap of `share` around `previous`, yesterday's published quota in minor
    /// units: `[previous·(1−share), previous·(1+share)]`, rounded inward.
    ///
    /// `share` counts in millionths and is at least 0; one that isn't finite is no cap.
    #[must_use]
    pub fn with_daily_cap(self, previous: i64, share: f64) -> Self {
        if !share.is_finite() {
            return self;
        }
        let width = scale_ppm(previous.saturating_abs(), parts_per_million(share.max(0.0)));
        Self {
            daily_low: Some(previous.saturating_sub(width)),
            daily_high: Some(previous.saturating_add(width)),
            ..self
        }
    }

    /// The range that one layer allows; `i64::MIN` and `i64::MAX` stand for no limit.
    fn range(&self, layer: Layer) -> (i64, i64) {
        match layer {
            Layer::DailyCap => {
                let (low, high) = (self.daily_low.unwrap_or(i64::MIN), self.daily_high.unwrap_or(i64::MAX));
                (low.min(high), high.max(low))
            }
            Layer::Ceiling => (i64::MIN, self.ceiling.unwrap_or(i64::MAX)),
            Layer::Floor => (self.floor.unwrap_or(i64::MIN), i64::MAX),
            Layer::Frozen => self.frozen.map_or((i64::MIN, i64::MAX), |fixed| (fixed, fixed)),
        }
    }

    /// Whether all layers agree: the lowest upper edge isn't below the highest lower one.
    fn agree(&self) -> bool {
        let most = |edge: Option<i64>| edge.unwrap_or(i64::MAX);
        let least = |edge: Option<i64>| edge.unwrap_or(0);
        let (low, high) = self.range(Layer::DailyCap);
        let lower = least(self.floor).max(least(self.frozen)).max(low).max(0);
        lower <= most(self.ceiling).min(most(self.frozen)).min(high)
    }

    /// The interval left by all layers but the first `dropped` of `order`.
    ///
    /// The strongest layer narrows `[0, i64::MAX]` first; a weaker one that contradicts what is left is moved
    /// to its nearest edge. So the intervals for 0, 1, … dropped layers contain each other.
    pub(super) fn interval(&self, order: RelaxOrder, dropped: usize) -> Interval {
        let mut interval = Interval::OPEN;
        for &layer in order.0.iter().skip(dropped).rev() {
            interval.narrow(layer, self.range(layer));
        }
        interval
    }

    /// The intervals for 0 to 4 dropped layers, at their index.
    pub(super) fn nested(&self, order: RelaxOrder) -> [Interval; RelaxOrder::LAYERS + 1] {
        let mut nested = [Interval::OPEN; RelaxOrder::LAYERS + 1];
        let mut interval = Interval::OPEN;
        for (slot, &layer) in nested.iter_mut().zip(&order.0).rev() {
            interval.narrow(layer, self.range(layer));
            *slot = interval;
        }
        nested
    }

    /// Calls `note` for each layer that contradicts a stronger one, with the amount by which it was moved.
    pub(super) fn contradictions(&self, order: RelaxOrder, mut note: impl FnMut(Layer, Side, i64)) {
        if self.agree() {
            return;
        }
        let mut interval = Interval::OPEN;
        for &layer in order.0.iter().rev() {
            let (low, high) = self.range(layer);
            if low > interval.upper {
                note(layer, Side::Down, low.saturating_sub(interval.upper));
            } else if high < interval.lower {
                note(layer, Side::Up, interval.lower.saturating_sub(high));
            }
            interval.narrow(layer, (low, high));
        }
    }
}

/// What a quota may be, `0 ≤ lower ≤ upper`, and the layer that set each edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) lower: i64,
    pub(super) upper: i64,
    pub(super) lower_by: Bound,
    pub(super) upper_by: Bound,
}

impl Interval {
    /// No limit but that a quota isn't negative.
    pub(super) const OPEN: Self =
        Self { lower: 0, upper: i64::MAX, lower_by: Bound::None, upper_by: Bound::None };

    /// The edge that is in the way on `side`, and the layer that set it.
    pub(super) fn edge(&self, side: Side) -> (i64, Bound) {
        match side {
            Side::Up => (self.upper, self.upper_by),
            Side::Down => (self.lower, self.lower_by),
        }
    }

    /// Intersects with the range of a weaker layer, which is moved where it doesn't meet the interval.
    fn narrow(&mut self, layer: Layer, (low, high): (i64, i64)) {
        let lower = low.max(self.lower).min(self.upper);
        if lower > self.lower {
            self.lower = lower;
            self.lower_by = layer.into();
        }
        let upper = high.min(self.upper).max(self.lower);
        if upper < self.upper {
            self.upper = upper;
            self.upper_by = layer.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daily_cap_is_rounded_inward_and_exact_at_cents() {
        let cap = |previous, share| {
            let limits = Limits::default().with_daily_cap(previous, share);
            (limits.daily_low, limits.daily_high)
        };
        assert_eq!(cap(100, 0.29), (Some(71), Some(129)));
        assert_eq!(cap(15, 0.1), (Some(14), Some(16)));
        assert_eq!(cap(7, 0.0), (Some(7), Some(7)));
        assert_eq!(cap(7, -3.0), (Some(7), Some(7)));
        assert_eq!(cap(7, f64::NAN), (None, None));
        assert_eq!(cap(i64::MAX, 1e300), (Some(0), Some(i64::MAX)));
    }

    #[test]
    fn the_stronger_layer_wins_and_the_move_is_noted() {
        let limits =
            Limits { floor: Some(120), ceiling: Some(300), ..Limits::default() }.with_daily_cap(100, 0.1);
        let interval = limits.interval(RelaxOrder::default(), 0);
        assert_eq!((interval.lower, interval.upper), (120, 120));
        assert_eq!((interval.lower_by, interval.upper_by), (Bound::Floor, Bound::DailyCap));
        let mut noted = Vec::new();
        limits.contradictions(RelaxOrder::default(), |layer, side, amount| noted.push((layer, side, amount)));
        assert_eq!(noted, [(Layer::DailyCap, Side::Up, 10)]);
    }

    #[test]
    fn an_order_names_every_layer_once() {
        assert!(RelaxOrder::new([Layer::Floor, Layer::Frozen, Layer::Ceiling, Layer::DailyCap]).is_some());
        assert!(RelaxOrder::new([Layer::Floor, Layer::Floor, Layer::Ceiling, Layer::DailyCap]).is_none());
        assert_eq!(Layer::parse("daily_cap"), Some(Layer::DailyCap));
        assert_eq!(Layer::parse("none"), None);
    }
}
