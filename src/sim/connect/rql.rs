//! Lists as Connect serves them: RQL filters and ordering, `limit` and `offset`, `Content-Range`.

use std::cmp::Ordering;

use serde_json::Value;

use super::super::http::decoded;

/// More rows than this are not given at once, whatever was asked for.
pub(super) const LIMIT: usize = 1_000;

/// What a query asks of a list.
#[derive(Debug)]
pub(super) struct Listing {
    filters: Vec<Term>,
    /// Path and whether it is descending.
    ordering: Vec<(String, bool)>,
    limit: usize,
    offset: usize,
}

/// RQL as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Call(String, Vec<Self>),
    List(Vec<Self>),
    Word(String),
}

impl Listing {
    /// Reads a query, still percent-encoded. An error names what is not understood.
    pub(super) fn parse(query: &str) -> Result<Self, NotUnderstood> {
        let mut listing = Self {
            filters: Vec::new(),
            ordering: Vec::new(),
            limit: 100,
            offset: 0,
        };
        for piece in query.split('&').filter(|piece| !piece.is_empty()) {
            let piece = decoded(piece);
            match piece.split_once('=') {
                Some(("limit", count)) => {
                    listing.limit = number(count)?;
                }
                Some(("offset", count)) => {
                    listing.offset = number(count)?;
                }
                _ => listing.take(Parser::whole(&piece)?)?,
            }
        }
        Ok(listing)
    }

    fn take(&mut self, term: Term) -> Result<(), NotUnderstood> {
        match term {
            Term::Call(name, fields) if name == "ordering" => {
                for field in fields {
                    let Term::Word(field) = field else {
                        return Err(bad("ordering"));
                    };
                    let path = field.trim_start_matches(['+', '-']).to_owned();
                    self.ordering.push((path, field.starts_with('-')));
                }
            }
            other => {
                holds(&other, &Value::Null)?;
                self.filters.push(other);
            }
        }
        Ok(())
    }

    /// `Content-Range` and the rows of the page, `most` of them.
    pub(super) fn page(&self, rows: &[Value], most: usize) -> (String, Vec<Value>) {
        let mut fitting: Vec<_> = rows
            .iter()
            .filter(|row| self.filters.iter().all(|term| holds(term, row) == Ok(true)))
            .collect();
        fitting.sort_by(|a, b| self.compare(a, b));
        let total = fitting.len();
        let page: Vec<Value> = fitting
            .into_iter()
            .skip(self.offset)
            .take(self.limit.min(most))
            .cloned()
            .collect();
        let range = match page.len() {
            0 => format!("items 0-0/{total}"),
            count => format!("items {}-{}/{total}", self.offset, self.offset + count - 1),
        };
        (range, page)
    }

    fn compare(&self, a: &Value, b: &Value) -> Ordering {
        self.ordering
            .iter()
            .map(|(path, descending)| {
                let order = first_text(a, path).cmp(&first_text(b, path));
                if *descending { order.reverse() } else { order }
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

fn number(text: &str) -> Result<usize, NotUnderstood> {
    text.parse().or(Err(bad(text)))
}

/// A query that Connect would not take, in its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("RQL: {0} is not understood.")]
pub(super) struct NotUnderstood(String);

fn bad(what: &str) -> NotUnderstood {
    NotUnderstood(what.to_owned())
}

/// Whether `term` holds for `row`. An error names an unknown operator.
fn holds(term: &Term, row: &Value) -> Result<bool, NotUnderstood> {
    let Term::Call(name, parts) = term else {
        return Err(bad("a word alone"));
    };
    let each = || {
        parts
            .iter()
            .map(|part| holds(part, row))
            .collect::<Result<Vec<_>, _>>()
    };
    match (name.as_str(), parts.as_slice()) {
        ("and", _) => Ok(each()?.into_iter().all(|held| held)),
        ("or", _) => Ok(each()?.into_iter().any(|held| held)),
        ("not", [part]) => Ok(!holds(part, row)?),
        (operator, [Term::Word(path), value]) => compares(operator, &texts(row, path), value),
        _ => Err(bad(name)),
    }
}

/// Whether any of `found` stands to `value` as `operator` says. A null is the empty list.
fn compares(operator: &str, found: &[String], value: &Term) -> Result<bool, NotUnderstood> {
    let any = |test: &dyn Fn(&str) -> bool| found.iter().any(|text| test(text));
    match (operator, value) {
        ("eq", Term::Call(null, _)) if null == "null" => Ok(found.is_empty()),
        ("ne", Term::Call(null, _)) if null == "null" => Ok(!found.is_empty()),
        ("eq", Term::Word(word)) => Ok(any(&|text| text == word)),
        ("ne", Term::Word(word)) => Ok(!any(&|text| text == word)),
        ("gt", Term::Word(word)) => Ok(any(&|text| text > word.as_str())),
        ("ge", Term::Word(word)) => Ok(any(&|text| text >= word.as_str())),
        ("lt", Term::Word(word)) => Ok(any(&|text| text < word.as_str())),
        ("le", Term::Word(word)) => Ok(any(&|text| text <= word.as_str())),
        ("like", Term::Word(word)) => Ok(any(&|text| fits(text, word))),
        ("ilike", Term::Word(word)) => {
            let word = word.to_lowercase();
            Ok(any(&|text| fits(&text.to_lowercase(), &word)))
        }
        ("in", Term::List(words)) => Ok(any(&|text| listed(text, words))),
        ("out", Term::List(words)) => Ok(!any(&|text| listed(text, words))),
        _ => Err(bad(operator)),
    }
}

fn listed(text: &str, words: &[Term]) -> bool {
    words
        .iter()
        .any(|word| *word == Term::Word(text.to_owned()))
}

/// Whether `text` fits `pattern`, in which `*` stands for anything.
fn fits(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// Every value at the dotted `path`, through lists too; none where it is null or missing.
fn texts(row: &Value, path: &str) -> Vec<String> {
    let mut found = vec![row];
    for step in path.split('.') {
        found = found
            .into_iter()
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().collect(),
                other => vec![other],
            })
            .filter_map(|value| value.get(step))
            .collect();
    }
    found
        .into_iter()
        .filter(|value| !value.is_null())
        .map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
        .collect()
}

fn first_text(row: &Value, path: &str) -> Option<String> {
    texts(row, path).into_iter().next()
}

/// Reads one term of RQL.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn whole(text: &'a str) -> Result<Term, NotUnderstood> {
        let mut parser = Self { rest: text };
        let term = parser.term()?;
        if parser.rest.is_empty() {
            Ok(term)
        } else {
            Err(bad(text))
        }
    }

    fn term(&mut self) -> Result<Term, NotUnderstood> {
        if self.eats("(") {
            return Ok(Term::List(self.items()?));
        }
        for quote in ['"', '\''] {
            if let Some(after) = self.rest.strip_prefix(quote) {
                let (word, rest) = after.split_once(quote).ok_or_else(|| bad("a quote"))?;
                self.rest = rest;
                return Ok(Term::Word(word.to_owned()));
            }
        }
        let end = self.rest.find(['(', ')', ',']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if self.eats("(") {
            return Ok(Term::Call(word.to_owned(), self.items()?));
        }
        Ok(Term::Word(word.to_owned()))
    }

    /// Terms up to and with the closing parenthesis.
    fn items(&mut self) -> Result<Vec<Term>, NotUnderstood> {
        let mut items = Vec::new();
        if self.eats(")") {
            return Ok(items);
        }
        loop {
            items.push(self.term()?);
            if self.eats(")") {
                return Ok(items);
            }
            if !self.eats(",") {
                return Err(bad("an open parenthesis"));
            }
        }
    }

    fn eats(&mut self, sign: &str) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows() -> Vec<Value> {
        vec![
            json!({ "id": "a", "name": "Alpha one", "status": "active", "n": null,
                    "permissions": [{ "id": "MD-1" }, { "id": "MD-2" }] }),
            json!({ "id": "b", "name": "beta", "status": "inactive", "n": "x",
                    "permissions": [] }),
            json!({ "id": "c", "name": "Gamma, two", "status": "active", "n": null }),
        ]
    }

    fn ids(query: &str) -> String {
        let (_, page) = Listing::parse(query).unwrap().page(&rows(), LIMIT);
        page.iter().filter_map(|row| row["id"].as_str()).collect()
    }

    #[test]
    fn operators_filter() {
        for (query, expected) in [
            ("", "abc"),
            ("eq(status,active)", "ac"),
            ("ne(status,active)", "b"),
            ("in(id,(a,b))&eq(status,active)", "a"),
            ("out(id,(a,b))", "c"),
            ("ilike(name,*A*)", "abc"),
            ("like(name,*A*)", "a"),
            ("ilike(name,alpha*)", "a"),
            ("eq(name,%22Gamma,%20two%22)", "c"),
            ("or(eq(id,a),not(eq(status,active)))", "ab"),
            ("and(ge(id,b),lt(id,c))", "b"),
            ("eq(n,null())", "ac"),
            ("ne(n,null())", "b"),
            ("eq(permissions.id,MD-2)", "a"),
            ("ordering(-name)", "bca"),
            ("ordering(status,-id)&limit=2", "ca"),
            ("offset=1&limit=1", "b"),
        ] {
            assert_eq!(ids(query), expected, "{query}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for query in ["near(a,b)", "eq(a", "eq", "limit=x", "eq(a,b)c"] {
            assert!(Listing::parse(query).is_err(), "{query}");
        }
    }

    #[test]
    fn ranges_count_the_whole_list() {
        let range = |query: &str| Listing::parse(query).unwrap().page(&rows(), LIMIT).0;
        assert_eq!(range(""), "items 0-2/3");
        assert_eq!(range("limit=1&offset=2"), "items 2-2/3");
        assert_eq!(range("limit=0"), "items 0-0/3");
        assert_eq!(range("eq(id,z)"), "items 0-0/0");
    }
}
