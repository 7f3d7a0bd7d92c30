//! The use of a token as the service writes it.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

use super::lenient::{Lenient, LenientCount, LenientText, Rows};
use crate::domain::token::{Counted, Day, Moment, Summary};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSummary {
    statuses: Rows<RawCounted>,
    started_tracking_at: LenientText,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawCounted {
    code: LenientCount,
    total: LenientCount,
    count: LenientCount,
    since_last_reset: LenientCount,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawDay {
    date: LenientText,
    statuses: Rows<RawCounted>,
}

impl RawCounted {
    fn code(&self) -> Option<u16> {
        self.code.0?.try_into().ok()
    }
}

impl From<RawSummary> for Summary {
    fn from(raw: RawSummary) -> Self {
        let mut codes: Vec<_> = raw
            .statuses
            .0
            .unwrap_or_default()
            .iter()
            .filter_map(|counted| {
                Some(Counted {
                    code: counted.code()?,
                    total: counted.total.0.or(counted.count.0)?,
                    since_last_reset: counted.since_last_reset.0,
                })
            })
            .collect();
        codes.sort_by_key(|counted| counted.code);
        Self {
            codes,
            since: raw.started_tracking_at.0.as_deref().map(Moment::read),
        }
    }
}

/// Days as they came: an array, one day, or an object that holds the array under some name.
#[derive(Clone, Debug, Default)]
pub(super) struct RawDays(Vec<RawDay>);

impl<'de> Deserialize<'de> for RawDays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = RawDays;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("days")
            }
            fn visit_unit<E>(self) -> Result<RawDays, E> {
                Ok(RawDays::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawDays, A::Error> {
                let mut days = Vec::new();
                while let Some(Lenient(day)) = items.next_element()? {
                    days.push(day);
                }
                Ok(RawDays(days))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<RawDays, A::Error> {
                let (mut own, mut days) = (RawDay::default(), Vec::new());
                while let Some(name) = fields.next_key::<String>()? {
                    match name.as_str() {
                        "date" => own.date = fields.next_value()?,
                        "statuses" => own.statuses = fields.next_value()?,
                        "id" | "name" => drop(fields.next_value::<IgnoredAny>()?),
                        _ => days
                            .extend(fields.next_value::<Rows<RawDay>>()?.0.into_iter().flatten()),
                    }
                }
                if own.date.0.is_some() {
                    days.push(own);
                }
                Ok(RawDays(days))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl From<RawDays> for Vec<Day> {
    fn from(raw: RawDays) -> Self {
        let mut days: Self = raw
            .0
            .into_iter()
            .filter_map(|day| {
                let text = day.date.0?;
                let date = text.parse().ok().or_else(|| text.get(..10)?.parse().ok())?;
                let mut codes: Vec<_> = day
                    .statuses
                    .0
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|counted| {
                        Some((counted.code()?, counted.count.0.or(counted.total.0)?))
                    })
                    .collect();
                codes.sort_unstable();
                Some(Day { date, codes })
            })
            .collect();
        days.sort_by_key(|day| day.date);
        days
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::Usage;

    fn days(json: &str) -> Vec<Day> {
        serde_json::from_str::<RawDays>(json).unwrap().into()
    }

    #[test]
    fn days_come_as_an_array_or_an_object() {
        let day =
            r#"{"date":"2026-11-22","statuses":[{"code":"403","count":1},{"code":200,"count":4}]}"#;
        for json in [
            format!("[{day}]"),
            day.to_owned(),
            format!(r#"{{"id":"SU-1","aggregates":[{day}]}}"#),
        ] {
            let days = days(&json);
            assert_eq!(days.len(), 1, "{json}");
            assert_eq!(days[0].codes, [(200, 4), (403, 1)]);
        }
        assert_eq!(days(r#"[{"date":"never"},{},7]"#), []);
        assert_eq!(days("null"), []);
    }

    #[test]
    fn the_last_use_is_the_last_day_with_a_request() {
        let usage = Usage {
            days: days(
                r#"[{"date":"2026-11-22","statuses":[]},
                    {"date":"2026-11-20T00:00:00Z","statuses":[{"code":200,"count":1}]}]"#,
            ),
            ..Usage::default()
        };
        assert_eq!(usage.last_used(), Some(jiff::civil::date(2026, 11, 20)));
        assert_eq!(Usage::default().last_used(), None);
    }
}
