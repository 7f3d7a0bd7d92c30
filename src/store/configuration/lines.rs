//! A list in the file becomes another one: elements that stay keep their lines and comments.

use toml_edit::{Array, RawString, Value};

/// Makes `old` hold what `new` does.
///
/// What stands behind an element's comma on its line, a comment on it, is the beginning of what stands before the next
/// one: it goes with the former.
pub(super) fn become_list(old: &mut Array, new: &Array) {
    let shall = new.iter().map(Value::as_str).collect::<Vec<_>>();
    let mut at = 0;
    while at < old.len() {
        if shall.contains(&old.get(at).and_then(Value::as_str)) {
            at += 1;
        } else {
            take_out(old, at);
        }
    }
    for (at, value) in new.iter().enumerate() {
        if old.get(at).and_then(Value::as_str) != value.as_str() {
            put_in(old, at, value);
        }
    }
    while old.len() > new.len() {
        take_out(old, old.len() - 1);
    }
}

fn take_out(list: &mut Array, at: usize) {
    let gone = before(list, at);
    let next = before(list, at + 1);
    list.remove(at);
    let (comment, first) = line_end(&gone);
    let (_, rest) = line_end(&next);
    let begins_line = at == 0 && !rest.contains('\n') && !list.is_empty();
    let rest = if begins_line { first } else { rest };
    set_before(list, at, &format!("{comment}{rest}"));
}

fn put_in(list: &mut Array, at: usize, value: &Value) {
    let next = before(list, at);
    let (comment, rest) = line_end(&next);
    let (comment, rest) = (comment.to_owned(), rest.to_owned());
    // As the others stand: on a line of its own, or on theirs.
    let sibling = before(list, at.min(list.len().saturating_sub(1)));
    let own = match sibling.rsplit_once('\n') {
        Some((_, indent)) => format!("\n{indent}"),
        None if at == 0 => String::new(),
        None => " ".to_owned(),
    };
    let is_first_of_line = at == 0 && !own.contains('\n') && at < list.len();
    let mut value = value.clone();
    value.decor_mut().clear();
    list.insert_formatted(at, value);
    set_before(list, at, &format!("{comment}{own}"));
    let rest = if is_first_of_line { " " } else { &rest };
    set_before(list, at + 1, rest);
}

/// What stands before the element at `at`, or before the closing bracket.
fn before(list: &Array, at: usize) -> String {
    let raw = match list.get(at) {
        Some(value) => value.decor().prefix(),
        None => Some(list.trailing()),
    };
    raw.and_then(RawString::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn set_before(list: &mut Array, at: usize, text: &str) {
    match list.get_mut(at) {
        Some(value) => value.decor_mut().set_prefix(text),
        None => list.set_trailing(text),
    }
}

/// The comment at the end of the line before, and the rest from the line's end on.
fn line_end(text: &str) -> (&str, &str) {
    match text.find('\n') {
        Some(end) => text.split_at(end),
        None => ("", text),
    }
}
