//! Times of day: business hours for what reps do, longer ones for what customers do on their own.

use crate::clock::HOUR;
use crate::draw::Draw;
use crate::number::{real, whole};

/// An offset into the day when a rep works, in microseconds: two blocks and a few evenings.
pub(crate) fn business(draw: &mut Draw) -> i64 {
    let u = draw.unit();
    let hour = if u < 0.44 {
        9.0 + 3.0 * u / 0.44
    } else if u < 0.95 {
        13.5 + 5.0 * (u - 0.44) / 0.51
    } else {
        18.5 + 3.5 * (u - 0.95) / 0.05
    };
    whole(hour * real(HOUR))
}

/// An offset into the day when a customer is awake.
pub(crate) fn waking(draw: &mut Draw) -> i64 {
    whole((7.0 + 8.0 * (draw.unit() + draw.unit())) * real(HOUR))
}

/// Microseconds of some minutes.
pub(crate) fn minutes(count: f64) -> i64 {
    whole(count * real(HOUR) / 60.0)
}
