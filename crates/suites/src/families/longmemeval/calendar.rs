//! Days and minutes, and how LongMemEval writes them.

use std::fmt;

/// A minute of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Days since 1 January 1970.
    day: u32,
    /// Minutes since midnight.
    minute: u32,
}

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

impl Moment {
    /// A minute of a day.
    #[must_use]
    pub const fn new(day: u32, minute: u32) -> Self {
        Self { day, minute }
    }

    /// Days from `earlier` to this one, by date.
    #[must_use]
    pub const fn days_since(self, earlier: Self) -> u32 {
        self.day.saturating_sub(earlier.day)
    }

    /// Year, month and day of the Gregorian calendar (Howard Hinnant, days algorithms).
    fn date(self) -> (u32, u32, u32) {
        let shifted = self.day + 719_468;
        let era = shifted / 146_097;
        let of_era = shifted % 146_097;
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        (year_of_era + era * 400 + u32::from(month <= 2), month, day)
    }
}

impl fmt::Display for Moment {
    /// `2031/05/20 (Tue) 02:21`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let weekday = WEEKDAYS.get(self.day as usize % 7).copied().unwrap_or_default();
        write!(f, "{year:04}/{month:02}/{day:02} ({weekday}) {:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_dates() {
        for (day, written) in [
            (0, "1970/01/01 (Thu) 00:00"),
            (59, "1970/03/01 (Sun) 00:00"),
            (11_016, "2000/02/29 (Tue) 00:00"),
            (19_497, "2023/05/20 (Sat) 00:00"),
            (24_105, "2035/12/31 (Mon) 00:00"),
        ] {
            assert_eq!(Moment::new(day, 0).to_string(), written);
        }
        assert_eq!(Moment::new(0, 141).to_string(), "1970/01/01 (Thu) 02:21");
    }

    #[test]
    fn dates_sort_like_moments() {
        let moments: Vec<Moment> = (0..4000).map(|step| Moment::new(20_000 + step / 2, step % 2 * 700)).collect();
        let date = |moment: Moment| moment.to_string().split(' ').next().unwrap().to_owned();
        assert!(moments.windows(2).all(|pair| pair[0] < pair[1] && date(pair[0]) <= date(pair[1])));
    }
}
