//! A service file as JSON, for the one reader that the embedded files have too: a second one, for TOML, would be a
//! sixtieth of the program.
//!
//! Every key, every element and every end of a table stands on a line of its own, so that the line of a problem leads
//! back to where it is in the file.

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

/// JSON, and where each of its lines comes from.
pub(super) struct Json {
    text: String,
    /// Of each line, the offset in the TOML, in bytes.
    origins: Vec<usize>,
}

impl Json {
    /// Translates `toml`.
    ///
    /// # Errors
    /// It is not TOML.
    pub(super) fn of(toml: &str) -> Result<Self, Error> {
        let table = DeTable::parse(toml)?;
        let mut json = Self {
            text: String::with_capacity(2 * toml.len()),
            origins: vec![0],
        };
        json.table(table.get_ref(), 0);
        Ok(json)
    }

    /// The JSON.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The offset in the TOML of what a line of the JSON says, in bytes; lines count from one.
    pub(super) fn origin(&self, line: usize) -> usize {
        let last = self.origins.last().copied().unwrap_or_default();
        self.origins
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(last)
    }

    fn line(&mut self, origin: usize) {
        self.text.push('\n');
        self.origins.push(origin);
    }

    fn table(&mut self, table: &DeTable<'_>, origin: usize) {
        self.text.push('{');
        for (place, (key, value)) in table.iter().enumerate() {
            if place > 0 {
                self.text.push(',');
            }
            self.line(key.span().start);
            self.string(key.get_ref());
            self.text.push(':');
            self.value(value);
        }
        self.line(origin);
        self.text.push('}');
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>) {
        let origin = value.span().start;
        match value.get_ref() {
            DeValue::String(text) => self.string(text),
            DeValue::Boolean(set) => self.text.push_str(if *set { "true" } else { "false" }),
            DeValue::Integer(number) => {
                match i128::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => self.text.push_str(&number.to_string()),
                    Err(_) => self.string(number.as_str()),
                }
            }
            // JSON has no infinity: where one stands, no number is what is expected.
            DeValue::Float(number) => {
                let number = number.as_str().parse().ok();
                let number = number.and_then(serde_json::Number::from_f64);
                let number = number.map_or_else(|| "null".to_owned(), |number| number.to_string());
                self.text.push_str(&number);
            }
            // No field of the format is a time: this is refused wherever it stands.
            DeValue::Datetime(_) => self.text.push_str("{}"),
            DeValue::Array(elements) => {
                self.text.push('[');
                for (place, element) in elements.iter().enumerate() {
                    if place > 0 {
                        self.text.push(',');
                    }
                    self.line(element.span().start);
                    self.value(element);
                }
                self.line(origin);
                self.text.push(']');
            }
            DeValue::Table(table) => self.table(table, origin),
        }
    }

    fn string(&mut self, text: &str) {
        self.text
            .push_str(&serde_json::Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str =
        "a = \"x\\ny\"\n[b]\nc = [1, 0x10, 2.5]\n\n[[d]]\ne = true\n[[d]]\nf.g = 'h'\n";

    #[test]
    fn it_means_the_same() {
        let json = Json::of(TOML).unwrap();
        let read: serde_json::Value = serde_json::from_str(json.text()).unwrap();
        let expected: serde_json::Value = toml::from_str(TOML).unwrap();
        assert_eq!(read, expected);
    }

    #[test]
    fn each_line_leads_back_to_where_it_was_written() {
        let json = Json::of(TOML).unwrap();
        for (number, line) in json.text().lines().enumerate() {
            let Some(key) = line.trim_start_matches([',', '"']).split('"').next() else {
                continue;
            };
            if line.starts_with('"') {
                let written = TOML.get(json.origin(number + 1)..).unwrap();
                assert!(written.starts_with(key), "{line}: {written}");
            }
        }
    }

    #[test]
    fn what_no_field_can_be_is_no_value_of_any() {
        let json =
            Json::of("a = 1979-05-27\nb = inf\nc = 99999999999999999999999999999999999999999")
                .unwrap();
        let read: serde_json::Value = serde_json::from_str(json.text()).unwrap();
        assert!(
            read["a"].is_object() && read["b"].is_null() && read["c"].is_string(),
            "{read}"
        );
    }
}
