//! Who answered: the marks of the tables are weighed, and what was seen is said.

use crate::domain::AnsweredBy;
use crate::domain::text::inert;

use super::rules::ReplyFacts;
use crate::service::catalog::condition::{BodyKind, Condition};
use crate::service::catalog::format::Mark;

/// Who answered, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::service) struct Answerer {
    /// Who.
    pub(in crate::service) by: AnsweredBy,
    /// Their name, where one is known: `nginx`.
    pub(in crate::service) name: Option<String>,
    /// What says so, strongest first, an inert line each.
    pub(in crate::service) evidence: Vec<String>,
}

impl Answerer {
    /// `by`, without further evidence.
    pub(in crate::service) fn of(by: AnsweredBy) -> Self {
        Self {
            by,
            name: None,
            evidence: Vec::new(),
        }
    }

    /// Their name, or a general word.
    pub(in crate::service) fn shown(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            match self.by {
                AnsweredBy::Service => "the service",
                AnsweredBy::WebServer => "the web server",
                AnsweredBy::Cdn => "the CDN",
                AnsweredBy::Waf => "the firewall application",
                AnsweredBy::Proxy => "the proxy",
                AnsweredBy::Nobody => "nobody",
                AnsweredBy::Unknown => "the server",
            }
            .to_owned()
        })
    }
}

/// Ties are broken in this order: what is more certain, or nearer to the origin of the refusal, first.
const ORDER: [AnsweredBy; 5] = [
    AnsweredBy::Service,
    AnsweredBy::Waf,
    AnsweredBy::Cdn,
    AnsweredBy::WebServer,
    AnsweredBy::Proxy,
];
const LINES: usize = 5;

/// Weighs every mark that is seen; the highest sum wins.
pub(super) fn weigh(seen: &ReplyFacts<'_>) -> Answerer {
    let mut marks: Vec<&Mark> = seen
        .asked
        .service
        .marks()
        .filter(|mark| seen.holds(&mark.when))
        .collect();
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.score));
    let score = |by: AnsweredBy| -> u32 {
        marks
            .iter()
            .filter(|mark| mark.who == by)
            .map(|mark| mark.score)
            .sum()
    };
    let mut by = AnsweredBy::Unknown;
    let mut best = 0;
    for candidate in ORDER {
        if score(candidate) > best {
            best = score(candidate);
            by = candidate;
        }
    }
    let name = marks
        .iter()
        .find(|mark| mark.who == by)
        .map(|mark| mark.name.clone());
    let (own, others): (Vec<&Mark>, Vec<&Mark>) =
        marks.into_iter().partition(|mark| mark.who == by);
    let mut evidence: Vec<String> = Vec::new();
    for mark in own.into_iter().chain(others) {
        // That it is a page says little, and of somebody else nothing.
        if is_of_the_body_alone(&mark.when) && (mark.who != by || !evidence.is_empty()) {
            continue;
        }
        let line = format!("{}: {}", mark.name, what(&mark.when, seen));
        if !evidence.contains(&line) && evidence.len() < LINES {
            evidence.push(line);
        }
    }
    Answerer { by, name, evidence }
}

/// Whether what is seen is no more than a kind of body.
fn is_of_the_body_alone(condition: &Condition) -> bool {
    let Condition {
        header,
        title,
        text,
        begins,
        json,
        ..
    } = condition;
    header.is_empty() && title.is_empty() && text.is_empty() && begins.is_empty() && json.is_empty()
}

/// What of `condition` was seen, for people.
fn what(condition: &Condition, seen: &ReplyFacts<'_>) -> String {
    if let Some(header) = condition.header.first() {
        let value = seen
            .response
            .headers
            .iter()
            .find(|(name, value)| header.holds([(name.as_str(), value.as_str())]))
            .map_or("", |(_, value)| value);
        return format!("header {}: {}", header.name, inert(value, 80));
    }
    if !condition.title.is_empty() {
        let title = seen.page.title.as_deref().unwrap_or_default();
        return format!("the page's title is \"{title}\"");
    }
    if let Some(word) = condition
        .text
        .iter()
        .find(|word| seen.page.lower.contains(word.as_str()))
    {
        return format!("the page says \"{}\"", inert(word, 60));
    }
    if !condition.json.is_empty() {
        return "its own JSON".to_owned();
    }
    match seen.page.kind {
        _ if condition.body.is_empty() => format!("status {}", seen.response.status),
        BodyKind::Json => "JSON".to_owned(),
        BodyKind::Html | BodyKind::Text | BodyKind::Empty => {
            "a page, not the service's JSON".to_owned()
        }
    }
}
