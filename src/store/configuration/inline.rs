//! `connection = [{ … }]` becomes `[[connection]]` tables, the form that is edited here, with every comment in it.

use toml_edit::{Array, ArrayOfTables, Decor, DocumentMut, Item, Key, RawString, Table, Value};

/// Turns the list into tables. Of another kind of list nothing is changed.
pub(super) fn become_tables(toml: &mut DocumentMut) {
    let is_list = |array: &Array| array.iter().all(Value::is_inline_table);
    let found = toml.get("connection").and_then(Item::as_array);
    if !found.is_some_and(is_list) {
        return;
    }
    let Some((key, Item::Value(Value::Array(array)))) = toml.remove_entry("connection") else {
        return;
    };
    let (tables, left) = divided(&key, array);
    toml.insert("connection", Item::ArrayOfTables(tables));
    if !left.is_empty() {
        // The tables stand last, and these behind the last of them.
        let behind = toml.trailing().as_str().unwrap_or_default().to_owned();
        toml.set_trailing(format!("{}{behind}", lines(&left)));
    }
}

/// A table for each element, and the comments behind the last one. A comment on the line on which an element ends
/// stands on the line of its header, each other one above it.
fn divided(key: &Key, array: Array) -> (ArrayOfTables, Vec<String>) {
    let trailing = text(array.trailing());
    let suffix = array.decor().suffix().map(text).unwrap_or_default();
    let mut above = comments(&prefix(key.leaf_decor()));
    let mut begun: Vec<Table> = Vec::new();
    let ends_on_line = |begun: &mut Vec<Table>, text: &str| {
        let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
        match begun.last_mut() {
            Some(table) if line.contains('#') => {
                table.decor_mut().set_suffix(format!(" {}", line.trim()));
                comments(rest)
            }
            _ => comments(text),
        }
    };
    for value in array {
        let Value::InlineTable(inline) = value else {
            continue;
        };
        above.extend(ends_on_line(&mut begun, &prefix(inline.decor())));
        let behind = inline.decor().suffix().map(text).unwrap_or_default();
        let mut table = inline.into_table();
        table.decor_mut().set_prefix(format!("\n{}", lines(&above)));
        above = comments(&behind);
        begun.push(table);
    }
    above.extend(ends_on_line(&mut begun, &trailing));
    above.extend(comments(&suffix));
    (begun.into_iter().collect(), above)
}

fn prefix(decor: &Decor) -> String {
    decor.prefix().map(text).unwrap_or_default()
}

fn text(raw: &RawString) -> String {
    raw.as_str().unwrap_or_default().to_owned()
}

fn comments(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn lines(comments: &[String]) -> String {
    let lines = comments.iter().map(String::as_str);
    lines.flat_map(|comment| [comment, "\n"]).collect()
}
