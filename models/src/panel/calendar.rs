//! Days, months and the step of a table: what a bucket of time is, and where in the year it lies.
//!
//! Days are counted from 1970-01-01, as everywhere in this crate.

/// How often a table has rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cadence {
    /// Rows every day, or every working day.
    Daily,
    /// Rows once a week.
    Weekly,
    /// Rows once a month, or more seldom.
    Monthly,
}

impl Cadence {
    /// From the median gap between successive days with rows: up to 3 days is daily, up to 10 weekly.
    pub(crate) fn of(days: &[i32]) -> Self {
        let mut gaps: Vec<i32> = days.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_unstable();
        match gaps.get(gaps.len() / 2) {
            None | Some(..=3) => Self::Daily,
            Some(..=10) => Self::Weekly,
            Some(_) => Self::Monthly,
        }
    }

    /// Buckets of a year: weeks, or months where rows are monthly.
    pub(crate) fn buckets_per_year(self) -> usize {
        if self == Self::Monthly { 12 } else { 52 }
    }
}

/// Mean weeks of a year.
const WEEKS_PER_YEAR: f64 = 365.25 / 7.0;

/// Time as seen from an origin: bucket 0 begins at the origin, bucket −1 ended just before it.
///
/// Buckets are weeks of seven days counted from the origin, so that no bucket straddles it, or calendar months.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) cadence: Cadence,
    pub(crate) origin: i32,
}

impl Grid {
    pub(crate) fn bucket(self, day: i32) -> i32 {
        if self.cadence == Cadence::Monthly {
            month_index(day) - month_index(self.origin)
        } else {
            (day - self.origin).div_euclid(7)
        }
    }

    /// First day of a bucket.
    pub(crate) fn start(self, bucket: i32) -> i32 {
        if self.cadence == Cadence::Monthly {
            month_start(month_index(self.origin) + bucket)
        } else {
            self.origin + 7 * bucket
        }
    }

    /// Place in the year, from 0: buckets a whole number of years apart share it. Weeks are set 52 apart for one year,
    /// 104 for two and 157 for three: the nearest to the calendar that keeps weekdays, and with them most holidays.
    pub(crate) fn slot(self, bucket: i32) -> usize {
        let per_year = self.cadence.buckets_per_year();
        if self.cadence == Cadence::Monthly {
            return usize::try_from(bucket.rem_euclid(12)).unwrap_or(0);
        }
        let years = (-f64::from(bucket) / WEEKS_PER_YEAR).ceil();
        #[expect(clippy::cast_possible_truncation, reason = "weeks of a few centuries")]
        let shifted = bucket + (years * WEEKS_PER_YEAR).round() as i32;
        usize::try_from(shifted).unwrap_or(0).min(per_year - 1)
    }

    /// Years from the origin to the middle of a bucket, negative before it.
    pub(crate) fn years(self, bucket: i32) -> f64 {
        let per_year = if self.cadence == Cadence::Monthly { 12.0 } else { WEEKS_PER_YEAR };
        (f64::from(bucket) + 0.5) / per_year
    }
}

/// Months since 1970-01.
pub(crate) fn month_index(day: i32) -> i32 {
    let (year, month, _) = civil(day);
    (year - 1970) * 12 + month - 1
}

/// The first day of the month that is `index` months after 1970-01.
pub(crate) fn month_start(index: i32) -> i32 {
    let (year, month) = (1970 + index.div_euclid(12), index.rem_euclid(12) + 1);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of the month (Hinnant, `civil_from_days`).
pub(crate) fn civil(day: i32) -> (i32, i32, i32) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i32::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

/// Weekday from 0 (Monday) to 6.
pub(crate) fn weekday(day: i32) -> usize {
    usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_days_agree_with_the_calendar() {
        // 2000-02-29, 2012-10-26 (a Friday), 1969-12-31.
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!((civil(15_639), weekday(15_639)), ((2012, 10, 26), 4));
        assert_eq!(civil(-1), (1969, 12, 31));
        for index in -600..1200 {
            let start = month_start(index);
            assert_eq!((month_index(start), month_index(start - 1), civil(start).2), (index, index - 1, 1));
        }
    }

    #[test]
    fn weeks_of_successive_years_share_their_slot() {
        let grid = Grid { cadence: Cadence::Weekly, origin: 15_000 };
        for bucket in 0..52 {
            assert_eq!(grid.slot(bucket), grid.slot(bucket - 52), "{bucket}");
            assert_eq!(grid.slot(bucket), grid.slot(bucket - 104), "{bucket}");
        }
        assert_eq!(grid.bucket(14_999), -1);
        let months = Grid { cadence: Cadence::Monthly, origin: 11_016 };
        assert_eq!((months.slot(3), months.slot(-9), months.start(1)), (3, 3, 11_017));
    }

    #[test]
    fn the_step_is_told_from_the_gaps() {
        assert_eq!(Cadence::of(&[1, 2, 3, 4, 5, 8, 9]), Cadence::Daily);
        assert_eq!(Cadence::of(&[1, 8, 15, 29]), Cadence::Weekly);
        assert_eq!(Cadence::of(&[29, 60, 88]), Cadence::Monthly);
        assert_eq!(Cadence::of(&[]), Cadence::Daily);
    }
}
