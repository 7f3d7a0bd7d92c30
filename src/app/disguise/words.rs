//! Which words of a sentence could tell whom it is about, and what is put in their places.

/// What stands for something that has no pseudonym.
pub(super) const BLANK: &str = "•••";
/// What pseudonyms begin with.
const KINDS: [&str; 5] = ["conn-", "host-", "user-", "id-", "token-"];
/// What stands before a host and one of these is part of another one's name.
pub(super) const JOINING: &[char] = &['.', '-', '_'];
/// What stands between a certificate's owner and who signed it.
const ISSUER: &str = ", issued by ";
/// What foreign words stand behind: a page's title, what the system of this machine said.
const LABELS: [&str; 3] = [
    "page title: ",
    "This machine: ",
    "This machine could not ask: ",
];
/// Paths that everybody knows: the remedies speak of them.
const KNOWN_PATHS: [&str; 11] = [
    "/api",
    "/api/companies/getAll.json",
    "/billing",
    "/blesta",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/index.php",
    "/index.php/api",
    "/public/v1",
    "/var/log/apache2/error.log",
    "/var/log/nginx/error.log",
];

/// The pseudonym that `text` begins with, as a word of its own.
pub(super) fn pseudonym_at(text: &str) -> Option<&str> {
    let kind = KINDS.iter().find(|kind| text.starts_with(**kind))?;
    let number = text.get(kind.len()..)?;
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, behind) = text.split_at_checked(kind.len() + digits)?;
    (digits > 0 && !behind.starts_with(joins)).then_some(whole)
}

/// `text` replaced wherever it stands as words of its own: within a longer word it is not meant, and what is left of
/// that word would tell it.
pub(super) fn replace_words(line: &str, text: &str, by: &str, joining: &[char]) -> String {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    let mut before = None;
    while let Some((head, tail)) = rest.split_once(text) {
        out.push_str(head);
        let joined = |edge: Option<char>, beside: Option<char>| {
            edge.is_some_and(joins) && beside.is_some_and(joins)
        };
        let left = head.chars().next_back().or(before);
        let within = left.is_some_and(|left| joining.contains(&left))
            || joined(text.chars().next(), left)
            || joined(text.chars().next_back(), tail.chars().next());
        out.push_str(if within { text } else { by });
        before = text.chars().next_back();
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Whether `c` makes one word with such a letter or digit beside it. The scripts of East and South-East Asia put no
/// blanks between their words, or hang their particles on foreign ones: there every letter may begin or end a name.
fn joins(c: char) -> bool {
    let unspaced = matches!(
        c,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1100}'..='\u{11ff}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{2e80}'..='\u{d7ff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{ff66}'..='\u{ffdc}'
            | '\u{20000}'..='\u{3ffff}'
    );
    c.is_alphanumeric() && !unspaced
}

/// The places between whose words are looked at: everywhere but within a run of letters and digits.
pub(super) fn edges(text: &str) -> Vec<usize> {
    let mut edges = Vec::new();
    let mut within = false;
    for (at, c) in text.char_indices() {
        if !(within && joins(c)) {
            edges.push(at);
        }
        within = joins(c);
    }
    edges.push(text.len());
    edges
}

/// A page's own words stand in quotation marks, or behind a label: they say whose page it is. So do this machine's.
pub(super) fn blank_quoted(line: &str) -> String {
    let labelled = |label| Some((line.split_once(label)?.0, label));
    if let Some((before, label)) = LABELS.into_iter().find_map(labelled) {
        return format!("{before}{label}{BLANK}");
    }
    match (line.find('"'), line.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            let (before, _) = line.split_at(first);
            let (_, behind) = line.split_at(last);
            format!("{before}\"{BLANK}{behind}")
        }
        _ => line.to_owned(),
    }
}

/// Whom a certificate is for and who signed it (`O=Shop Ltd, CN=shop`): the names in it need be no hosts, and can't be
/// told from other words.
pub(super) fn blank_owners(line: &str) -> String {
    let parts = line.split(ISSUER).map(|part| {
        let is_owner = |word: &str| {
            let kind = word
                .split_once('=')
                .map(|(kind, _)| kind.trim_start_matches('('));
            kind.is_some_and(|kind| {
                (1..=2).contains(&kind.len()) && kind.bytes().all(|byte| byte.is_ascii_uppercase())
            })
        };
        if !part.split(' ').any(is_owner) {
            return part.to_owned();
        }
        let before = part.split(' ').take_while(|word| !word.contains('='));
        let before: String = before.flat_map(|word| [word, " "]).collect();
        let opens = part
            .get(before.len()..)
            .is_some_and(|owner| owner.starts_with('('));
        let open = if opens { "(" } else { "" };
        let close = if part.ends_with(')') { ")" } else { "" };
        format!("{before}{open}{BLANK}{close}")
    });
    parts.collect::<Vec<_>>().join(ISSUER)
}

/// `line` with dots for every word that could tell: of URLs the host's pseudonym is left.
pub(super) fn blank_telling_words(line: &str) -> String {
    let words: Vec<_> = line.split(' ').collect();
    let beside = |at: Option<usize>| at.and_then(|at| words.get(at)).copied();
    let shown = words.iter().enumerate().map(|(at, word)| {
        let (before, behind) = (beside(at.checked_sub(1)), beside(Some(at + 1)));
        let word = match path_in(word) {
            Some(path) if KNOWN_PATHS.contains(&path) => return (*word).to_owned(),
            Some(path) => word.replace(path, BLANK),
            None => (*word).to_owned(),
        };
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let kept = without_its_end(bare).unwrap_or(bare);
        if tells(kept) || is_called_after_somebody(bare, before, behind) {
            word.replace(bare, BLANK)
        } else if kept == bare {
            word
        } else {
            word.replace(&format!("{bare}/"), kept).replace(bare, kept)
        }
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Whether `word` is the variable that a key is taken from, or the program that gave none.
fn is_called_after_somebody(word: &str, before: Option<&str>, behind: Option<&str>) -> bool {
    let is_variable =
        before == Some("variable") && word.starts_with(|c: char| c.is_ascii_uppercase());
    is_variable || (before == Some("command") && behind == Some("gave"))
}

/// Whether `text` names a file or a folder that not everybody knows.
pub(super) fn has_path(text: &str) -> bool {
    let mut paths = text.split(' ').filter_map(path_in);
    paths.any(|path| !KNOWN_PATHS.contains(&path))
}

/// The path in `word`. A slash between letters makes none: and/or, HTTP/2.
fn path_in(word: &str) -> Option<&str> {
    if word.contains("://") {
        return None;
    }
    let opens = |c: char| "(\"'`“‘[<=:,;→".contains(c);
    let word = word.trim_end_matches(|c: char| !c.is_alphanumeric());
    let begins = |(at, _): (usize, &str)| {
        let before = word.get(..at)?.trim_end_matches(['~', '.']);
        let is_edge = before.is_empty() || before.ends_with(opens);
        is_edge.then(|| word.get(before.len()..)).flatten()
    };
    word.match_indices('/').find_map(begins)
}

/// Whether `word` looks like a host name, an address, mail, or an id such as `SU-160-984-311`.
fn tells(word: &str) -> bool {
    let hex = word.chars().filter(char::is_ascii_hexdigit).count();
    let colons = word.matches(':').count();
    // Of `[2001:db8::7]:443` the brackets' outer ends are gone already.
    let inner = word.split(']').next().unwrap_or(word);
    let address = inner.parse::<std::net::IpAddr>().is_ok()
        || (colons >= 2 && hex + colons == word.len())
        || word.parse::<std::net::SocketAddr>().is_ok();
    let host = word.rsplit_once('.').is_some_and(|(before, last)| {
        let last = last.split([':', '/', '?']).next().unwrap_or_default();
        !before.is_empty() && last.len() >= 2 && last.chars().all(|c| c.is_ascii_alphabetic())
    });
    let id = word.split_once('-').is_some_and(|(kind, number)| {
        kind.len() == 2
            && kind.chars().all(|c| c.is_ascii_uppercase())
            && number.starts_with(|c: char| c.is_ascii_digit())
    });
    let url = word.split_once("://").is_some_and(|(_, place)| {
        let end = place.find(['/', ':', '?', '#']).unwrap_or(place.len());
        let named = place.get(..end).unwrap_or(place);
        !place.is_empty() && !is_pseudonym(named) || word.len() > 40
    });
    address || host || id || url || word.contains('@')
}

/// A URL of a pseudonym's host without the port and the path behind it, where there are any.
fn without_its_end(word: &str) -> Option<&str> {
    let (scheme, place) = word.split_once("://")?;
    let end = place.find([':', '/', '?', '#']).unwrap_or(place.len());
    let whole = word.get(..scheme.len() + "://".len() + end)?;
    is_pseudonym(place.get(..end)?).then_some(whole)
}

/// Whether `host` is a pseudonym, or blanked already.
fn is_pseudonym(host: &str) -> bool {
    let number = host.strip_prefix("host-");
    host == BLANK || number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}
