//! Pseudonyms for the war-room: names, hosts, users and ids as numbers that stay the same.
//!
//! Numbers are given in the order in which things are first met, so nothing of the real text is in them.
//! What was never met is not shown at all.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

mod words;

use words::{
    BLANK, JOINING, blank_owners, blank_quoted, blank_telling_words, edges, has_path, pseudonym_at,
    replace_words,
};

use crate::domain::token::Token;
use crate::domain::{Connection, Endpoint, Name, Reason, SecretRef, Verdict};

/// What stands for the words of this machine: of files, of programs, of the system.
const WITHHELD: &str = "more is not shown in the war-room";

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
struct Numbers {
    by_digest: HashMap<u64, usize>,
    /// How long the texts are, bytes.
    lengths: BTreeSet<usize>,
}

fn digest(text: &str) -> u64 {
    let mut digest = DefaultHasher::new();
    text.hash(&mut digest);
    digest.finish()
}

impl Numbers {
    fn learn(&mut self, text: &str) {
        if !text.is_empty() {
            let next = self.by_digest.len() + 1;
            self.by_digest.entry(digest(text)).or_insert(next);
            self.lengths.insert(text.len());
        }
    }

    fn of(&self, digest: u64) -> Option<usize> {
        self.by_digest.get(&digest).copied()
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
        let further = [&connection.cms_url, &connection.proxy];
        for url in [&connection.url]
            .into_iter()
            .chain(further.into_iter().flatten())
        {
            if let Ok(endpoint) = Endpoint::parse(url) {
                self.hosts.learn(&endpoint.host());
            }
        }
        for (label, _) in &connection.added {
            self.tokens.learn(label);
        }
        if let Some(company) = &connection.company {
            self.ids.learn(company);
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
        blank_telling_words(&self.replaced(&line, |text| text.chars().nth(1).is_some()))
    }

    /// Why `verdict` is what it is, as [`Self::line`] shows it. Where this machine failed no more than the place is
    /// told.
    pub fn cause(&self, known: &Connection, verdict: &Verdict) -> String {
        let shown = |said: &str| self.line(known, Some(verdict), said);
        if !is_of_this_machine(verdict) {
            return shown(&verdict.cause);
        }
        let told = withheld(verdict.cause.trim_end_matches('.'), shown);
        let (first, rest) = told.split_at(told.chars().next().map_or(0, char::len_utf8));
        format!("{}{rest}.", first.to_uppercase())
    }

    /// What `verdict` was found by. Where this machine failed nothing: the cause says that more is not shown.
    pub fn evidence(&self, known: &Connection, verdict: &Verdict) -> Vec<String> {
        let lines = verdict.evidence.iter();
        let told = lines.filter(|_| !is_of_this_machine(verdict));
        told.map(|line| self.line(known, Some(verdict), line))
            .collect()
    }
}

/// Whether it is said in the words of files, programs and the system: paths and whatever else can stand in them.
const fn is_of_this_machine(verdict: &Verdict) -> bool {
    matches!(
        verdict.reason,
        Reason::SecretUnavailable | Reason::LocalError
    )
}

/// What has failed, and not why: behind the first colon stand words in which anything can stand.
fn withheld(said: &str, shown: impl Fn(&str) -> String) -> String {
    match said.split_once(": ") {
        None if !has_path(said) => shown(said),
        Some((about, _)) if !has_path(about) => format!("{}: {WITHHELD}", shown(about)),
        None | Some(_) => format!("something is wrong on this machine: {WITHHELD}"),
    }
}

impl Disguise {
    /// A sentence about anything: every name, host, user, id and label that is known is replaced by its pseudonym
    /// wherever it stands as a word of its own, and every further word that could tell by dots.
    pub fn sentence(&self, sentence: &str) -> String {
        let sentence = blank_quoted(sentence);
        let words = sentence.split(' ').map(|word| match word.find("://") {
            Some(_) => self.address(word),
            None => word.to_owned(),
        });
        let sentence = blank_owners(&words.collect::<Vec<_>>().join(" "));
        blank_telling_words(&self.replaced(&sentence, |_| true))
    }

    /// A sentence about a failure, as far as it is this program's own.
    pub fn failure(&self, sentence: &str) -> String {
        withheld(sentence, |about| self.sentence(about))
    }

    /// The longest runs of words in `text` that have a pseudonym and are `meant` replaced by it. Pseudonyms stay.
    fn replaced(&self, text: &str, meant: impl Fn(&str) -> bool) -> String {
        let edges = edges(text);
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        while let Some(&start) = edges.get(at) {
            let (before, rest) = text.split_at_checked(start).unwrap_or_default();
            let pseudonym = pseudonym_at(rest);
            let joined = before.ends_with(JOINING);
            let longer = self.runs(rest, (&edges, at));
            let known = longer
                .take_while(|run| pseudonym.is_none_or(|shown| run.len() > shown.len()))
                .filter(|run| meant(run))
                .find_map(|run| Some((self.known(run, joined)?, run.len())));
            let next = edges.get(at + 1).map_or(rest.len(), |next| next - start);
            let stays = pseudonym.or_else(|| rest.get(..next)).unwrap_or_default();
            let (shown, length) = known.unwrap_or_else(|| (stays.to_owned(), stays.len()));
            out.push_str(&shown);
            at = edges.partition_point(|edge| *edge < start + length.max(1));
        }
        out
    }

    /// The runs of words that `text` begins with at an edge, the longest first: those that are as long as something
    /// that has a pseudonym. What is looked up does not grow with the line.
    fn runs<'a>(
        &'a self,
        text: &'a str,
        (edges, at): (&'a [usize], usize),
    ) -> impl Iterator<Item = &'a str> {
        let longest = self.kinds().filter_map(|(_, all)| all.lengths.last()).max();
        let longest = longest.copied().unwrap_or_default();
        let start = edges.get(at).copied().unwrap_or_default();
        let ends = edges.get(at + 1..).unwrap_or_default();
        let near = ends.partition_point(|end| end - start <= longest);
        let lengths = ends.iter().take(near).rev().map(move |end| end - start);
        lengths
            .filter(|length| self.kinds().any(|(_, all)| all.lengths.contains(length)))
            .filter_map(|length| text.get(..length))
    }

    fn kinds(&self) -> impl Iterator<Item = (&'static str, &Numbers)> {
        [
            ("conn", &self.names),
            ("host", &self.hosts),
            ("user", &self.users),
            ("id", &self.ids),
            ("token", &self.tokens),
        ]
        .into_iter()
    }

    /// A word with a URL in it: what stands before and behind stays.
    fn address(&self, word: &str) -> String {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '/');
        word.replace(bare, &self.url(bare))
    }

    /// The pseudonym of `text`, where it has one. A single character is an id or a label only where it is meant as
    /// one; a name of one is replaced all the same. What is `joined` to something before it is another host's end.
    fn known(&self, text: &str, joined: bool) -> Option<String> {
        let digest = digest(text);
        let long = text.chars().nth(1).is_some();
        let mut kinds = self.kinds().filter(|(kind, _)| match *kind {
            "conn" => true,
            "host" => long && !joined,
            _ => long,
        });
        kinds.find_map(|(kind, numbers)| Some(format!("{kind}-{}", numbers.of(digest)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ServiceId;
    use crate::service::Catalog;

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
    fn of_a_pseudonym_s_url_nothing_stands_behind_the_host() {
        let (disguise, shop) = known("shop", "http://127.0.0.1:21018/acme/x");
        let line = |text: &str| disguise.line(&shop, None, text);
        assert_eq!(
            line("--send-key-to http://127.0.0.1:21018 (or http://127.0.0.1:21018/acme?q/)."),
            "--send-key-to http://host-1 (or http://host-1)."
        );
        assert_eq!(line("from joe@http://127.0.0.1:21018/a"), "from •••");
        assert_eq!(line("read file:///srv/acme"), "read •••");
    }

    /// `shop`, and `acme` beside it, which the user joe goes to.
    fn two() -> (Disguise, Connection) {
        let (mut disguise, shop) = known("shop", "https://shop.example.com");
        let mut acme = shop.clone();
        acme.name = Name::parse("acme").unwrap();
        acme.username = "joe".to_owned();
        acme.url = "https://acme.example.com/x".to_owned();
        acme.proxy = Some("http://gate:3128".to_owned());
        acme.added = vec![("the staging key".to_owned(), SecretRef::Ask)];
        disguise.learn_connection(&acme);
        (disguise, shop)
    }

    #[test]
    fn other_connections_are_no_more_named_than_its_own() {
        let (disguise, shop) = two();
        let line = |text: &str| disguise.line(&shop, None, text);
        for (said, shown) in [
            (
                "shop is asked as joe of acme is, and token-1 of user-2 too",
                "conn-1 is asked as user-1 of conn-2 is, and token-1 of user-2 too",
            ),
            ("acme.example.com leads to it", "host-2 leads to it"),
            ("gate leads to acmes", "host-3 leads to acmes"),
            ("shop-in.acme.example.com leads on", "••• leads on"),
            ("the staging key is held", "token-1 is held"),
        ] {
            assert_eq!(line(said), shown);
            assert_eq!(disguise.sentence(said), shown);
        }
        let url = "https://acme.example.com/y is asked";
        assert_eq!(line(url), "https://host-2 is asked");
    }

    #[test]
    fn a_name_that_begins_like_a_pseudonym_is_none() {
        let (disguise, _) = known("user-7-acme", "https://shop.example.com");
        assert_eq!(
            disguise.sentence("user-7-acme and user-7 and user-7a"),
            "conn-1 and user-7 and user-7a"
        );
        let (disguise, _) = known("user-7a", "https://shop.example.com");
        assert_eq!(disguise.sentence("user-7a"), "conn-1");
    }

    #[test]
    fn what_is_looked_up_does_not_grow_with_the_line() {
        let (mut disguise, _) = two();
        for at in 0..1_000 {
            let name = format!("name{at:04}");
            disguise.names.learn(&name);
        }
        let line = "a b c, d/e f ".repeat(100);
        let edges = edges(&line);
        let looked_up = |at: usize| {
            let (_, rest) = line.split_at(edges[at]);
            disguise.runs(rest, (&edges, at)).count()
        };
        let most = (0..edges.len() - 1).map(looked_up).max();
        // Names, hosts, users and labels of as many lengths.
        assert!(most <= Some(7), "{most:?} of {}", edges.len());
    }

    #[test]
    fn paths_are_not_told_but_those_that_everybody_knows() {
        let (disguise, shop) = known("shop", "https://shop.example.com");
        for (said, shown) in [
            (
                "/srv/acme/key can't be read (~/acme, ../acme/b.pem)",
                "••• can't be read (•••, •••)",
            ),
            ("key=/srv/acme: file:/srv/acme.", "key=•••: file:•••."),
            ("“/acme” leads to 10.0.0.7:/acme", "“•••” leads to •••:•••"),
            (
                "add (/var/log/apache2/error.log, /etc/hosts) and/or HTTP/2, or / and application/json",
                "add (/var/log/apache2/error.log, /etc/hosts) and/or HTTP/2, or / and application/json",
            ),
        ] {
            assert_eq!(disguise.line(&shop, None, said), shown);
            assert_eq!(disguise.sentence(said), shown);
        }
    }

    /// Else a remedy could not be followed in the war-room.
    #[test]
    fn everybody_knows_the_paths_that_remedies_name() {
        let catalog = Catalog::embedded();
        for service in catalog.ids().map(Some).chain([None]) {
            for reason in Reason::ALL {
                let entry = catalog.entry(*reason, service);
                let cases = entry.cases.iter().flat_map(|case| &case.steps);
                for step in entry.steps.iter().chain(cases) {
                    assert!(!has_path(step), "{step}");
                }
            }
        }
    }

    /// A verdict of `reason`: why, and one line that it was found by.
    fn verdict(reason: Reason, cause: &str) -> Verdict {
        Verdict {
            cause: cause.to_owned(),
            evidence: vec!["pass: acme is away".to_owned()],
            ..crate::app::tests::verdict(reason)
        }
    }

    #[test]
    fn why_this_machine_failed_is_not_told() {
        let (disguise, shop) = known("shop", "https://shop.example.com");
        let withheld = "more is not shown in the war-room.";
        let wrong = format!("Something is wrong on this machine: {withheld}");
        for (said, shown) in [
            (
                "The key is not at hand: the command acme gave no secret: acme.",
                format!("The key is not at hand: {withheld}"),
            ),
            (
                "Reading a certificate of shop: /a b/c can't be read.",
                format!("Reading a certificate of conn-1: {withheld}"),
            ),
            ("/srv/A Corp/ca.pem can't be read: gone", wrong.clone()),
            ("/srv/A Corp/ca.pem can't be read", wrong),
            (
                "The command acme gave no secret.",
                "The command ••• gave no secret.".to_owned(),
            ),
            ("It ended.", "It ended.".to_owned()),
        ] {
            for reason in [Reason::SecretUnavailable, Reason::LocalError] {
                let verdict = verdict(reason, said);
                assert_eq!(disguise.cause(&shop, &verdict), shown);
                assert!(disguise.evidence(&shop, &verdict).is_empty());
            }
        }
        let verdict = verdict(Reason::ConnectTimeout, "Of shop nothing came: /b.");
        assert_eq!(
            disguise.cause(&shop, &verdict),
            "Of conn-1 nothing came: •••."
        );
        let evidence = disguise.evidence(&shop, &verdict);
        assert_eq!(evidence, ["pass: acme is away"]);
    }

    #[test]
    fn a_line_in_this_machine_s_words_ends_before_them() {
        let (disguise, shop) = known("shop", "https://shop.example.com");
        let words = Catalog::embedded().entry(Reason::LocalError, None);
        for (text, shown) in [
            (&words.title, "This machine: •••"),
            (&words.cause, "This machine could not ask: •••"),
        ] {
            assert_eq!(disguise.line(&shop, None, text), shown);
        }
    }

    #[test]
    fn of_a_failure_nothing_is_told_but_what_has_failed() {
        let (disguise, _) = known("shop", "https://shop.example.com");
        let withheld = "more is not shown in the war-room";
        for (said, shown) in [
            (
                "on_change failed: it ended with 1: acme",
                format!("on_change failed: {withheld}"),
            ),
            (
                "/srv/A Corp/switchboard.toml, line 3: no",
                format!("something is wrong on this machine: {withheld}"),
            ),
            (
                "the vault has no entry \"acme\"",
                "the vault has no entry \"•••\"".to_owned(),
            ),
            ("shop is gone", "conn-1 is gone".to_owned()),
        ] {
            assert_eq!(disguise.failure(said), shown);
        }
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
