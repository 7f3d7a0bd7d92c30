//! The form: fields made of a connection, and a connection made of fields.

mod choices;
mod following;
pub mod live;
pub mod problem;

use std::ops::RangeInclusive;
use std::path::Path;

use tui_input::Input;

use super::draft::{CopyOf, Draft, FieldId};
use super::lamps;
use super::model::{FieldLamp, FieldText, Form, FormField, ProbeState};
use super::secret_field::SecretField;
use crate::domain::endpoint::URL_LIMIT;
use crate::domain::{
    AddressFamily, AuthStyle, Connection, Name, Origin, SecretRef, ServiceId, State, span, tags,
};
use live::LiveTest;
use problem::FieldProblem;

/// Characters that an open field takes at most.
pub const TEXT_LIMIT: usize = URL_LIMIT;

impl Form {
    /// An empty form for a new connection to Blesta.
    pub fn empty() -> Self {
        Self::with(&blank(), None)
    }

    /// The form of a saved connection. Its secrets are not in it yet.
    pub fn of(connection: &Connection) -> Self {
        let mut form = Self::with(connection, Some(connection.name.clone()));
        form.service_chosen = true;
        form.name_chosen = true;
        form.key_origin = Origin::parse(&connection.url).filter(|_| connection.key.is_some());
        form
    }

    /// The form of a new connection with the content of `connection`, under `name`. Its secrets are loaded
    /// like those of the original, for its tests; saved, it refers to the same places.
    pub fn copy_of(connection: &Connection, name: Name) -> Self {
        let mut form = Self::of(connection);
        form.editing = None;
        form.clone_of = Some(connection.name.clone());
        form.dirty = true;
        form.set_text(FieldId::Name, name.as_str());
        form
    }

    fn with(connection: &Connection, editing: Option<Name>) -> Self {
        let ids = FieldId::FIRST.iter().chain(&FieldId::FURTHER);
        let mut form = Self {
            fields: ids
                .map(|id| field(*id, connection, editing.is_none()))
                .collect(),
            editing,
            cursor: 0,
            further: false,
            probe: ProbeState::Idle,
            verdict: None,
            due: None,
            dirty: false,
            hint: None,
            loading_secrets: false,
            saving: false,
            original: None,
            clone_of: None,
            parked: false,
            url_edited: false,
            live: LiveTest::default(),
            service_chosen: false,
            name_chosen: false,
            key_origin: None,
            key_answer: None,
            key_question: None,
            save_waits: None,
            disputed: Vec::new(),
            store: None,
            undo: None,
            shown: None,
        };
        form.original = Some(Box::new(Draft {
            connection: connection.clone(),
            key: None,
            token: None,
            key_changed: false,
            token_changed: false,
            opened: None,
            key_origin: None,
            key_held_back: false,
            copies: None,
        }));
        form.refresh_lamps();
        form
    }

    /// The field `id`.
    pub fn field(&self, id: FieldId) -> &FormField {
        &self.fields[id as usize]
    }

    pub(super) fn field_mut(&mut self, id: FieldId) -> &mut FormField {
        &mut self.fields[id as usize]
    }

    /// The field with the cursor.
    pub fn focused(&self) -> FieldId {
        self.fields[self.cursor.min(self.fields.len() - 1)].id
    }

    /// How many fields are shown: the first page, or all.
    pub fn shown_fields(&self) -> usize {
        if self.further {
            self.fields.len()
        } else {
            FieldId::FIRST.len()
        }
    }

    /// The text of an open field; nothing for a secret one.
    pub fn text(&self, id: FieldId) -> &str {
        match &self.field(id).text {
            FieldText::Plain(input) => input.value(),
            FieldText::Secret(_) => "",
        }
    }

    /// Puts `text` into an open field, the cursor at its end.
    pub fn set_text(&mut self, id: FieldId, text: &str) {
        if let FieldText::Plain(input) = &mut self.field_mut(id).text {
            *input = Input::new(text.to_owned());
        }
    }

    /// A secret field.
    pub fn secret(&self, id: FieldId) -> Option<&SecretField> {
        match &self.field(id).text {
            FieldText::Plain(_) => None,
            FieldText::Secret(field) => Some(field),
        }
    }

    pub(super) fn secret_mut(&mut self, id: FieldId) -> Option<&mut SecretField> {
        match &mut self.field_mut(id).text {
            FieldText::Plain(_) => None,
            FieldText::Secret(field) => Some(field),
        }
    }

    /// Whether something stands in the field: typed, loaded or stored.
    pub fn is_set(&self, id: FieldId) -> bool {
        match &self.field(id).text {
            FieldText::Plain(input) => !input.value().trim().is_empty(),
            FieldText::Secret(field) => field.is_set(),
        }
    }

    /// Whether a secret was typed here and not saved.
    pub fn holds_typed_secret(&self) -> bool {
        [FieldId::Key, FieldId::Token]
            .into_iter()
            .filter_map(|id| self.secret(id))
            .any(|field| field.touched && !field.value.is_empty())
    }

    /// Scheme, host and port of the URL as it stands, where it is one.
    pub fn origin(&self) -> Option<Origin> {
        Origin::parse(self.text(FieldId::Url))
    }

    /// The service that stands in the form.
    pub fn service(&self) -> ServiceId {
        ServiceId::new(&self.text(FieldId::Service).trim().to_lowercase())
    }

    /// The origin that the key would be kept with: agreed to, or entered for, or the URL's own.
    pub(super) fn bound_origin(&self) -> Option<Origin> {
        let here = self.origin();
        match (&self.key_answer, &here) {
            (Some(answer), Some(origin)) if answer.allows && answer.origin == *origin => here,
            _ => self.key_origin.clone().or(here),
        }
    }

    /// What stands in the form, and the first field that can't be saved as it is. Fields that can't be
    /// read are left as they were saved.
    pub fn draft(&self) -> (Draft, Option<(FieldId, FieldProblem)>) {
        let mut problems = Vec::new();
        let connection = self.connection(&mut problems);
        let cloned = self.clone_of.is_some();
        let value = |id| {
            let field = self.secret(id)?;
            Some((
                (!field.value.is_empty()).then(|| field.value.clone()),
                field.touched || (cloned && !field.value.is_empty()),
            ))
        };
        let (key, key_changed) = value(FieldId::Key).unwrap_or_default();
        let (token, token_changed) = value(FieldId::Token).unwrap_or_default();
        let draft = Draft {
            connection,
            key,
            token,
            key_changed,
            token_changed,
            opened: self.opened(),
            key_origin: self.bound_origin(),
            key_held_back: false,
            copies: self.copies(),
        };
        (draft, problems.into_iter().next())
    }

    fn copies(&self) -> Option<CopyOf> {
        let name = self.clone_of.clone()?;
        let is_untouched = |id| self.secret(id).is_some_and(|field| !field.touched);
        let key = self.original.as_ref();
        let key = key.and_then(|original| original.connection.key.as_ref());
        // Beside a value that is kept here stands one origin for all who refer to it: another host's is a value of its own.
        let is_kept_here = matches!(key, Some(SecretRef::Vault(_) | SecretRef::Keyring(_)));
        Some(CopyOf {
            name,
            keeps_key: is_untouched(FieldId::Key) && !(is_kept_here && self.key_goes_elsewhere()),
            keeps_token: is_untouched(FieldId::Token),
        })
    }

    /// Whether all of a saved connection reads as it was opened. A secret that was typed into counts as changed, and so
    /// does one that the person agreed to send elsewhere.
    pub(super) fn is_as_opened(&self) -> bool {
        if self.is_empty_again() {
            return true;
        }
        let (draft, problem) = self.draft();
        let original = self.original.as_ref().filter(|_| self.editing.is_some());
        problem.is_none()
            && !self.key_goes_elsewhere()
            && !draft.key_changed
            && !draft.token_changed
            && original.is_some_and(|original| original.connection == draft.connection)
    }

    /// Whether it is a new connection's, and nothing stands in it that an empty form has not: whatever was typed is gone.
    fn is_empty_again(&self) -> bool {
        let is_new = self.editing.is_none() && self.clone_of.is_none();
        let is_untouched = |(here, there): (&FormField, &FormField)| match (&here.text, &there.text)
        {
            (FieldText::Plain(here), FieldText::Plain(there)) => {
                here.value().trim() == there.value()
            }
            (FieldText::Secret(here), _) => here.value.is_empty(),
            (FieldText::Plain(_), FieldText::Secret(_)) => false,
        };
        is_new && {
            let empty = Self::empty();
            self.fields.iter().zip(&empty.fields).all(is_untouched)
        }
    }

    fn opened(&self) -> Option<Box<Connection>> {
        let name = self.editing.as_ref()?;
        let original = &self.original.as_ref()?.connection;
        (original.name == *name).then(|| Box::new(original.clone()))
    }

    fn connection(&self, problems: &mut Vec<(FieldId, FieldProblem)>) -> Connection {
        let mut connection = self
            .original
            .as_ref()
            .map_or_else(blank, |original| original.connection.clone());
        self.url_text().clone_into(&mut connection.url);
        self.text(FieldId::Username)
            .trim()
            .clone_into(&mut connection.username);
        match Name::parse(self.text(FieldId::Name).trim()) {
            Ok(name) => connection.name = name,
            Err(problem) => problems.push((FieldId::Name, problem.into())),
        }
        connection.service = self.service();
        if connection.service.as_str().is_empty() {
            problems.push((FieldId::Service, FieldProblem::NoService));
        }
        let optional = |id| Some(self.text(id).trim().to_owned()).filter(|text| !text.is_empty());
        connection.tags = tags::read([self.text(FieldId::Tags)]);
        connection.cms = optional(FieldId::Cms);
        connection.cms_url = optional(FieldId::CmsUrl);
        connection.company = optional(FieldId::Company);
        connection.proxy = optional(FieldId::Proxy);
        connection.ca_file = optional(FieldId::CaFile).map(|path| Path::new(&path).into());
        connection.client_cert = optional(FieldId::ClientCert).map(|path| Path::new(&path).into());
        connection.client_key = optional(FieldId::ClientKey).map(|path| Path::new(&path).into());
        self.text(FieldId::Note)
            .trim()
            .clone_into(&mut connection.note);
        self.read_choices(&mut connection, problems);
        connection
    }

    fn read_choices(
        &self,
        connection: &mut Connection,
        problems: &mut Vec<(FieldId, FieldProblem)>,
    ) {
        let mut keep = |id: FieldId, read: Result<(), FieldProblem>| {
            if let Err(problem) = read {
                problems.push((id, problem));
            }
        };
        let word = |id| self.text(id).trim().to_lowercase();
        let auth = AuthStyle::from_word(&word(FieldId::Auth)).ok_or(FieldProblem::Auth);
        keep(FieldId::Auth, auth.map(|auth| connection.auth = auth));
        let time = |id, allowed| seconds(&word(id), id.label(), allowed);
        let interval = time(FieldId::Interval, &Connection::INTERVAL_S);
        keep(
            FieldId::Interval,
            interval.map(|s| connection.interval_s = s),
        );
        let timeout = time(FieldId::Timeout, &Connection::TIMEOUT_S);
        keep(FieldId::Timeout, timeout.map(|s| connection.timeout_s = s));
        let family = AddressFamily::from_word(&word(FieldId::Family)).ok_or(FieldProblem::Family);
        keep(
            FieldId::Family,
            family.map(|family| connection.family = family),
        );
        let chosen = |id| yes_or_no(&word(id), id.label());
        let allow = chosen(FieldId::AllowHttp);
        keep(
            FieldId::AllowHttp,
            allow.map(|yes| connection.allow_http = yes),
        );
        let read_only = chosen(FieldId::ReadOnly);
        keep(
            FieldId::ReadOnly,
            read_only.map(|yes| connection.read_only = yes),
        );
    }

    /// The URL without outer blanks.
    pub fn url_text(&self) -> &str {
        self.text(FieldId::Url).trim()
    }

    /// Works out every field's lamp anew.
    pub(super) fn refresh_lamps(&mut self) {
        let lamps = lamps::of_form(self);
        let mut problems = Vec::new();
        self.connection(&mut problems);
        let (first, further) = self.fields.split_at_mut(FieldId::FIRST.len());
        for (field, lamp) in first.iter_mut().zip(lamps) {
            field.lamp = lamp;
        }
        for field in further {
            let mut of_field = problems.iter().filter(|(id, _)| *id == field.id);
            let word = of_field.find_map(|(_, problem)| problem.word());
            field.lamp = lamps::of_further(word);
        }
    }

    /// Puts the cursor into the field `id`, at its end.
    pub(super) fn go_to(&mut self, id: FieldId) {
        self.cursor = id as usize;
        if self.cursor >= FieldId::FIRST.len() {
            self.further = true;
        }
        match &mut self.field_mut(id).text {
            FieldText::Plain(input) => input.handle(tui_input::InputRequest::GoToEnd),
            FieldText::Secret(field) => field.mirror.handle(tui_input::InputRequest::GoToEnd),
        };
    }
}

fn blank() -> Connection {
    Connection::new(Name::unnamed(), ServiceId::blesta(), "")
}

fn field(id: FieldId, connection: &Connection, new: bool) -> FormField {
    let text = match id {
        FieldId::Key | FieldId::Token => {
            FieldText::Secret(stored(reference(id, connection).is_some()))
        }
        FieldId::Name if new => FieldText::Plain(Input::default()),
        _ => FieldText::Plain(Input::new(plain_text(id, connection))),
    };
    FormField {
        id,
        text,
        lamp: FieldLamp {
            state: State::Unknown,
            word: String::new(),
            probing: false,
        },
    }
}

fn stored(stored: bool) -> SecretField {
    SecretField {
        stored,
        ..SecretField::default()
    }
}

/// Where the secret of a field lies.
fn reference(id: FieldId, connection: &Connection) -> Option<&SecretRef> {
    match id {
        FieldId::Key => connection.key.as_ref(),
        FieldId::Token => connection.token.as_ref(),
        _ => None,
    }
}

fn plain_text(id: FieldId, connection: &Connection) -> String {
    let path = |path: &Option<Box<Path>>| {
        path.as_ref()
            .map(|path| path.display().to_string())
            .unwrap_or_default()
    };
    let number = |number: Option<u32>| number.map(|n| n.to_string()).unwrap_or_default();
    let flag = |yes| if yes { "yes" } else { "no" }.to_owned();
    match id {
        FieldId::Url => connection.url.clone(),
        FieldId::Username => connection.username.clone(),
        FieldId::Key | FieldId::Token => String::new(),
        FieldId::Name => connection.name.to_string(),
        FieldId::Service => connection.service.to_string(),
        FieldId::Tags => connection.tags.join(", "),
        FieldId::Cms => connection.cms.clone().unwrap_or_default(),
        FieldId::CmsUrl => connection.cms_url.clone().unwrap_or_default(),
        FieldId::Company => connection.company.clone().unwrap_or_default(),
        FieldId::Auth => connection.auth.word().to_owned(),
        FieldId::Interval => number(connection.interval_s),
        FieldId::Timeout => number(connection.timeout_s),
        FieldId::Proxy => connection.proxy.clone().unwrap_or_default(),
        FieldId::CaFile => path(&connection.ca_file),
        FieldId::ClientCert => path(&connection.client_cert),
        FieldId::ClientKey => path(&connection.client_key),
        FieldId::Family => connection.family.word().to_owned(),
        FieldId::AllowHttp => flag(connection.allow_http),
        FieldId::ReadOnly => flag(connection.read_only),
        FieldId::Note => connection.note.clone(),
    }
}

/// Reads `90`, `90s`, `1m30s` or `1d`, whole seconds; nothing means the settings' own.
fn seconds(
    text: &str,
    what: &'static str,
    allowed: &RangeInclusive<u32>,
) -> Result<Option<u32>, FieldProblem> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = span::read_or_seconds(text).filter(|time| time.subsec_nanos() == 0);
    read.and_then(|time| u32::try_from(time.as_secs()).ok())
        .filter(|seconds| allowed.contains(seconds))
        .map(Some)
        .ok_or(FieldProblem::Seconds {
            what,
            least: *allowed.start(),
            most: *allowed.end(),
        })
}

fn yes_or_no(text: &str, what: &'static str) -> Result<bool, FieldProblem> {
    match text {
        "yes" | "y" | "true" => Ok(true),
        "no" | "n" | "false" | "" => Ok(false),
        _ => Err(FieldProblem::YesOrNo(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_that_a_configuration_may_hold() {
        let interval = |text: &str| seconds(text, "Interval", &Connection::INTERVAL_S);
        let timeout = |text: &str| seconds(text, "Timeout", &Connection::TIMEOUT_S);
        for (text, expected) in [("", None), ("90", Some(90)), ("5m", Some(300))] {
            assert_eq!(
                (interval(text), timeout(text)),
                (Ok(expected), Ok(expected))
            );
        }
        assert_eq!(interval("2d"), Ok(Some(172_800)));
        assert_eq!(interval("1m30s"), Ok(Some(90)));
        let why = timeout("20m").unwrap_err().to_string();
        assert_eq!(why, "Timeout is 1 to 600 seconds, such as 90, 5m or 2h");
        for wrong in ["0", "8d", "x", "-1", "99999999h", "1500ms"] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }
}
