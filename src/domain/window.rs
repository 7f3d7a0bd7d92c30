//! Maintenance windows: times in which a connection may fail as planned. Pure, in UTC.
//!
//! | written | means |
//! |---|---|
//! | `2026-12-01T02:00Z/2026-12-01T04:00Z` | once |
//! | `sun 02:00-04:00`, `mon-fri 01:00-01:30`, `tue,thu 22:00-02:00` | every week; past midnight it goes on |
//! | `daily 03:00-03:30` | every day |
//!
//! Within a window probes go on and the lamp shows it, but nothing is announced, and availability leaves the
//! probes out.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use super::connection::Connection;
use super::span;
use super::text::inert;

/// One window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// From a time to a time, the end not included.
    Once {
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
    /// On days of the week.
    Weekly {
        /// Monday first.
        days: [bool; 7],
        /// Minute of the day at which it begins.
        from: u16,
        /// Minute of the day, or of the next one, at which it ends.
        to: u16,
    },
}

/// Why a text is no window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowProblem {
    /// Neither shape.
    #[error(
        "{0:?} is no maintenance window: write 2026-12-01T02:00Z/2026-12-01T04:00Z, \"sun 02:00-04:00\", \
         \"mon-fri 01:00-01:30\" or \"daily 03:00-03:30\" (UTC)"
    )]
    Shape(String),
    /// It ends before it begins, or at once.
    #[error("the maintenance window ends before it begins")]
    Empty,
    /// Nothing would ever be in it. Holds the window.
    #[error("the maintenance window {0} is over: its times are in UTC")]
    Over(Window),
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: u16 = 24 * 60;

impl Window {
    /// Reads a window as a person writes it: also a time such as `2h`, from `now` on. One that is over is refused.
    pub fn read(text: &str, now: Timestamp) -> Result<Self, WindowProblem> {
        let read = match span::read(text) {
            Some(lasts) => Self::starting(now, lasts)?,
            None => text.parse()?,
        };
        if read.is_over(now) {
            return Err(WindowProblem::Over(read));
        }
        Ok(read)
    }

    /// A window from `now` on, for so long.
    pub fn starting(now: Timestamp, lasts: SignedDuration) -> Result<Self, WindowProblem> {
        let from = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let to = from.checked_add(lasts).unwrap_or(Timestamp::MAX);
        if to <= from {
            return Err(WindowProblem::Empty);
        }
        Ok(Self::Once { from, to })
    }

    /// When the window that `now` is in ends; nothing where it is in none.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Once { from, to } => (*from <= now && now < *to).then_some(*to),
            Self::Weekly { days, from, to } => {
                let (day, minute) = (day_of_week(now), minute_of_day(now));
                let on = |day: usize| days.get(day).copied().unwrap_or_default();
                let past_midnight = to <= from;
                let ends = if past_midnight { to + DAY_MINUTES } else { *to };
                let today = on(day) && (*from..ends).contains(&minute);
                let since_yesterday = past_midnight && on((day + 6) % 7) && minute < *to;
                let left = if today {
                    ends - minute
                } else if since_yesterday {
                    to - minute
                } else {
                    return None;
                };
                let start_of_minute = now.as_second() - now.as_second().rem_euclid(60);
                Timestamp::from_second(start_of_minute + i64::from(left) * 60).ok()
            }
        }
    }

    /// Whether it is over for good.
    pub fn is_over(&self, now: Timestamp) -> bool {
        matches!(self, Self::Once { to, .. } if *to <= now)
    }
}

/// Until when a failure of `connection` is planned at `now`, by its own windows or by those `of_all`; nothing where it
/// is not. One rule for the lamp, for what is announced, for availability, and for the exporter.
pub fn planned_until(
    connection: &Connection,
    of_all: &[Window],
    now: Timestamp,
) -> Option<Timestamp> {
    maintained_until(connection.maintenance.iter().chain(of_all), now)
}

/// When the last of the windows that `now` is in ends; nothing where it is in none.
pub fn maintained_until<'a>(
    windows: impl IntoIterator<Item = &'a Window>,
    now: Timestamp,
) -> Option<Timestamp> {
    windows
        .into_iter()
        .filter_map(|window| window.until(now))
        .max()
}

/// 0 is Monday.
fn day_of_week(time: Timestamp) -> usize {
    // 1970 began on a Thursday.
    let day = (time.as_second().div_euclid(86_400) + 3).rem_euclid(7);
    usize::try_from(day).unwrap_or_default()
}

fn minute_of_day(time: Timestamp) -> u16 {
    let minute = time.as_second().rem_euclid(86_400) / 60;
    u16::try_from(minute).unwrap_or_default()
}

impl FromStr for Window {
    type Err = WindowProblem;

    fn from_str(text: &str) -> Result<Self, WindowProblem> {
        let shape = || WindowProblem::Shape(inert(text, 60));
        let trimmed = text.trim();
        if let Some((from, to)) = trimmed.split_once('/') {
            let time = |text: &str| text.trim().parse::<Timestamp>().ok();
            let (from, to) = time(from).zip(time(to)).ok_or_else(shape)?;
            if to <= from {
                return Err(WindowProblem::Empty);
            }
            return Ok(Self::Once { from, to });
        }
        let (days, hours) = trimmed.rsplit_once(' ').ok_or_else(shape)?;
        let (from, to) = hours.split_once('-').ok_or_else(shape)?;
        let (from, to) = minute(from).zip(minute(to)).ok_or_else(shape)?;
        let days = read_days(&days.to_ascii_lowercase()).ok_or_else(shape)?;
        if from == to || from >= DAY_MINUTES {
            return Err(WindowProblem::Empty);
        }
        Ok(Self::Weekly { days, from, to })
    }
}

fn read_days(text: &str) -> Option<[bool; 7]> {
    let text = text.trim();
    if text == "daily" {
        return Some([true; 7]);
    }
    let day = |word: &str| {
        let word = word.trim();
        DAYS.iter().position(|day| *day == word)
    };
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(part)?, day(part)?),
        };
        let mut at = first;
        loop {
            *days.get_mut(at)? = true;
            if at == last {
                break;
            }
            at = (at + 1) % 7;
        }
    }
    Some(days)
}

/// `02:30`; `24:00` is the day's end.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= DAY_MINUTES).then_some(total)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once { from, to } => write!(f, "{from}/{to}"),
            Self::Weekly { days, from, to } => {
                if days.iter().all(|on| *on) {
                    f.write_str("daily")?;
                } else {
                    let on = days.iter().zip(DAYS).filter(|(on, _)| **on);
                    let words: Vec<_> = on.map(|(_, word)| word).collect();
                    f.write_str(&words.join(","))?;
                }
                let clock = |minute: &u16| format!("{:02}:{:02}", minute / 60, minute % 60);
                write!(f, " {}-{}", clock(from), clock(to))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_is_in_a_window_or_not() {
        // 2026-11-25 is a Wednesday.
        for (text, now, until) in [
            (
                "2026-11-25T02:00Z/2026-11-25T04:00Z",
                "2026-11-25T02:00:00Z",
                Some("2026-11-25T04:00:00Z"),
            ),
            (
                "2026-11-25T02:00Z/2026-11-25T04:00Z",
                "2026-11-25T04:00:00Z",
                None,
            ),
            (
                "2026-11-25T02:00Z/2026-11-25T04:00Z",
                "2026-11-25T01:59:59Z",
                None,
            ),
            (
                "wed 02:00-04:00",
                "2026-11-25T03:59:59Z",
                Some("2026-11-25T04:00:00Z"),
            ),
            ("wed 02:00-04:00", "2026-11-25T04:00:00Z", None),
            ("tue 02:00-04:00", "2026-11-25T03:00:00Z", None),
            (
                "mon-fri 02:00-04:00",
                "2026-11-25T03:00:00Z",
                Some("2026-11-25T04:00:00Z"),
            ),
            ("sat-mon 02:00-04:00", "2026-11-25T03:00:00Z", None),
            (
                "daily 00:00-24:00",
                "2026-11-25T23:59:59Z",
                Some("2026-11-26T00:00:00Z"),
            ),
            // Past midnight it belongs to the day on which it began.
            (
                "tue 22:00-02:00",
                "2026-11-24T23:00:00Z",
                Some("2026-11-25T02:00:00Z"),
            ),
            (
                "tue 22:00-02:00",
                "2026-11-25T01:30:00Z",
                Some("2026-11-25T02:00:00Z"),
            ),
            ("tue 22:00-02:00", "2026-11-25T02:00:00Z", None),
            ("wed 22:00-02:00", "2026-11-25T01:00:00Z", None),
            (
                "sun 22:00-02:00",
                "2026-11-30T01:00:00Z",
                Some("2026-11-30T02:00:00Z"),
            ),
        ] {
            assert_eq!(
                window(text).until(time(now)),
                until.map(time),
                "{text} at {now}"
            );
        }
    }

    #[test]
    fn windows_are_read_as_they_are_written() {
        for text in [
            "2026-12-01T02:00:00Z/2026-12-01T04:00:00Z",
            "sun 02:00-04:00",
            "mon,wed 22:00-02:00",
            "daily 03:00-03:30",
        ] {
            assert_eq!(window(text).to_string(), text);
        }
        assert_eq!(
            window("Mon-Wed 01:00-02:00").to_string(),
            "mon,tue,wed 01:00-02:00"
        );
        for bad in [
            "",
            "sunday 02:00-04:00",
            "sun",
            "sun 2-4",
            "sun 25:00-26:00",
            "sun 02:00",
            "2026-12-01/x",
            "daily 03:60-04:00",
            "tomorrow 01:00-02:00",
            "sun +1:00-02:00",
        ] {
            assert!(
                matches!(bad.parse::<Window>(), Err(WindowProblem::Shape(_))),
                "{bad:?}"
            );
        }
        for empty in ["sun 02:00-02:00", "2026-12-01T02:00Z/2026-12-01T02:00Z"] {
            assert_eq!(empty.parse::<Window>(), Err(WindowProblem::Empty));
        }
    }

    #[test]
    fn the_last_end_of_several_windows_counts() {
        let windows = ["wed 02:00-04:00", "daily 03:00-05:00"].map(window);
        let until = maintained_until(&windows, time("2026-11-25T03:30:00Z"));
        assert_eq!(until, Some(time("2026-11-25T05:00:00Z")));
        assert_eq!(
            maintained_until(&windows, time("2026-11-25T06:00:00Z")),
            None
        );
        let now = time("2026-11-25T03:30:00Z");
        let days = Window::starting(now, SignedDuration::from_hours(48));
        assert_eq!(Window::read("2d", now), days);
        let once = Window::starting(now, SignedDuration::from_hours(2));
        assert!(once.unwrap().is_over(time("2026-11-25T05:30:00Z")));
    }
}
