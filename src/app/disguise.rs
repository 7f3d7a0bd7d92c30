//! Pseudonyms for the war-room: names, hosts, users and ids as numbers that stay the same.
//!
//! Numbers are given in the order in which things are first met, so nothing of the real text is in them.
//! What was never met is not shown at all.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::domain::token::Token;
use crate::domain::{Connection, Endpoint, Name, SecretRef, Verdict};

/// What stands for something that has no pseudonym.
const BLANK: &str = "•••";
/// What stands before a host and one of these is part of another one's name.
const JOINING: &[char] = &['.', '-', '_'];
/// What stands between a certificate's owner and who signed it.
const ISSUER: &str = ", issued by ";
/// What stands before a page's title in the evidence.
const TITLE: &str = "page title: ";

/// The kind of a reference: what stands behind it is called after whom it is for.
pub const fn kind_of(reference: &SecretRef) -> &'static str {
    match reference {
        SecretRef::Keyring(_) => "keyring",
        SecretRef::Vault(_) => "vault",
        SecretRef::Env(_) => "env",
        SecretRef::File(_) => "file",
        SecretRef::Cmd(_) => "cmd",
        SecretRef::Ask => "ask",
    }
}

/// The pseudonyms given so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disguise {
    names: Numbers,
    hosts: Numbers,
    users: Numbers,
    ids: Numbers,
    tokens: Numbers,
}

/// Numbers by the digests of texts, whose copies would take four times the room. Of a hundred thousand, two have the
/// same by a chance of one to billions; who makes them so on purpose gets one pseudonym for both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Numbers(HashMap<u64, usize>);

fn digest(text: &str) -> u64 {
    let mut digest = DefaultHasher::new();
    text.hash(&mut digest);
    digest.finish()
}

impl Numbers {
    fn learn(&mut self, text: &str) {
        if !text.is_empty() {
            let next = self.0.len() + 1;
            self.0.entry(digest(text)).or_insert(next);
        }
    }

    fn of(&self, digest: u64) -> Option<usize> {
        self.0.get(&digest).copied()
    }

    fn shown(&self, kind: &str, text: &str) -> String {
        match self.of(digest(text)) {
            Some(number) => format!("{kind}-{number}"),
            None if text.is_empty() => String::new(),
            None => BLANK.to_owned(),
        }
    }
}

impl Disguise {
    /// Gives pseudonyms to what stands in `connection`.
    pub fn learn_connection(&mut self, connection: &Connection) {
        self.names.learn(connection.name.as_str());
        self.users.learn(&connection.username);
        for url in [Some(&connection.url), connection.cms_url.as_ref()] {
            if let Some(Ok(endpoint)) = url.map(|url| Endpoint::parse(url)) {
                self.hosts.learn(&endpoint.host());
            }
        }
        if let Some(company) = &connection.company {
            self.ids.learn(company);
        }
        for (label, _) in &connection.added {
            self.tokens.learn(label);
        }
    }

    /// Gives pseudonyms to what `verdict` found out.
    pub fn learn_verdict(&mut self, verdict: &Verdict) {
        if let Ok(endpoint) = Endpoint::parse(&verdict.url) {
            self.hosts.learn(&endpoint.host());
        }
        let Some(identity) = &verdict.identity else {
            return;
        };
        for text in [&identity.id, &identity.name].into_iter().flatten() {
            self.ids.learn(text);
        }
        if let Some(host) = &identity.host {
            self.hosts.learn(host);
        }
    }

    /// Gives pseudonyms to what tells whose `token` is.
    pub fn learn_token(&mut self, token: &Token) {
        for id in [&token.id, &token.external_id].into_iter().flatten() {
            self.ids.learn(id);
        }
        for label in [&token.name, &token.description, &token.id]
            .into_iter()
            .flatten()
        {
            self.tokens.learn(label);
        }
        for person in [&token.owner, &token.created_by, &token.updated_by] {
            for text in [&person.name, &person.id].into_iter().flatten() {
                self.users.learn(text);
            }
        }
    }

    /// The pseudonym of a token's label, or of another text of its own.
    pub fn token(&self, label: &str) -> String {
        self.tokens.shown("token", label)
    }

    /// The pseudonym of a connection.
    pub fn name(&self, name: &Name) -> String {
        self.names.shown("conn", name.as_str())
    }

    /// The pseudonym of a host.
    pub fn host(&self, host: &str) -> String {
        self.hosts.shown("host", host)
    }

    /// The pseudonym of a username.
    pub fn user(&self, user: &str) -> String {
        self.users.shown("user", user)
    }

    /// The pseudonym of a company, an account or an id.
    pub fn id(&self, id: &str) -> String {
        self.ids.shown("id", id)
    }

    /// A URL with its host's pseudonym and without its path.
    pub fn url(&self, url: &str) -> String {
        match Endpoint::parse(url) {
            Ok(endpoint) => format!(
                "{}://{}",
                endpoint.url().scheme(),
                self.host(&endpoint.host())
            ),
            Err(_) if url.trim().is_empty() => String::new(),
            Err(_) => BLANK.to_owned(),
        }
    }

    /// A line of a verdict with everything in it that could tell who it is about replaced: `known` texts by
    /// their pseudonyms, further words that look like hosts, addresses, ids or mail by dots.
    pub fn line(&self, known: &Connection, verdict: Option<&Verdict>, line: &str) -> String {
        // A page's own words go first: what is replaced in them, or in the label before them, would be no mark any more.
        let mut line = blank_owners(&blank_quoted(line));
        let mut replace = |joining: &[char], text: &str, by: String| {
            if text.chars().count() > 1 {
                line = replace_words(&line, text, &by, joining);
            }
        };
        let urls = [Some(known.url.as_str()), known.cms_url.as_deref()];
        for url in urls
            .into_iter()
            .chain([verdict.map(|v| v.url.as_str())])
            .flatten()
        {
            replace(&[], url, self.url(url));
            if let Ok(endpoint) = Endpoint::parse(url) {
                replace(JOINING, &endpoint.host(), self.host(&endpoint.host()));
            }
        }
        if let Some(identity) = verdict.and_then(|verdict| verdict.identity.as_ref()) {
            if let Some(host) = &identity.host {
                replace(JOINING, host, self.host(host));
            }
            for text in [&identity.name, &identity.id].into_iter().flatten() {
                replace(&[], text, self.id(text));
            }
        }
        if let Some(company) = &known.company {
            replace(&[], company, self.id(company));
        }
        replace(&[], &known.username, self.user(&known.username));
        replace(&[], known.name.as_str(), self.name(&known.name));
        blank_telling_words(&line)
    }
}

impl Disguise {
    /// A sentence about anything: every name, host, user, id and label that is known is replaced by its pseudonym
    /// wherever it stands as a word of its own, and every further word that could tell by dots.
    pub fn sentence(&self, sentence: &str) -> String {
        let words = sentence.split(' ').map(|word| match word.find("://") {
            Some(_) => self.address(word),
            None => word.to_owned(),
        });
        let sentence = blank_owners(&words.collect::<Vec<_>>().join(" "));
        let edges = edges(&sentence);
        let (mut out, mut at) = (String::with_capacity(sentence.len()), 0);
        while let Some(&start) = edges.get(at) {
            let rest = edges.get(at + 1..).unwrap_or_default();
            let known = rest.iter().enumerate().rev().find_map(|(further, end)| {
                let shown = self.known(sentence.get(start..*end)?)?;
                Some((shown, at + 1 + further))
            });
            let next = rest.first().copied().unwrap_or(sentence.len());
            if let Some((shown, end)) = known {
                out.push_str(&shown);
                at = end;
            } else {
                out.push_str(sentence.get(start..next).unwrap_or_default());
                at += 1;
            }
        }
        blank_telling_words(&out)
    }

    /// A word with a URL in it: what stands before and behind stays.
    fn address(&self, word: &str) -> String {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '/');
        word.replace(bare, &self.url(bare))
    }

    /// The pseudonym of `text`, where it has one. A single character is an id or a label only where it is meant as
    /// one; a name of one is replaced all the same.
    fn known(&self, text: &str) -> Option<String> {
        let digest = digest(text);
        if let Some(number) = self.names.of(digest) {
            return Some(format!("conn-{number}"));
        }
        let kinds = [
            ("host", &self.hosts),
            ("user", &self.users),
            ("id", &self.ids),
            ("token", &self.tokens),
        ];
        let long = text.chars().nth(1).is_some();
        let known = |(kind, numbers): (&str, &Numbers)| {
            let number = numbers.of(digest)?;
            long.then(|| format!("{kind}-{number}"))
        };
        kinds.into_iter().find_map(known)
    }
}

/// `text` replaced wherever it stands as words of its own: within a longer word it is not meant, and what is left of
/// that word would tell it.
fn replace_words(line: &str, text: &str, by: &str, joining: &[char]) -> String {
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
fn edges(text: &str) -> Vec<usize> {
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

/// A page's own words stand in quotation marks, or behind their label: they say whose page it is.
fn blank_quoted(line: &str) -> String {
    if let Some((label, _)) = line.split_once(TITLE) {
        return format!("{label}{TITLE}{BLANK}");
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
fn blank_owners(line: &str) -> String {
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

fn blank_telling_words(line: &str) -> String {
    let mut before = "";
    line.split(' ')
        .map(|word| {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            // A variable that a key is taken from is called after whom it is for.
            let is_variable = std::mem::replace(&mut before, word) == "variable"
                && bare.starts_with(|c: char| c.is_ascii_uppercase());
            if tells(bare) || is_variable {
                word.replace(bare, BLANK)
            } else {
                word.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
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
        !named.is_empty() && !is_pseudonym(named) || word.len() > 40
    });
    address || host || id || url || word.contains('@')
}

/// Whether `host` is a pseudonym, or blanked already.
fn is_pseudonym(host: &str) -> bool {
    let number = host.strip_prefix("host-");
    host == BLANK || number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ServiceId;

    fn known(name: &str, url: &str) -> (Disguise, Connection) {
        let connection = Connection::new(Name::parse(name).unwrap(), ServiceId::http(), url);
        let mut disguise = Disguise::default();
        disguise.learn_connection(&connection);
        (disguise, connection)
    }

    #[test]
    fn a_name_is_replaced_as_a_word_and_not_within_one() {
        let (disguise, it) = known("it", "https://it.example.com");
        let line = |text: &str| disguise.line(&it, None, text);
        assert_eq!(line("page title: Our Shop"), "page title: •••");
        assert_eq!(
            line("it said (it) \"a title\""),
            "conn-1 said (conn-1) \"•••\""
        );
        assert_eq!(line("it-2 visits it."), "conn-1-2 visits conn-1.");
        let (disguise, redir) = known("redir", "https://redir.example.com");
        assert_eq!(
            disguise.line(&redir, None, "redirects to redir"),
            "redirects to conn-1"
        );
    }

    #[test]
    fn a_name_is_found_beside_letters_that_know_no_blanks() {
        let (disguise, shop) = known("shop", "https://shop.example.com");
        let line = |text: &str| disguise.line(&shop, None, text);
        assert_eq!(line("店shopを見る"), "店conn-1を見る");
        assert_eq!(line("shop에서 shops"), "conn-1에서 shops");
        assert_eq!(disguise.sentence("店shopを見る"), "店conn-1を見る");
        let (disguise, shop) = known("会社", "https://shop.example.com");
        assert_eq!(disguise.line(&shop, None, "株式会社です"), "株式conn-1です");
        assert_eq!(disguise.sentence("株式会社です"), "株式conn-1です");
    }

    #[test]
    fn whose_certificate_it_is_is_not_told() {
        let (disguise, shop) = known("shop", "https://shop.example.com");
        for (line, shown) in [
            (
                "certificate 0: O=Kunde, Sohn GmbH, CN=Kunde, issued by CN=Kunde CA",
                "certificate 0: •••, issued by •••",
            ),
            (
                "the certificate is for no name at all (subject businessCategory=A, CN=k)",
                "the certificate is for no name at all (subject •••)",
            ),
            ("(C=DE)", "(•••)"),
            ("cache-control: max-age=0", "cache-control: max-age=0"),
        ] {
            assert_eq!(disguise.line(&shop, None, line), shown);
            assert_eq!(disguise.sentence(line), shown);
        }
    }

    #[test]
    fn the_variable_of_a_key_does_not_tell_whose_it_is() {
        let (disguise, acme) = known("acme", "https://acme.example.com");
        let said = "the environment variable ACME_KEY is not set: set the variable, or https_proxy";
        let shown = "the environment variable ••• is not set: set the variable, or https_proxy";
        assert_eq!(disguise.line(&acme, None, said), shown);
        assert_eq!(disguise.sentence(said), shown);
    }

    #[test]
    fn of_a_reference_its_kind_alone_is_told() {
        for (reference, kind) in [
            ("env:ACMEKEY", "env"),
            ("file:/srv/acme/key", "file"),
            ("cmd:pass show acme", "cmd"),
            ("vault:acme/key", "vault"),
            ("keyring:acme", "keyring"),
            ("ask", "ask"),
        ] {
            assert_eq!(kind_of(&reference.parse().unwrap()), kind);
        }
    }

    #[test]
    fn a_host_without_a_dot_is_no_more_shown_than_others() {
        let (disguise, shop) = known("shop", "http://intranet:8080/api");
        let line = |text: &str| disguise.line(&shop, None, text);
        assert_eq!(
            line("save its URL: http://localhost:56593"),
            "save its URL: •••"
        );
        assert_eq!(
            line("it leads to http://intranet:8080/api."),
            "it leads to http://host-1."
        );
        assert_eq!(line("use https:// instead"), "use https:// instead");
        let (disguise, shop) = known("shop", "https://example.com");
        let line = |text: &str| disguise.line(&shop, None, text);
        assert_eq!(
            line("example.com leads to shop-in.example.com"),
            "host-1 leads to •••"
        );
    }
}
