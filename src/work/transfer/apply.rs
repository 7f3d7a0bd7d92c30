//! Definitions kept in git: what a file says is made so here, no more and no less; a second time changes
//! nothing. Secrets are not part of it: what a file does not say about them stays as it is.

use std::path::Path;
use std::sync::Arc;

use crate::domain::{Connection, Name, SecretRef, error_chain};
use crate::store::ConfigurationProblem;
use crate::store::configuration::{refuse_fields, refused_at};
use crate::store::files;
use crate::store::transfer::{
    self, Difference, Sensitive, UsedSecrets, differences, screen, screen_way,
};
use crate::work::core::Core;
use crate::work::error::WorkError;

use super::programs::{self, Program};

/// What a file of definitions would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplyPlan {
    /// Settings, then connections in the file's order, removals last.
    pub steps: Vec<ApplyStep>,
    /// What runs programs, reads this machine or has a key go another way, whether left out or let in.
    pub sensitive: Vec<Sensitive>,
    /// What is not applied, a sentence each.
    pub left_out: Vec<String>,
}

/// What becomes of one connection, or of a setting that runs programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyStep {
    /// A setting of a file that is trusted is another one here.
    Set(Program),
    /// It is not here yet.
    Add(Box<Connection>),
    /// It is here, and differs.
    Change {
        /// As it is.
        before: Box<Connection>,
        /// As the file says.
        after: Box<Connection>,
        /// In what.
        fields: Vec<Difference>,
    },
    /// It is here as the file says.
    Same(Name),
    /// It is here and not in the file.
    Extra(Name),
    /// It is here, not in the file, and goes.
    Remove(Name),
}

impl ApplyPlan {
    /// Whether anything would change.
    pub fn changes(&self) -> bool {
        self.steps.iter().any(ApplyStep::changes)
    }
}

impl ApplyStep {
    /// Whether it changes something.
    pub const fn changes(&self) -> bool {
        match self {
            Self::Set(_) | Self::Add(_) | Self::Change { .. } | Self::Remove(_) => true,
            Self::Same(_) | Self::Extra(_) => false,
        }
    }
}

/// How definitions are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// Whether what runs programs, reads this machine or has a key go another way is let in.
    pub trust: bool,
    /// Whether connections that are not among the definitions are removed.
    pub prune: bool,
}

impl Core {
    /// What the definitions in `text` would change; nothing is changed. `path` stands in messages.
    pub async fn plan_apply(
        &self,
        path: &Path,
        text: &str,
        options: ApplyOptions,
    ) -> Result<ApplyPlan, WorkError> {
        let doing = "reading the definitions";
        if text.trim().is_empty() {
            return Err(WorkError::failed(
                doing,
                format!("there is nothing in {}", files::shown(path)),
            ));
        }
        let mut read = transfer::import(path, text, true)
            .map_err(|problem| WorkError::failed(doing, problem))?;
        let home = self.0.environment.home.as_deref();
        make_homes_whole(&mut read.configuration.connections, home);
        let here = self.connections().await?;
        let used = UsedSecrets::of(&here);
        let mut plan = ApplyPlan::default();
        let (named, others) = programs::taken_out(read.configuration.settings, text);
        if others {
            plan.left_out
                .push("settings are not applied: they are each machine's own".to_owned());
        }
        for one in programs::news(named, self.settings().await?) {
            plan.sensitive.push(one.sensitive());
            if options.trust {
                plan.steps.push(ApplyStep::Set(one));
            }
        }
        for (at, wanted) in read.configuration.connections.iter().enumerate() {
            let before = here.iter().find(|one| one.name == wanted.name);
            let before = before.map(|one| &**one);
            self.refuse_wanted((path, text), at, wanted, before)
                .await
                .map_err(|problem| WorkError::failed(doing, problem))?;
            let (step, sensitive) = step(wanted, before, &used, options.trust)?;
            plan.steps.push(step);
            plan.sensitive.extend(sensitive);
        }
        let named = |name: &Name| {
            let mut all = read.configuration.connections.iter();
            all.any(|one| one.name == *name)
        };
        let extra = here.iter().map(|one| one.name.clone());
        let extra = extra.filter(|name| !named(name));
        let end = if options.prune {
            ApplyStep::Remove
        } else {
            ApplyStep::Extra
        };
        plan.steps.extend(extra.map(end));
        Ok(plan)
    }

    /// Refuses what `connection add` and `edit` refuse, with its line in the file.
    async fn refuse_wanted(
        &self,
        file: (&Path, &str),
        at: usize,
        wanted: &Connection,
        before: Option<&Connection>,
    ) -> Result<(), ConfigurationProblem> {
        if let Err(problem) = refuse_fields(wanted, before) {
            return Err(refused_at(file, at, None, problem.to_string()));
        }
        let open = self.refuse_open_secrets(wanted, before).await.err();
        let (field, why) = match open {
            Some(problem) => (None, error_chain(&problem)),
            None => match self.unaskable(wanted, before).await.into_iter().next() {
                Some((field, why)) => (Some(field), why),
                None => return Ok(()),
            },
        };
        let why = format!("{}: {why}", wanted.name);
        Err(refused_at(file, at, field, why))
    }

    /// Does what a plan says: additions and changes in one step, then removals with their secrets. Gives the
    /// places of values that could not be taken out.
    pub async fn apply(&self, plan: ApplyPlan) -> Result<Vec<SecretRef>, WorkError> {
        let removed: Vec<Name> = plan
            .steps
            .iter()
            .filter_map(|step| match step {
                ApplyStep::Remove(name) => Some(name.clone()),
                ApplyStep::Set(_)
                | ApplyStep::Add(_)
                | ApplyStep::Change { .. }
                | ApplyStep::Same(_)
                | ApplyStep::Extra(_) => None,
            })
            .collect();
        let steps = plan.steps;
        let added = steps.iter().filter_map(|step| match step {
            ApplyStep::Add(connection) => Some(connection.name.clone()),
            ApplyStep::Set(_)
            | ApplyStep::Change { .. }
            | ApplyStep::Same(_)
            | ApplyStep::Extra(_)
            | ApplyStep::Remove(_) => None,
        });
        let added: Vec<Name> = added.collect();
        let changed = steps.iter().filter_map(|step| match step {
            ApplyStep::Change { before, .. } => Some(&**before),
            ApplyStep::Set(_)
            | ApplyStep::Add(_)
            | ApplyStep::Same(_)
            | ApplyStep::Extra(_)
            | ApplyStep::Remove(_) => None,
        });
        // Before another URL stands there.
        self.bind_references(changed, false).await;
        self.edit(move |document| {
            for step in &steps {
                match step {
                    ApplyStep::Set(program) => program.set(document)?,
                    ApplyStep::Add(connection) => document.add(connection)?,
                    ApplyStep::Change { before, after, .. } => document.merge(before, after)?,
                    ApplyStep::Same(_) | ApplyStep::Extra(_) | ApplyStep::Remove(_) => {}
                }
            }
            Ok(())
        })
        .await?;
        // What connections of these names that are gone have left behind is not theirs. Forgotten only now, as
        // until the edit a name may be somebody's.
        self.remember(move |state| {
            added
                .iter()
                .try_for_each(|name| state.remove_connection(name))
        })
        .await;
        let mut left = Vec::new();
        for name in removed {
            left.extend(self.remove(&name).await?);
        }
        Ok(left)
    }
}

/// What is here has its `~/…` whole: those of a file must be so too, or the two would never be the same.
fn make_homes_whole(connections: &mut [Arc<Connection>], home: Option<&Path>) {
    for connection in connections {
        // All other paths are whole by now.
        Arc::make_mut(connection).make_paths_whole(Path::new("/"), home);
    }
}

fn step(
    wanted: &Connection,
    before: Option<&Connection>,
    used: &UsedSecrets,
    trust: bool,
) -> Result<(ApplyStep, Vec<Sensitive>), WorkError> {
    let mut after = wanted.clone();
    let mut sensitive = screen(&mut after, trust, before);
    if used.go_by(&after, before) {
        sensitive.extend(screen_way(&mut after, trust, before));
    }
    let Some(before) = before else {
        return Ok((ApplyStep::Add(Box::new(after)), sensitive));
    };
    // What the file does not say, or was not let say, stays.
    after.key = after.key.or_else(|| before.key.clone());
    after.token = after.token.or_else(|| before.token.clone());
    for (label, reference) in &before.added {
        if !after.added.iter().any(|(other, _)| other == label) {
            after.added.push((label.clone(), reference.clone()));
        }
    }
    let fields = differences(before, &after)
        .map_err(|problem| WorkError::failed("comparing the definitions", problem))?;
    let step = if fields.is_empty() {
        ApplyStep::Same(after.name)
    } else {
        ApplyStep::Change {
            before: Box::new(before.clone()),
            after: Box::new(after),
            fields,
        }
    };
    Ok((step, sensitive))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Origin, ServiceId};
    use crate::store::SecretPlace;

    const URL: &str = "url = \"https://a.example\"";

    /// What is said of a file whose second connection, in line 6, has these `lines` from line 9 on.
    async fn refused(core: &Core, lines: &str) -> String {
        let table = |name: &str, lines: &str| {
            format!("[[connection]]\nname = \"{name}\"\nservice = \"http\"\n{lines}\n")
        };
        let text = format!("version = 1\n{}{}", table("a", URL), table("b", lines));
        let plan = core.plan_apply(Path::new("/defs.toml"), &text, ApplyOptions::default());
        error_chain(&plan.await.unwrap_err())
    }

    #[tokio::test]
    async fn what_would_be_refused_is_told_before_with_its_line() {
        let home = crate::work::tests::Home::new();
        let core = home.core();
        let note = format!("{URL}\nnote = \"{}\"", "x".repeat(2_049));
        let long = format!("url = \"https://a.example/{}\"", "x".repeat(2_049));
        let secret = "url = \"https://b.example/?api_key=SEKRETAPIKEY1234\"".to_owned();
        let cms = format!("{URL}\ncms_url = \"https://b.example/?token=SEKRETAPIKEY1234\"");
        let unknown = format!("{URL}\n[[connection]]\nname = \"c\"\nservice = \"nosuch\"\n{URL}");
        for (lines, line, what) in [
            (note, 6, "the note of \"b\""),
            (long, 6, "a URL of \"b\""),
            (secret, 6, "b: saving the URL: its parameter api_key holds"),
            (cms, 6, "b: saving the URL: its parameter token holds"),
            ("url = \"::\"".to_owned(), 9, "b: its URL is none: "),
            (unknown, 12, "c: no service is called nosuch"),
        ] {
            let told = refused(&core, &lines).await;
            assert!(
                told.contains(&format!("/defs.toml, line {line},")),
                "{told}"
            );
            assert!(told.contains(what) && !told.contains("SEKRET"), "{told}");
        }
        for (line, what) in [
            ("proxy = \"ftp://p:1\"", "b: a proxy speaks "),
            ("proxy = \"http://\"", "b: the proxy http://"),
            ("cms = \"nosuch\"", "b: looking up the CMS: no "),
            ("cms_url = \"::\"", "b: reading the URL of the CMS"),
            (
                "client_key = \"/k.pem\"",
                "b: a certificate's key is nothing",
            ),
        ] {
            let told = refused(&core, &format!("{URL}\n{line}")).await;
            assert!(told.contains("/defs.toml, line 10,"), "{told}");
            assert!(told.contains(what), "{told}");
        }
        // What stands here so already is no news.
        let mut odd = Connection::new(Name::parse("a").unwrap(), ServiceId::new("nosuch"), "::");
        (odd.proxy, odd.cms) = (Some("ftp://p:1".to_owned()), Some("nosuch".to_owned()));
        core.edit(move |document| document.add(&odd)).await.unwrap();
        let text = "version = 1\n[[connection]]\nname = \"a\"\nservice = \"nosuch\"\nurl = \"::\"\nproxy = \"ftp://p:1\"\ncms = \"nosuch\"\n";
        let plan = core.plan_apply(Path::new("/defs.toml"), text, ApplyOptions::default());
        assert!(!plan.await.unwrap().changes());
    }

    #[tokio::test]
    async fn an_import_brings_what_can_be_mended_and_says_what_is_wrong() {
        let home = crate::work::tests::Home::new();
        let core = home.core();
        for (more, told) in [
            ("proxy = \"ftp://p:1\"", "a proxy speaks"),
            ("cms = \"nosuch\"", "no CMS is called nosuch"),
            ("cms_url = \"::\"", "reading the URL of the CMS"),
            ("client_key = \"/k.pem\"", "nothing without the certificate"),
            ("proxy = \"\"\ncms = \"\"\ncms_url = \"\"", ""),
        ] {
            let text = format!(
                "version = 1\n[[connection]]\nname = \"a\"\nservice = \"http\"\n{URL}\n{more}\n"
            );
            let options = crate::work::transfer::ImportOptions::default();
            let read = core.read_import(Path::new("/defs.toml"), text.as_bytes(), &options);
            let item = read.await.unwrap().items.remove(0);
            assert!(item.comes_in(), "{more}");
            let notes = item.notes.join("; ");
            assert!(notes.contains(told), "{more}: {notes}");
            assert_eq!(notes.is_empty(), told.is_empty(), "{more}: {notes}");
        }
    }

    #[tokio::test]
    async fn what_stands_in_a_file_that_a_file_names_is_not_repeated() {
        let home = crate::work::tests::Home::new();
        let core = home.core();
        let folder = tempfile::tempdir().unwrap();
        let named = folder.path().join("passwords");
        std::fs::write(&named, "shop:SEKRETPASSWORD1234\n").unwrap();
        let lines = format!("{URL}\ncms = \"{}\"", named.display());
        let told = refused(&core, &lines).await;
        assert!(told.contains("/defs.toml, line 10,"), "{told}");
        assert!(
            told.contains("passwords") && !told.contains("SEKRET"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn a_value_that_others_keep_is_for_where_it_was_before() {
        let home = crate::work::tests::Home::new();
        let core = home.core();
        let name = Name::parse("shop").unwrap();
        let key = SecretRef::Env("KEY".to_owned());
        let here = Connection {
            key: Some(key.clone()),
            ..Connection::new(name.clone(), ServiceId::http(), "https://a.example")
        };
        // Written by hand, and never probed.
        core.edit(move |document| document.add(&here))
            .await
            .unwrap();
        let text = "version = 1\n[[connection]]\nname = \"shop\"\nservice = \"http\"\nurl = \"https://b.example\"\n";
        let plan = core.plan_apply(Path::new("/defs.toml"), text, ApplyOptions::default());
        core.apply(plan.await.unwrap()).await.unwrap();
        assert_eq!(
            core.connection(&name).await.unwrap().url,
            "https://b.example"
        );
        let secrets = core.secrets().await.unwrap();
        let bound = secrets.origin_of(&key, &SecretPlace::key(&name)).await;
        assert_eq!(bound.unwrap(), Origin::parse("https://a.example"));
    }

    #[test]
    fn what_a_file_does_not_say_of_secrets_stays_as_it_is() {
        let url = "https://a.example";
        let bare = Connection::new(Name::parse("shop").unwrap(), ServiceId::http(), url);
        let vault = |name: &str| Some(SecretRef::Vault(name.to_owned()));
        let here = Connection {
            key: vault("key"),
            token: vault("token"),
            added: vec![("one".to_owned(), SecretRef::Ask)],
            ..bare.clone()
        };
        let used = UsedSecrets::of(&[Arc::new(here.clone())]);
        let wanted = Connection {
            note: "anew".to_owned(),
            ..bare
        };
        let (step, sensitive) = step(&wanted, Some(&here), &used, false).unwrap();
        let ApplyStep::Change { after, fields, .. } = step else {
            panic!("the note is another one")
        };
        assert_eq!(fields.len(), 1, "{fields:?}");
        let note = wanted.note;
        assert_eq!(*after, Connection { note, ..here });
        assert!(sensitive.is_empty(), "{sensitive:?}");
    }

    #[test]
    fn a_key_that_stays_goes_no_way_that_an_untrusted_file_names() {
        let url = "https://a.example";
        let bare = Connection::new(Name::parse("shop").unwrap(), ServiceId::http(), url);
        let keyed = Connection {
            key: Some(SecretRef::Vault("key".to_owned())),
            ..bare.clone()
        };
        let wanted = Connection {
            proxy: Some("http://evil.example:1".to_owned()),
            ..bare.clone()
        };
        for (here, trust, is_listed) in [
            (&keyed, false, true),
            (&keyed, true, true),
            (&bare, false, false),
        ] {
            let used = UsedSecrets::of(&[Arc::new(here.clone())]);
            let (step, sensitive) = step(&wanted, Some(here), &used, trust).unwrap();
            let is_taken =
                matches!(&step, ApplyStep::Change { after, .. } if after.proxy.is_some());
            assert_eq!(is_taken, trust || !is_listed, "{step:?}");
            let fields: Vec<_> = sensitive.iter().map(|one| one.field.as_str()).collect();
            assert_eq!(fields, if is_listed { &["proxy"][..] } else { &[] });
        }
    }

    #[test]
    fn what_lies_in_the_home_is_the_same_the_second_time() {
        let text = r#"version = 1
            [[connection]]
            name = "shop"
            service = "http"
            url = "https://a.example"
            ca_file = "~/ca.pem"
            key = "file:~/key"
        "#;
        let read = || {
            let read = transfer::import(Path::new("/etc/defs.toml"), text, true).unwrap();
            let mut connections = read.configuration.connections;
            make_homes_whole(&mut connections, Some(Path::new("/home/a")));
            Arc::unwrap_or_clone(connections.remove(0))
        };
        let here = read();
        let key = here.key.as_ref().map(SecretRef::to_string);
        assert_eq!(key.as_deref(), Some("file:/home/a/key"));
        let used = UsedSecrets::of(&[Arc::new(here.clone())]);
        let (step, sensitive) = step(&read(), Some(&here), &used, false).unwrap();
        assert_eq!(step, ApplyStep::Same(here.name.clone()));
        assert!(sensitive.is_empty(), "{sensitive:?}");
    }
}
