//! What looks like a key, whoever issued it: the shapes by which a text is told to be one, a rule each.
//!
//! What one service issues, its file says (`service::shape`). Here stands what holds for all of them, and what is known
//! of the keys of the two that files of other programs are searched for: by one judgement, wherever it is asked.

use std::borrow::Cow;

use super::secret::MASK;

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

/// Hexadecimal digits in a row that only keys, digests and signatures have: more than ids of accounts.
const HEX_OF_DIGEST: usize = 40;

/// Characters in a row, mixed as no name is, of which tokens have at least so many.
const LENGTH_OF_TOKEN: usize = 32;

/// Characters that a secret behind its id, or behind the word of a header, has at least: others stand in texts by chance.
const SHORTEST: usize = 8;

/// What stands before a credential in a header, however it is written.
const HEADER_WORDS: [&str; 3] = [TOKEN_SCHEME, "Bearer ", "Basic "];

/// The name of the header that carries them.
const HEADER_NAME: &str = "Authorization:";

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

/// Whether a secret stands in a line of any text, by its shape alone: a Blesta key, a Connect key, a signed token, or
/// what is a secret where a configuration names a user. (Digests stand in many a line; a user is not called like one.)
pub fn line_holds_secret(line: &str) -> bool {
    let in_word = |c: char| c.is_ascii_alphanumeric() || "-:_".contains(c);
    let mut words = line.split(|c: char| !in_word(c));
    let is_key = |word: &str| {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let pair = token_pair(bare);
        is_blesta_key(bare) || pair.is_some_and(|(_, secret)| secret.len() >= SHORTEST)
    };
    words.any(is_key) || holds_signed(line) || username_in(line).is_some_and(username_holds_secret)
}

/// Whether a secret stands in what is to be a user name, which stands in the open wherever it is kept and shown.
pub fn username_holds_secret(username: &str) -> bool {
    let text = username.trim();
    let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-:_".contains(c)));
    let is_pair = |word: &str| token_pair(word).is_some_and(|(_, secret)| !secret.is_empty());
    if is_header(text) || holds_signed(text) || words.any(is_pair) {
        return true;
    }
    if is_mail_address(text) {
        return false;
    }
    let mut runs = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_digest = |run: &str| run.len() >= HEX_OF_DIGEST && is_hex(run, run.len());
    let is_generated = |run: &str| is_generated_run(run) && is_mixed(run);
    runs.any(|run| is_blesta_key(run) || is_digest(run) || is_generated(run)) || is_token(text)
}

/// A user name for eyes: a mask where a secret stands in it.
pub fn shown_username(username: &str) -> Cow<'_, str> {
    if username_holds_secret(username) {
        Cow::Borrowed(MASK)
    } else {
        Cow::Borrowed(username)
    }
}

/// Whether it is a Blesta key. A digit is in each but one of some millions, and in no word.
fn is_blesta_key(text: &str) -> bool {
    is_hex(text, BLESTA_KEY_DIGITS) && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether it is what a header says, or what stands behind the header's name.
fn is_header(text: &str) -> bool {
    let behind = |word: &str| {
        let (head, rest) = text.split_at_checked(word.len())?;
        head.eq_ignore_ascii_case(word).then_some(rest.trim())
    };
    let is_credential = |rest: &str| rest.len() >= SHORTEST && !rest.contains(' ');
    behind(HEADER_NAME).is_some_and(|rest| !rest.is_empty())
        || HEADER_WORDS
            .iter()
            .any(|word| behind(word).is_some_and(is_credential))
}

/// Whether a signed token (RFC 7519) stands in it: two objects of JSON, each as text, with a dot between them.
fn holds_signed(text: &str) -> bool {
    let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    words.any(|word| {
        let claims = word.split_once(".eyJ");
        claims.is_some_and(|(head, _)| head.starts_with("eyJ"))
    })
}

/// Whether it is one word as tokens are made in the alphabets of base64: long, and of letters and numbers in turn.
fn is_token(text: &str) -> bool {
    let of_token = |c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c);
    let mut words = text.split([':', ' ']);
    words.any(|word| {
        let numbers = word.split(|c: char| !c.is_ascii_digit());
        let numbers = numbers.filter(|number| !number.is_empty()).count();
        is_generated_run(word) && word.chars().all(of_token) && is_mixed(word) && numbers >= 3
    })
}

/// Whether it is as long as tokens are. Ids of accounts are hexadecimal, with a word before them.
fn is_generated_run(text: &str) -> bool {
    text.len() >= LENGTH_OF_TOKEN && !is_hex(text, text.len())
}

/// Whether it is a mail address, which may be made of anything before its host.
fn is_mail_address(text: &str) -> bool {
    let host = text.rsplit_once('@').map(|(_, host)| host);
    host.is_some_and(|host| host.contains('.')) && !text.contains([':', ' '])
}

/// What a line of a configuration says the user name is.
fn username_in(line: &str) -> Option<&str> {
    let value = line.trim_start().strip_prefix("username")?;
    let value = value.trim_start().strip_prefix('=')?;
    Some(value.trim().trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_from_the_name_of_a_user() {
        let signed = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl";
        let secrets = [
            "SU-160-984-311:f45bee7e79b10ff6eff67902ccb4f3d46724ceb8",
            "ApiKey SU-160-984-311:x",
            "  SU-1-2:x",
            "ApiKey hunter2hunter2",
            "Authorization: Basic c2hvcC1hcGk6MDEy",
            "authorization:c2hvcA==",
            "basic c2hvcC1hcGk6MDEy",
            "Bearer hunter2hunter2",
            "0123456789abcdef0123456789abcdef",
            "shop:0123456789abcdef0123456789abcdef",
            "f45bee7e79b10ff6eff67902ccb4f3d46724ceb8",
            &"0123456789ABCDEF".repeat(4),
            signed,
            &format!("Bearer {signed}"),
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "rQ3-x_7sKp0aWm5-Tz9_bLc2Vd8fGh1jYn4eUo6iXqA",
            "c2hvcC1hcGk6MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk=",
        ];
        for text in secrets {
            assert!(username_holds_secret(text), "{text}");
            assert_eq!(shown_username(text), MASK);
            let line = format!("  username = \"{text}\"");
            assert!(line_holds_secret(&line), "{line}");
        }
        for name in [
            "",
            "shop-api",
            "shop-api:",
            "SU-160-984-311",
            "SU-160-984-311:",
            "me@shop.example.com",
            "bounce+0123456789abcdef0123456789abcdef@shop.example.com",
            "deadbeef",
            "0a1b2c3d4e5f",
            "123e4567-e89b-12d3-a456-426614174000",
            "AC0123456789abcdef0123456789abcdef",
            "Basic",
            "Basic user",
            "Bearer of news 2026",
            "SHOP\\Ann.Smith1",
            "CN=Ann Smith 1,OU=Sales And Marketing 2,DC=shop,DC=example",
            "my-Very-Long-Service-Account-Name-For-Shop-01",
            "service-account-0000000000000000000000000",
            "S-1-5-21-3623811015-3361044348-30300820-1013",
        ] {
            assert!(!username_holds_secret(name), "{name}");
            assert_eq!(shown_username(name), name);
            let line = format!("username = \"{name}\"");
            // A mail address is one only where it stands alone.
            assert_eq!(line_holds_secret(&line), name.contains("bounce"), "{line}");
        }
    }

    #[test]
    fn a_digest_in_a_line_is_none_of_our_secrets() {
        let digest = "f45bee7e79b10ff6eff67902ccb4f3d46724ceb8";
        for line in [
            &format!("fingerprint {digest}"),
            &format!("password = \"{digest}\""),
            "username",
            "at Basic authentication",
            "SU-1-2:short",
        ] {
            assert!(!line_holds_secret(line), "{line}");
        }
        for line in [
            "note = \"0123456789abcdef0123456789abcdef\"",
            "a SU-1-2:longenough b",
            "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln",
            &format!("username = '{digest}'"),
        ] {
            assert!(line_holds_secret(line), "{line}");
        }
    }

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
