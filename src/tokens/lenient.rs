//! Reading JSON that may hold anything anywhere: what is not of the expected kind is as good as missing.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::domain::Secret;

/// A text or a number as text, else nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LenientText(pub(super) Option<String>);

/// A secret, else nothing. An empty one is none.
#[derive(Clone, Debug, Default)]
pub(super) struct LenientSecret(pub(super) Option<Secret>);

/// A whole number, also where it came as text, else nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LenientCount(pub(super) Option<u64>);

/// An object, else its empty form.
#[derive(Clone, Debug, Default)]
pub(super) struct Lenient<T>(pub(super) T);

/// The objects of an array; nothing where there is none. Items that are no objects are in their empty form.
#[derive(Clone, Debug)]
pub(super) struct Rows<T>(pub(super) Option<Vec<T>>);

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// Writes the visitor methods that swallow what is not expected.
macro_rules! swallow {
    ($empty:expr; $($kind:ident)*) => { $(swallow!(@$kind $empty);)* };
    (@text $empty:expr) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok($empty) }
    };
    (@numbers $empty:expr) => {
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok($empty) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok($empty) }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok($empty) }
    };
    (@rest $empty:expr) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("anything") }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok($empty) }
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok($empty) }
    };
    (@array $empty:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok($empty)
        }
    };
    (@object $empty:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
            while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($empty)
        }
    };
}

impl<'de> Deserialize<'de> for LenientText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = LenientText;
            swallow!(LenientText(None); rest array object);
            fn visit_str<E>(self, text: &str) -> Result<LenientText, E> {
                Ok(LenientText(Some(text.to_owned())))
            }
            fn visit_i64<E>(self, number: i64) -> Result<LenientText, E> {
                Ok(LenientText(Some(number.to_string())))
            }
            fn visit_u64<E>(self, number: u64) -> Result<LenientText, E> {
                Ok(LenientText(Some(number.to_string())))
            }
            fn visit_f64<E>(self, number: f64) -> Result<LenientText, E> {
                Ok(LenientText(Some(number.to_string())))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl<'de> Deserialize<'de> for LenientSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = LenientSecret;
            swallow!(LenientSecret(None); rest numbers array object);
            fn visit_str<E>(self, text: &str) -> Result<LenientSecret, E> {
                Ok(LenientSecret((!text.is_empty()).then(|| Secret::new(text))))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl<'de> Deserialize<'de> for LenientCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = LenientCount;
            swallow!(LenientCount(None); rest array object);
            fn visit_str<E>(self, text: &str) -> Result<LenientCount, E> {
                Ok(LenientCount(text.trim().parse().ok()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<LenientCount, E> {
                Ok(LenientCount(number.try_into().ok()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<LenientCount, E> {
                Ok(LenientCount(Some(number)))
            }
            fn visit_f64<E>(self, number: f64) -> Result<LenientCount, E> {
                Ok(LenientCount(format!("{number:.0}").parse().ok()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Reader<T> {
            type Value = Lenient<T>;
            swallow!(Lenient(T::default()); rest text numbers array);
            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Lenient<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(Lenient)
            }
        }
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Reader<T> {
            type Value = Rows<T>;
            swallow!(Rows(None); rest text numbers object);
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Rows<T>, A::Error> {
                let mut rows = Vec::new();
                while let Some(Lenient(row)) = items.next_element()? {
                    rows.push(row);
                }
                Ok(Rows(Some(rows)))
            }
        }
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Row {
        id: LenientText,
        secret: LenientSecret,
        count: LenientCount,
        inner: Lenient<Inner>,
        rows: Rows<Inner>,
    }

    #[derive(Clone, Debug, Default, Deserialize)]
    #[serde(default)]
    struct Inner {
        id: LenientText,
    }

    #[test]
    fn whatever_stands_anywhere_nothing_fails() {
        let values = [
            "null",
            "true",
            "-1",
            "7",
            "1.5",
            "\"text\"",
            "[]",
            "[1,null,{\"id\":\"a\"},[[]]]",
            "{\"id\":\"a\",\"x\":{}}",
        ];
        for value in values {
            let json = format!(
                r#"{{"id":{value},"secret":{value},"count":{value},"inner":{value},"rows":{value},"more":{value}}}"#
            );
            let row: Row = serde_json::from_str(&json).unwrap();
            assert_eq!(row.secret.0.is_some(), value == "\"text\"", "{value}");
            assert_eq!(
                row.inner.0.id.0.is_some(),
                value.starts_with('{'),
                "{value}"
            );
            assert_eq!(
                row.rows.0.unwrap_or_default().len(),
                if value.starts_with("[1") { 4 } else { 0 },
                "{value}"
            );
            assert_eq!(
                row.count.0,
                [("7", 7), ("1.5", 2)]
                    .iter()
                    .find(|(text, _)| *text == value)
                    .map(|(_, n)| *n)
            );
            let number_or_text = matches!(value, "-1" | "7" | "1.5" | "\"text\"");
            assert_eq!(row.id.0.is_some(), number_or_text, "{value}");
        }
    }
}
