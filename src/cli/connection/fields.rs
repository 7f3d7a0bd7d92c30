//! The fields that the arguments give, put into a connection: refused where they can't be what is meant, said where
//! they take the place of something.

use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::entered;
use crate::cli::arguments::FieldArguments;
use crate::cli::context::Context;
use crate::cli::fault::Fault;
use crate::cli::{output, probe, sources};
use crate::domain::text::inert;
use crate::domain::{Connection, SecretRef, Window, span, tags};
use crate::store::StoreKind;
use crate::work::{self, Edit};

/// Puts the fields that were given into `connection`, which is to stand in the place of `replaced`; the values of its
/// secrets come back. They are read last: what can't be saved is told before anybody types one.
pub(super) async fn put(
    context: &Context,
    connection: &mut Connection,
    replaced: Option<&Connection>,
    given: &FieldArguments,
) -> Result<(Edit, Edit), Fault> {
    let before = connection.clone();
    let reference = |text: &Option<String>| {
        let text = text.as_deref();
        text.map(str::parse::<SecretRef>)
            .transpose()
            .map_err(Fault::of)
    };
    if let Some(reference) = reference(&given.key_ref)? {
        connection.key = Some(reference);
    }
    if let Some(reference) = reference(&given.token_ref)? {
        connection.token = Some(reference);
    }
    if let Some(username) = &given.username {
        connection.username = entered::username(username);
    }
    if let Some(note) = &given.note {
        connection.note.clone_from(note);
    }
    if !given.maintenance.is_empty() {
        let (before, now) = (&connection.maintenance, Timestamp::now());
        connection.maintenance = windows(before, &given.maintenance, now)?;
    }
    connection.read_only |= given.read_only;
    if given.company.is_some() {
        connection.company.clone_from(&given.company);
    }
    connection.paused |= given.pause;
    if let Some(interval) = &given.interval {
        let allowed = &Connection::INTERVAL_S;
        connection.interval_s = Some(in_seconds(interval, "interval", allowed)?);
    }
    if let Some(timeout) = &given.way.timeout {
        let allowed = &Connection::TIMEOUT_S;
        connection.timeout_s = Some(in_seconds(timeout, "timeout", allowed)?);
    }
    put_tags(connection, &given.tag)?;
    if let Some(given) = &given.cms {
        connection.cms = Some(cms(context, given).await?);
    }
    if given.cms_url.is_some() {
        connection.cms_url.clone_from(&given.cms_url);
    }
    probe::apply_route(connection, &given.way)?;
    probe::apply_sending(connection, &given.sending);
    entered::check_way(connection, &before, &given.way)?;
    if sources::is_named(&given.key, &given.token) {
        let store = given.store.as_deref().and_then(StoreKind::from_word);
        let core = &context.core;
        core.refuse_beforehand(connection, replaced, store).await?;
    }
    let (key, token) = sources::pair(&context.environment, &given.key, &given.token)?;
    let edit = |value: Option<_>| value.map_or(Edit::Keep, Edit::Set);
    Ok((edit(key), edit(token)))
}

fn put_tags(connection: &mut Connection, given: &[String]) -> Result<(), Fault> {
    if given.is_empty() {
        return Ok(());
    }
    connection.tags = tags::read(given.iter().map(String::as_str));
    if connection.tags.is_empty() {
        return Err(Fault::usage("no tag was named").hint("--unset tags takes all away"));
    }
    Ok(())
}

/// A CMS by its id, or by the path of its definition, which is kept from the root on.
pub(in crate::cli) async fn cms(context: &Context, given: &str) -> Result<String, Fault> {
    let whole = if work::cms::is_file(given) {
        let path = std::path::absolute(given)
            .map_err(|error| Fault::step("where the definition file is", error))?;
        path.to_str()
            .ok_or_else(|| Fault::usage("the path of a definition file is text"))?
            .to_owned()
    } else {
        given.to_owned()
    };
    context.core.check_cms(&whole).await?;
    Ok(whole)
}

/// The maintenance windows from now on. One that is once comes beside those that are there; recurring ones take the place
/// of the recurring ones there; `none` takes away all that are there. What is over goes.
fn windows(before: &[Window], given: &[String], now: Timestamp) -> Result<Vec<Window>, Fault> {
    let is_none = |text: &&String| text.trim() == "none";
    let mut read = Vec::new();
    for text in given.iter().filter(|text| !is_none(text)) {
        let window = Window::read(text, now).map_err(Fault::of)?;
        if !read.contains(&window) {
            read.push(window);
        }
    }
    let sets_recurring = read.iter().any(recurs);
    let goes = |window: &Window| {
        window.is_over(now) || read.contains(window) || (sets_recurring && recurs(window))
    };
    let stays = before.iter().filter(|window| !goes(window));
    let mut all: Vec<Window> = stays.cloned().collect();
    if given.iter().any(|text| is_none(&text)) {
        all.clear();
    }
    all.append(&mut read);
    Ok(all)
}

const fn recurs(window: &Window) -> bool {
    match window {
        Window::Weekly { .. } => true,
        Window::Once { .. } => false,
    }
}

/// Takes tags away from those that are there, and puts further ones to them.
pub(super) fn change_tags(
    connection: &mut Connection,
    removed: &[String],
    added: &[String],
) -> Result<(), Fault> {
    let read = |given: &[String]| {
        let named = tags::read(given.iter().map(String::as_str));
        if named.is_empty() && !given.is_empty() {
            return Err(Fault::usage("no tag was named"));
        }
        Ok(named)
    };
    for tag in read(removed)? {
        if !connection.tags.contains(&tag) {
            let (name, tag) = (&connection.name, inert(&tag, 60));
            output::say(&format!("{name} has no tag {tag}"));
        }
        connection.tags.retain(|one| *one != tag);
    }
    for tag in read(added)? {
        if !connection.tags.contains(&tag) {
            connection.tags.push(tag);
        }
    }
    Ok(())
}

/// What the lists that were given took the place of, a sentence each: it is nowhere else.
pub(super) fn gone(before: &Connection, after: &Connection, given: &FieldArguments) -> Vec<String> {
    let mut lines = Vec::new();
    let name = &before.name;
    let lost_tag = |tag: &String| !after.tags.contains(tag);
    if !given.tag.is_empty() && before.tags.iter().any(lost_tag) {
        let listed = |tags: &[String]| inert(&tags.join(", "), 200);
        lines.push(format!(
            "the tags of {name} were {}, and are {}; --add-tag and --remove-tag change single ones",
            listed(&before.tags),
            listed(&after.tags)
        ));
    }
    let now = Timestamp::now();
    let windows = before
        .maintenance
        .iter()
        .filter(|_| !given.maintenance.is_empty());
    for window in windows.filter(|window| !after.maintenance.contains(window)) {
        lines.push(if window.is_over(now) {
            format!("{name} has the maintenance window {window} no more: it was over")
        } else {
            format!("{name} has the maintenance window {window} no more")
        });
    }
    lines
}

/// A time as the configuration keeps it: whole seconds, which a bare number is as well, as in the form.
fn in_seconds(text: &str, what: &str, allowed: &RangeInclusive<u32>) -> Result<u32, Fault> {
    let shown = inert(text, 40);
    let time = span::read_or_seconds(text).ok_or_else(|| {
        Fault::usage(format!(
            "{shown:?} is no time: write 90, 10s, 5m, 2h or 30d"
        ))
    })?;
    let whole = Some(time).filter(|time| time.subsec_nanos() == 0);
    whole
        .and_then(|time| u32::try_from(time.as_secs()).ok())
        .filter(|seconds| allowed.contains(seconds))
        .ok_or_else(|| {
            let (least, most) = (allowed.start(), allowed.end());
            let fault = format!("the {what} is {least} to {most} whole seconds, not {shown:?}");
            Fault::usage(fault).hint("such as 90, 10s, 5m or 2h")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_as_they_were_given_or_refused() {
        let interval = |text: &str| in_seconds(text, "interval", &Connection::INTERVAL_S);
        for (text, seconds) in [("90", 90), ("90s", 90), ("2m", 120), ("2d", 172_800)] {
            assert_eq!(interval(text).unwrap(), seconds, "{text}");
        }
        for text in ["500ms", "1500ms", "0s", "0", "-5", "8d"] {
            let told = interval(text).unwrap_err().text();
            assert!(told.contains("interval is 1 to 604800"), "{text}: {told}");
        }
        assert!(interval("soon").unwrap_err().text().contains("10s"));
        let timeout = in_seconds("11m", "timeout", &Connection::TIMEOUT_S);
        assert!(timeout.unwrap_err().text().contains("timeout is 1 to 600"));
    }

    #[test]
    fn a_window_that_is_once_leaves_the_recurring_ones() {
        let now: Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        let window = |text: &str| Window::read(text, now).or_else(|_| text.parse()).unwrap();
        let (weekly, daily) = ("sun 02:00-04:00", "daily 03:00-03:30");
        let past = "2026-11-01T02:00:00Z/2026-11-01T04:00:00Z";
        let coming = "2026-12-01T02:00:00Z/2026-12-01T04:00:00Z";
        let before = [weekly, daily, past, coming].map(window);
        for (given, expected) in [
            (&["2h"][..], &[weekly, daily, coming, "2h"][..]),
            (&["mon 01:00-02:00"], &[coming, "mon 01:00-02:00"]),
            (&[daily, "2h", "2h"], &[coming, daily, "2h"]),
            (&["none"], &[]),
            (&["none", "2h"], &["2h"]),
            (&["2h", "none"], &["2h"]),
        ] {
            let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
            let expected: Vec<Window> = expected.iter().map(|text| window(text)).collect();
            assert_eq!(
                windows(&before, &given, now).unwrap(),
                expected,
                "{given:?}"
            );
        }
        let over = windows(&[], &[past.to_owned()], now).unwrap_err();
        assert!(over.text().contains("is over"));
    }
}
