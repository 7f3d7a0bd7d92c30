//! Tokens for people: a list, one token, its use. Never a secret.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use crate::tokens::{Expiry, Moment, Token, Usage};
use crate::work::tokens::KnownCertificate;

/// Most columns that the label takes.
const LABEL: usize = 40;

/// One token with the connection that it was listed through.
pub struct TokenLine<'a> {
    /// The connection's name; empty where only one was asked for.
    pub connection: &'a str,
    /// What the line is about.
    pub what: RowSubject<'a>,
    /// Whether the connection runs on it.
    pub in_use: bool,
}

/// What a line is about.
pub enum RowSubject<'a> {
    /// A token of an account.
    Token(&'a Token),
    /// The certificate of a connection's server.
    Certificate(&'a KnownCertificate),
}

/// A table with one line a token; nothing where there are none.
pub fn list(rows: &[TokenLine<'_>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut lines = vec![
        [
            "",
            "LABEL",
            "ID",
            "EXTENSION",
            "STATUS",
            "EXPIRES",
            "CREATED",
            "BY",
        ]
        .map(str::to_owned),
    ];
    lines.extend(rows.iter().map(cells));
    let mut widths = [0; 8];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.width());
        }
    }
    let mut text = String::new();
    for line in &lines {
        let mut written = String::new();
        for (cell, width) in line.iter().zip(widths).filter(|(_, width)| *width > 0) {
            let padding = width - cell.width();
            let _ = write!(written, "{cell}{:padding$}  ", "");
        }
        text.push_str(written.trim_end());
        text.push('\n');
    }
    text
}

fn cells(row: &TokenLine<'_>) -> [String; 8] {
    let token = match row.what {
        RowSubject::Token(token) => token,
        RowSubject::Certificate(certificate) => return certificate_cells(certificate),
    };
    let or_dash = |text: Option<&String>| text.cloned().unwrap_or_else(|| "–".to_owned());
    let status = token.status.word().unwrap_or("–");
    let day = |moment: Option<&Moment>| {
        let shown = moment.map(Moment::shown).unwrap_or_default();
        shown.chars().take(10).collect::<String>()
    };
    [
        row.connection.to_owned(),
        crate::domain::text::inert(token.name.as_deref().unwrap_or("–"), LABEL),
        or_dash(token.id.as_ref()),
        or_dash(
            token
                .extension
                .name
                .as_ref()
                .or(token.extension.id.as_ref()),
        ),
        if row.in_use {
            format!("{status}, in use")
        } else {
            status.to_owned()
        },
        // (The end of an earlier secret is in the details.)
        ends(token.ends()).chars().take(10).collect(),
        day(token.created.as_ref()),
        or_dash(
            token
                .created_by
                .name
                .as_ref()
                .or(token.created_by.id.as_ref()),
        ),
    ]
}

fn certificate_cells(certificate: &KnownCertificate) -> [String; 8] {
    let ends: String = certificate.ends.to_string().chars().take(10).collect();
    [
        certificate.connection.to_string(),
        crate::domain::text::inert(&certificate.subject, LABEL),
        "–".to_owned(),
        "certificate".to_owned(),
        "–".to_owned(),
        ends,
        "–".to_owned(),
        crate::domain::text::inert(&certificate.issuer, LABEL),
    ]
}

fn ends(expiry: &Expiry) -> String {
    match expiry {
        Expiry::Unknown => "–".to_owned(),
        Expiry::Never => "never".to_owned(),
        Expiry::At(moment) => moment.shown(),
    }
}

/// Everything about one token that is no secret; that of the id `own_id` is the key in use.
pub fn details(token: &Token, own_id: &str) -> String {
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    let by = |person: &crate::tokens::Person| match (&person.name, &person.email) {
        (Some(name), Some(email)) => format!(" by {name} ({email})"),
        (Some(name), None) => format!(" by {name}"),
        _ => String::new(),
    };
    let moment = |moment: Option<&Moment>| moment.map(Moment::shown).unwrap_or_default();
    let extension = [&token.extension.id, &token.extension.name];
    let extension: Vec<_> = extension.into_iter().flatten().cloned().collect();
    let mut modules = Vec::new();
    for permission in token.permissions() {
        let parts = [&permission.module, &permission.name];
        let parts: Vec<_> = parts.into_iter().flatten().cloned().collect();
        modules.push(parts.join(" "));
    }
    let created = moment(token.created.as_ref()) + &by(&token.created_by);
    let updated = moment(token.updated.as_ref()) + &by(&token.updated_by);
    let mut status = token.status.word().unwrap_or_default().to_owned();
    if token.id.as_deref() == Some(own_id) {
        status.push_str(", in use");
    }
    let renewed = token.renewed_expires.shown().unwrap_or_default();
    let lines = [
        ("Label", text(token.name.as_ref())),
        ("Id", text(token.id.as_ref())),
        ("Status", status),
        ("Extension", extension.join(" ")),
        ("External id", text(token.external_id.as_ref())),
        ("Description", text(token.description.as_ref())),
        (
            "Owner",
            text(token.owner.name.as_ref().or(token.owner.id.as_ref())),
        ),
        ("Created", created),
        ("Updated", updated),
        ("Expires", ends(&token.expires)),
        ("Renewed until", renewed),
        ("Modules", modules.join(", ")),
    ];
    let mut written = String::new();
    for (name, value) in lines {
        if !value.is_empty() {
            let _ = writeln!(written, "{name:13}  {value}");
        }
    }
    written
}

/// Requests by status code, and by day.
pub fn usage(usage: &Usage) -> String {
    let mut text = String::new();
    for counted in &usage.summary.codes {
        let _ = writeln!(text, "{}  {}", counted.code, counted.total);
    }
    if let Some(since) = &usage.summary.since {
        let _ = writeln!(text, "counted since {}", since.shown());
    }
    let most = usage.days.iter().map(crate::tokens::Day::total).max();
    let most = most.unwrap_or(0).max(1);
    for day in &usage.days {
        let width = day.total().saturating_mul(40).div_ceil(most);
        let bar = "█".repeat(usize::try_from(width).unwrap_or(40));
        let _ = writeln!(text, "{}  {:>8}  {bar}", day.date, day.total());
    }
    let _ = match usage.last_used() {
        Some(date) => writeln!(text, "last used {date}"),
        None => writeln!(text, "no use is known"),
    };
    text
}
