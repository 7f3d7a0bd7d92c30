//! `switchboard token list`: one account's tokens, or what ends next of all of them.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::arguments::DataFormat;
use super::super::arguments::token::{GroupArgument, ListArguments, OrderArgument, StatusArgument};
use super::super::context::Context;
use super::super::fault::Fault;
use super::super::output::{self, tokens as shown};
use super::{Through, account};
use crate::domain::text::inert;
use crate::domain::token::{SOON_DAYS, later};
use crate::domain::verdict::whole_seconds;
use crate::domain::{ServiceId, span};
use crate::tokens::{Group, Order, Rql, Token, TokenProblem, TokenQuery, Unreadable, within_days};
use crate::work::tokens::{Account, KnownCertificate, TokenError};

/// The code where something ends within the time that was asked about.
const SOMETHING_ENDS: u8 = 1;

/// Tokens that one list may have: a service that never ends it is not asked for ever.
const MOST: usize = 200_000;

/// What was found through one connection.
struct ListedTokens {
    connection: String,
    own_id: String,
    tokens: Vec<Token>,
}

pub(super) async fn run(context: &Context, arguments: &ListArguments) -> Result<u8, Fault> {
    let names = if arguments.all {
        let connections = context.core.connections().await?;
        let connect = connections
            .into_iter()
            .filter(|connection| connection.service == ServiceId::connect());
        connect
            .map(|connection| connection.name.to_string())
            .collect()
    } else {
        let mut seen = std::collections::HashSet::new();
        let mut names = arguments.names.clone();
        names.retain(|name| seen.insert(name.clone()));
        names
    };
    let (mut all, mut worst) = (Vec::new(), 0);
    for name in &names {
        match tokens(context, name, arguments).await {
            Ok(found) => all.push(found),
            // Of several, one that can't be asked does not hide the others.
            Err(problem) if names.len() > 1 => {
                output::say(&format!("{name}: {}", problem.text()));
                worst = worse(worst, problem.code);
            }
            Err(problem) => return Err(problem),
        }
    }
    let certificates = certificates(context, arguments).await?;
    write(&all, &certificates, arguments, names.len() > 1)?;
    let found = !certificates.is_empty() || all.iter().any(|found| !found.tokens.is_empty());
    if arguments.format == DataFormat::Human && !found {
        if names.is_empty() {
            output::say("no connection to connect is saved");
        } else if !all.is_empty() {
            output::say("no tokens");
        }
    }
    let ends = arguments.expiring.is_some() && found;
    Ok(worse(worst, if ends { SOMETHING_ENDS } else { 0 }))
}

/// The worse of two exit codes: down before warn before unknown.
fn worse(one: u8, other: u8) -> u8 {
    let order = [0, 3, 1, 2];
    let rank = |code: u8| {
        order
            .iter()
            .position(|known| *known == code)
            .unwrap_or(order.len())
    };
    if rank(other) > rank(one) { other } else { one }
}

async fn tokens(
    context: &Context,
    name: &str,
    arguments: &ListArguments,
) -> Result<ListedTokens, Fault> {
    let account = account(context, name).await?;
    let mut tokens = Vec::new();
    let limit = arguments.limit.unwrap_or(usize::MAX);
    let mut query = query(arguments)?;
    query.limit = query.limit.min(count(limit).max(1));
    let until = ends_until(arguments)?;
    let (mut known, mut came) = (HashSet::new(), 0_usize);
    let (mut total, mut moved) = (None, false);
    while tokens.len() < limit {
        let page = account.tokens(&query).await?;
        let (next, is_empty) = (page.next_offset(), page.rows.is_empty());
        let before = known.len();
        // Fewer than before: rows that were to come may stand before this page by now.
        moved |= page.total.is_some_and(|now| total > Some(now));
        total = page.total;
        for token in page.rows {
            // A list that grows meanwhile shifts its rows: some come again on the next page.
            if token.id.is_some() && !known.insert(token.id.clone()) {
                continue;
            }
            came += 1;
            // The service knows the end of the first secret alone: what was renewed beyond is no news.
            if until.is_some_and(|until| is_renewed_beyond(&token, until)) {
                continue;
            }
            if arguments.group != Some(GroupArgument::Idle) || is_idle(&account, &token).await? {
                tokens.push(token);
            }
        }
        let Some(offset) = next else {
            if let Some(total) = total.filter(|total| is_empty && *total > query.offset) {
                return Err(endless(format!(
                    "its pages end, {came} of {total} tokens came"
                )));
            }
            moved |= total.is_some_and(|total| total > count(came));
            break;
        };
        // (A row without an id may be any: it is no sign that there are others.)
        if known.len() == before {
            // Without a total that is how a list ends which is not paged; with one, most of it is missing.
            let Some(total) = total else { break };
            return Err(endless(format!(
                "its pages repeat, {came} of {total} tokens came"
            )));
        }
        if came >= MOST {
            return Err(endless(format!("over {MOST} tokens: filter them")));
        }
        query.offset = offset;
    }
    if moved {
        let name = account.name();
        output::say(&format!(
            "{name}: the list changed while it was read, and tokens may be missing: ask again"
        ));
    }
    tokens.truncate(limit);
    Ok(ListedTokens {
        connection: account.name().to_string(),
        own_id: account.own_id().to_owned(),
        tokens,
    })
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// The time that what is listed ends within, where that was asked for.
fn ends_until(arguments: &ListArguments) -> Result<Option<Timestamp>, Fault> {
    let now = Timestamp::now();
    Ok(match (&arguments.expiring, arguments.group) {
        (Some(text), _) => Some(later(now, whole_days(within(text)?))),
        (None, Some(GroupArgument::Expiring)) => Some(later(now, SOON_DAYS)),
        (None, _) => None,
    })
}

/// Whether a renewed secret works on after `until`.
fn is_renewed_beyond(token: &Token, until: Timestamp) -> bool {
    let ends = token.ends();
    *ends != token.expires && ends.at().is_none_or(|at| at > until)
}

/// Rounded up: the service compares dates.
const fn whole_days(time: SignedDuration) -> i64 {
    time.as_hours().saturating_add(23) / 24
}

fn endless(why: String) -> Fault {
    let problem = TokenProblem::Unreadable {
        doing: "listing the tokens".to_owned(),
        why: Unreadable::Contradicts(why),
    };
    TokenError::Api(problem).into()
}

/// Of all connections, the certificates that end within the time that was asked about, and those that have
/// ended. Known from their last probes: nobody is asked.
async fn certificates(
    context: &Context,
    arguments: &ListArguments,
) -> Result<Vec<KnownCertificate>, Fault> {
    let Some(text) = arguments.expiring.as_deref().filter(|_| arguments.all) else {
        return Ok(Vec::new());
    };
    let until = Timestamp::now()
        .checked_add(within(text)?)
        .unwrap_or(Timestamp::MAX);
    let mut known = context.core.certificates().await?;
    known.retain(|certificate| certificate.ends <= until);
    Ok(known)
}

fn within(text: &str) -> Result<SignedDuration, Fault> {
    span::read(text).ok_or_else(|| {
        let text = inert(text, 40);
        Fault::usage(format!("{text:?} is no time: write 30d, 2w or 12h"))
    })
}

async fn is_idle(account: &Account, token: &Token) -> Result<bool, TokenError> {
    let Some(id) = &token.id else {
        return Ok(false);
    };
    let usage = account.usage(id).await?;
    Ok(Group::Idle.holds(token, Some(&usage), Timestamp::now()))
}

fn query(arguments: &ListArguments) -> Result<TokenQuery, Fault> {
    let now = Timestamp::now();
    let mut parts = Vec::new();
    if let Some(text) = &arguments.expiring {
        parts.push(within_days(whole_days(within(text)?), now));
    }
    if let Some(text) = &arguments.filter {
        parts.push(Rql::Or(vec![
            Rql::Contains("name", text.clone()),
            Rql::Contains("id", text.clone()),
        ]));
    }
    if let Some(status) = arguments.status {
        parts.push(Rql::Eq("status", word(status).into()));
    } else if !arguments.deleted {
        parts.push(Rql::Ne("status", "deleted".into()));
    }
    if let Some(chosen) = arguments.group {
        parts.extend(of(chosen).filter(now));
    }
    let order = ordered(arguments);
    let direction = if arguments.reverse {
        order.direction().reversed()
    } else {
        order.direction()
    };
    Ok(TokenQuery {
        filter: (!parts.is_empty()).then_some(Rql::And(parts)),
        order: vec![(order, direction)],
        ..TokenQuery::default()
    })
}

fn ordered(arguments: &ListArguments) -> Order {
    if arguments.expiring.is_some() && arguments.order == OrderArgument::Created {
        return Order::Expires;
    }
    match arguments.order {
        OrderArgument::Id => Order::Id,
        OrderArgument::Name => Order::Name,
        OrderArgument::Status => Order::Status,
        OrderArgument::Extension => Order::Extension,
        OrderArgument::Created => Order::Created,
        OrderArgument::Expires => Order::Expires,
    }
}

const fn word(chosen: StatusArgument) -> &'static str {
    match chosen {
        StatusArgument::Pending => "pending",
        StatusArgument::Active => "active",
        StatusArgument::Inactive => "inactive",
        StatusArgument::Expiring => "expiring",
        StatusArgument::Expired => "expired",
        StatusArgument::Revitalised => "revitalised",
        StatusArgument::Deleted => "deleted",
    }
}

const fn of(chosen: GroupArgument) -> Group {
    match chosen {
        GroupArgument::Expiring => Group::Expiring,
        GroupArgument::NeverExpires => Group::NeverExpires,
        GroupArgument::AllModules => Group::AllModules,
        GroupArgument::Disabled => Group::Disabled,
        GroupArgument::Idle => Group::Idle,
    }
}

fn write(
    all: &[ListedTokens],
    certificates: &[KnownCertificate],
    arguments: &ListArguments,
    several: bool,
) -> Result<(), Fault> {
    let several = several || arguments.all;
    let mut rows: Vec<Ends<'_>> = Vec::new();
    for found in all {
        rows.extend(found.tokens.iter().map(|token| Ends::Token(found, token)));
    }
    rows.extend(certificates.iter().map(Ends::Certificate));
    if several && arguments.expiring.is_some() {
        // What ends next first, whosever it is.
        rows.sort_by_key(Ends::at);
    }
    match arguments.format {
        DataFormat::Json if several => {
            let objects = rows.iter().map(|row| row.object(arguments));
            output::json(&objects.collect::<Result<Vec<_>, _>>()?)?;
        }
        DataFormat::Json => {
            let tokens: Vec<_> = all.iter().flat_map(|found| &found.tokens).collect();
            output::json(&tokens)?;
        }
        DataFormat::Ndjson => {
            for row in &rows {
                output::ndjson(&row.object(arguments)?)?;
            }
        }
        DataFormat::Human => {
            let shown_rows: Vec<_> = rows.iter().map(|row| row.human(several)).collect();
            output::text(&shown::list(&shown_rows))?;
        }
    }
    Ok(())
}

/// Something that ends.
enum Ends<'a> {
    Token(&'a ListedTokens, &'a Token),
    Certificate(&'a KnownCertificate),
}

impl<'a> Ends<'a> {
    fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Token(_, token) => token.ends().at(),
            Self::Certificate(certificate) => Some(certificate.ends),
        }
    }

    /// A token as ever; in the horizon of all connections, what kind of thing it is beside it.
    fn object(&self, arguments: &ListArguments) -> Result<Value, Fault> {
        let mut object = match self {
            Self::Token(found, token) => {
                serde_json::to_value(through(found, token)).map_err(Fault::of)?
            }
            Self::Certificate(certificate) => json!({
                "connection": certificate.connection.as_str(), "id": certificate.fingerprint,
                "name": certificate.subject, "status": null, "extension": null,
                "expires": whole_seconds(certificate.ends), "renewed_expires": null,
                "created": null, "created_by": certificate.issuer, "permissions": [],
            }),
        };
        if arguments.all && arguments.expiring.is_some() {
            object["kind"] = match self {
                Self::Token(..) => json!("token"),
                Self::Certificate(_) => json!("certificate"),
            };
        }
        Ok(object)
    }

    fn human(&self, several: bool) -> shown::TokenLine<'a> {
        match self {
            Self::Token(found, token) => shown::TokenLine {
                connection: if several { &found.connection } else { "" },
                what: shown::RowSubject::Token(token),
                in_use: token.id.as_deref() == Some(found.own_id.as_str()),
            },
            Self::Certificate(certificate) => shown::TokenLine {
                connection: certificate.connection.as_str(),
                what: shown::RowSubject::Certificate(certificate),
                in_use: false,
            },
        }
    }
}

fn through<'a>(found: &'a ListedTokens, token: &'a Token) -> Through<'a> {
    Through {
        connection: &found.connection,
        token,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn down_is_worse_than_a_warning_and_that_than_unknown() {
        assert_eq!(
            [
                worse(3, 2),
                worse(2, 3),
                worse(1, 3),
                worse(0, 3),
                worse(1, 0)
            ],
            [2, 2, 1, 3, 1]
        );
        assert_eq!(worse(2, 130), 130);
    }
}
