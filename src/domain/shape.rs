//! What looks like a key, whoever issued it: the shapes by which a text is told to be one, a rule each.
//!
//! What one service issues, its file says (`service::shape`). Here stands what holds for all of them, and what is known
//! of the keys of the two that files of other programs are searched for.

/// What ids of tokens begin with at Connect, which are the user names there.
pub const TOKEN_ID_START: &str = "SU-";

/// The word that stands before `SU-…:…` in a header of Connect, with its blank.
pub const TOKEN_SCHEME: &str = "ApiKey ";

/// Hexadecimal digits of a Blesta API key (docs.blesta.com/developers/api).
pub const BLESTA_KEY_DIGITS: usize = 32;

/// Hexadecimal digits in a row that no last part of a host's name has; keys have more.
const HEX_OF_KEY: usize = 24;

/// Characters in a row of which generated keys have at least so many, and words of a name hardly ever.
const LENGTH_OF_KEY: usize = 20;

/// Whether `text` is the id of a token of Connect.
pub fn is_token_id(text: &str) -> bool {
    text.starts_with(TOKEN_ID_START)
}

/// Id and secret of `SU-…:…`, without the word before it; nothing where it is none. The secret may be empty.
pub fn token_pair(text: &str) -> Option<(&str, &str)> {
    text.split_once(':').filter(|(id, _)| is_token_id(id))
}

/// Whether `text` is exactly `digits` hexadecimal digits.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether `text` has small letters, capital letters and digits in it, as generated keys have.
pub fn is_mixed(text: &str) -> bool {
    let has = |test: fn(&char) -> bool| text.chars().any(|c| test(&c));
    has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit)
}

/// Whether a key stands in the last part of a host's name: alone, or glued to what was pasted with it.
pub fn host_holds_key(name: &str) -> bool {
    let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or("");
    let mut runs = last.split(|c: char| !c.is_ascii_hexdigit());
    runs.any(|run| run.len() >= HEX_OF_KEY)
}

/// Whether `typed`, which stands where a URL belongs, is a word without a dot that nobody would give a host: long, of
/// small and capital letters and digits.
pub fn is_generated_word(typed: &str) -> bool {
    typed.len() >= LENGTH_OF_KEY && !typed.contains(['.', '/', ':', '?']) && is_mixed(typed)
}

/// Whether a key stands in `text`, which is to be a name: many hexadecimal digits in a row, or letters and digits
/// mixed as no word has them. (A path, or a command with arguments, may well hold such a thing.)
pub fn name_holds_key(text: &str) -> bool {
    let is_random = |run: &str| {
        let numbers = run.split(|c: char| !c.is_ascii_digit());
        let numbers = numbers.filter(|number| !number.is_empty()).count();
        run.len() >= LENGTH_OF_KEY && (numbers >= 3 || is_mixed(run) && numbers == 2)
    };
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '=' | ':');
    let mut runs = text.split(|c: char| !c.is_ascii_alphanumeric());
    text.chars().all(is_of_key) && (host_holds_key(text) || runs.any(is_random))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef01234567";

    #[test]
    fn a_pair_is_an_id_and_what_stands_behind_its_colon() {
        for (text, pair) in [
            ("SU-1-2:a:b", Some(("SU-1-2", "a:b"))),
            ("SU-1:", Some(("SU-1", ""))),
            ("SU-1", None),
            ("su-1:a", None),
            ("ApiKey SU-1:a", None),
            ("shop:SU-1:a", None),
        ] {
            assert_eq!(token_pair(text), pair, "{text}");
        }
        assert!(is_token_id("SU-1") && !is_token_id("VA-1"));
    }

    #[test]
    fn hexadecimal_is_every_digit_and_no_more_of_them() {
        assert!(is_hex(HEX, 24) && is_hex("aF0", 3));
        assert!(!is_hex(HEX, 23) && !is_hex("aG0", 3) && !is_hex("é0", 2));
    }

    #[test]
    fn what_is_mixed_has_all_three() {
        assert!(is_mixed("aB1"));
        assert!(!is_mixed("aB") && !is_mixed("a1") && !is_mixed("B1") && !is_mixed(""));
    }

    #[test]
    fn a_key_is_seen_where_a_host_or_a_name_belongs() {
        let short = HEX.split_at(23).0;
        assert!(host_holds_key(HEX) && host_holds_key(&format!("a.{HEX}.")));
        assert!(!host_holds_key(short) && !host_holds_key(&format!("{HEX}.example.com")));
        assert!(is_generated_word("abcdefghijklmnopqrS1"));
        for host in [
            "abcdefghijklmnopqS1",
            "abcdefghijklmnopqrs1",
            "a.bcdefghijklmnopqrS1",
        ] {
            assert!(!is_generated_word(host), "{host}");
        }
        // Three numbers tell, and two where the letters are mixed.
        assert!(name_holds_key("a1b2c3defghijklmnopq") && name_holds_key("A1b2cdefghijklmnopqr"));
        assert!(name_holds_key(HEX) && name_holds_key(&format!("key:{HEX}")));
        for name in [
            "a1b2cdefghijklmnopqr",
            "A1bcdefghijklmnopqrs",
            "a1b2c3defghijklmnop",
            short,
            &format!("/run/{HEX}"),
        ] {
            assert!(!name_holds_key(name), "{name}");
        }
    }
}
