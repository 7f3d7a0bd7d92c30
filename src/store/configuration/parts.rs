//! A file with very many connections, read in parts. The parser's own picture of a part is a hundred times smaller
//! than that of the file would be, which stays behind, once it is gone, as a hole among what is kept.

use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::{Spanned, Value};

use super::Configuration;
use super::fields::Table;
use super::read::{ConfigurationBuilder, ConnectionEntry};

/// Bytes of connections that are read together: with eight times as many, a file of a megabyte left a megabyte more.
pub(super) const PART: usize = 8 * 1024;
/// What each connection begins with, as we write it and as nearly everybody does.
const BEGIN: &[u8] = b"\n[[connection]]";

/// What stands before the connections.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: Spanned<Value>,
    #[serde(default)]
    settings: Table,
    connection: Option<IgnoredAny>,
}

/// Connections, and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SplitFile {
    connection: Vec<ConnectionEntry>,
}

/// Reads `text`, about `part` bytes at a time. Nothing where it has not two of them, and nothing where anything at
/// all is unusual or wrong in it: who reads it whole can tell where.
pub(super) fn read(text: &str, part: usize) -> Option<Configuration> {
    if text.len() < 2 * part {
        return None;
    }
    let begins: Vec<usize> = memmem::find_iter(text.as_bytes(), BEGIN)
        .map(|at| at + 1)
        .collect();
    let mut from = *begins.first()?;
    // A text of several lines may hold such a line, too: then it ends in no part, which is no TOML.
    let head: Head = toml::from_str(text.get(..from)?).ok()?;
    if head.connection.is_some() {
        return None;
    }
    let mut gathered =
        ConfigurationBuilder::begin(&head.version, &head.settings, begins.len()).ok()?;
    while from < text.len() {
        let next = begins.partition_point(|begin| *begin < from + part);
        let to = begins.get(next).copied().unwrap_or(text.len());
        let read: SplitFile = toml::from_str(text.get(from..to)?).ok()?;
        for entry in read.connection {
            gathered.take(entry.moved(from)).ok()?;
        }
        from = to;
    }
    Some(gathered.end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::configuration::read::parse;

    const HEAD: &str = "# ours\nversion = 1\n\n[settings]\ninterval_s = 30\nodd = 1\n";

    /// A connection's lines, `more` among them.
    fn lines(number: usize, more: &str) -> String {
        format!(
            "\n[[connection]] # {number}\nname = \"c{number}\"\nservice = \"http\"\n\
             url = \"https://h{number}.example\"\n{more}\n"
        )
    }

    fn many() -> String {
        let mut text = HEAD.to_owned();
        for number in 0..3_000 {
            let more = match number % 5 {
                0 => "tags = [\n  \"eu\",\n  \"x\",\n]\nmaintenance = [\"sun 02:00-04:00\"]",
                1 => "note = \"\"\"\nof\n[lines]\n\"\"\"\nkey = \"env:K\"",
                2 => "added = { a = \"ask\" }\nunknown_here = 3",
                3 => "[connection.added]\n\"deploy bot\" = \"env:DEPLOY\"",
                _ => "paused = true",
            };
            text += &lines(number, more);
        }
        text
    }

    #[test]
    fn many_connections_are_read_as_the_whole_file_is() {
        for text in [many(), many().replace('\n', "\r\n")] {
            let whole = parse(&text).unwrap();
            assert_eq!(whole.connections.len(), 3_000);
            // What is unknown, with the bytes where it stands, is part of what is compared.
            assert_eq!(whole.unknown.len(), 601);
            assert_eq!(read(&text, PART), Some(whole));
        }
    }

    #[test]
    fn what_is_short_unusual_or_wrong_is_left_to_who_reads_it_whole() {
        let changed = |change: fn(&mut String)| {
            let mut text = many();
            change(&mut text);
            text
        };
        for (what, text) in [
            ("short", HEAD.to_owned() + &lines(0, "")),
            (
                "settings behind",
                changed(|text| *text += "\n[settings.keys]\nquit = [\"q\"]\n"),
            ),
            ("twice", changed(|text| *text += &lines(7, ""))),
            (
                "a field",
                changed(|text| *text += &lines(3_000, "auth = \"none such\"")),
            ),
            ("no TOML", changed(|text| text.push_str("\n= ="))),
            (
                "a newer file",
                many().replacen("version = 1", "version = 2", 1),
            ),
            (
                "an empty list in the head",
                many().replacen("version = 1\n", "version = 1\nconnection = []\n", 1),
            ),
            ("no head", many().replacen(HEAD, "", 1)),
            (
                "connections in the head",
                many().replacen("\n[[connection]]", "\n[[ connection ]]", 1),
            ),
        ] {
            assert_eq!(read(&text, PART), None, "{what}");
        }
    }

    #[test]
    fn a_text_that_holds_the_line_is_never_cut() {
        let inside = "note = '''\n[[connection]]\nname = \"no\"\n'''";
        let (mut cut, mut uncut) = (0, 0);
        for padding in 0..12 {
            let mut text = HEAD.to_owned() + &lines(1_500, &"#".repeat(padding * 23));
            for number in 0..1_500 {
                text += &lines(number, if number % 3 == 0 { inside } else { "" });
            }
            let whole = parse(&text).unwrap();
            assert!(whole.connections[1].note.contains("[[connection]]"));
            match read(&text, 8 * PART) {
                None => cut += 1,
                Some(read) => {
                    uncut += 1;
                    assert_eq!(read, whole);
                }
            }
        }
        assert!(cut > 0 && uncut > 0, "{cut} {uncut}");
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]
        #[test]
        fn whatever_stands_there_parts_are_read_as_the_whole_or_not_at_all(
            pieces in proptest::collection::vec(proptest::prop_oneof![4 => 0..USUAL, 1 => 0..PIECES.len()], 0..12),
            part in 1_usize..300,
        ) {
            let mut text = HEAD.to_owned();
            for (number, piece) in pieces.into_iter().enumerate() {
                text += &PIECES[piece].replace('%', &number.to_string());
            }
            if let Some(read) = read(&text, part) {
                proptest::prop_assert_eq!(Some(read), parse(&text).ok());
            }
        }
    }

    /// So many of the pieces stand first that leave a file whole.
    const USUAL: usize = 4;
    /// What a file may be put together from, in any order: with connections, and with all that may look like one.
    const PIECES: [&str; 12] = [
        "\n[[connection]]\nname = \"c%\"\nservice = \"http\"\nurl = \"u\"\n",
        "\n[[connection]]\nname = \"d%\"\nservice = \"http\"\nurl = \"u\"\n",
        "unknown% = 1\n",
        "# [[connection]]\n",
        "note = '''\n[[connection]]\nname = \"x%\"\n'''\n",
        "note = \"\"\"\n[[connection]]\nname = \"x%\"\nservice = \"http\"\nurl = \"u\"\n\"\"\"\n",
        "tags = [\n\"a%\",\n[[connection]]\n]\n",
        "'''\n",
        "\"\"\"\n",
        "[connection.added]\na = \"ask\"\n",
        "[settings.keys]\n",
        "\n[[connection]]\nname = \"same\"\nservice = \"http\"\nurl = \"u\"\n",
    ];
}
