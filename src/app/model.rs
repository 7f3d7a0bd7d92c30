//! The model: all that the screen shows.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tui_input::Input;

use super::disguise::Disguise;
use super::draft::{Draft, FieldId};
use super::entries::Entries;
use super::form::live::LiveTest;
use super::handles::{CopySubject, Revealed, RevealedHandle};
use super::keymap::{KeyPress, Keymap};
use super::list::List;
pub use super::lock::Lock;
use super::message::StoreOffer;
use super::notice::{CopiedNotice, Notice};
use super::secret_field::{KeyAnswer, SecretField, ShownField};
use super::shared_token::SharedTokenSheet;
use super::tokens::{TokensEffect, TokensPane};
use super::watching::dialogs::WatchingOverlay;
use super::watching::{Board, GroupKey};
use crate::domain::{
    Checks, Connection, CopyForm, HandleSlot, Name, Origin, PassphrasePurpose, SecretRef, State,
    Verdict,
};
use crate::service::Catalog;

/// The state of the whole screen. `ui` draws it and changes nothing.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own; no two of them make a state together"
)]
pub struct Model {
    /// Columns and rows.
    pub size: (u16, u16),
    /// When the last message came.
    pub now: Timestamp,
    /// What is known of every connection.
    pub entries: Entries,
    /// The list: order, filter, selection.
    pub list: List,
    /// Which pane has the keys.
    pub focus: Pane,
    /// Whether the focused pane fills the screen.
    pub zoomed: bool,
    /// The form, while one is being edited. Otherwise the form pane shows the selected connection.
    pub form: Option<Form>,
    /// Selected row of the tokens pane.
    pub token_row: usize,
    /// What was selected there has left by itself: until a key moves, nothing is.
    pub token_lost: bool,
    /// Since when the values of handles are what they are, where that is known.
    pub dates: HashMap<SecretRef, Timestamp>,
    /// First line shown of the response pane.
    pub response_scroll: u16,
    /// The line that what scrolls can begin with at most, as the screen last said.
    pub last_line: Option<u16>,
    /// The one handle in the open.
    pub revealed: Option<Revealed>,
    /// What stands at the right of the footer.
    pub notice: Option<Notice>,
    /// What was copied, until it is cleared.
    pub copied: Option<CopiedNotice>,
    /// What lies over the panes.
    pub overlay: Option<Overlay>,
    /// Whether scheduled probing is on.
    pub watching: bool,
    /// Whether secrets are locked, and how that came.
    pub lock: Lock,
    /// The passphrase that came with the start is being tried: nothing is probed before.
    pub opens_first: bool,
    /// War-room: pseudonyms, no reveal, no copy.
    pub war_room: bool,
    /// Whether the mouse is on.
    pub mouse: bool,
    /// The configuration was read, or failed with a sentence.
    pub loaded: LoadState,
    /// Whether a configuration was ever read: what the first one begins has begun.
    pub begun: bool,
    /// Lines for the response pane while nothing was probed yet.
    pub banner: Vec<String>,
    /// Seconds until the clipboard is cleared.
    pub clipboard_clear_s: u32,
    /// Which key means what, as remapped.
    pub keymap: Keymap,
    /// What the configuration's reading had to say: unknown keys, odd modes, conflicts of remapped keys.
    pub warnings: Vec<String>,
    /// The services that are known.
    pub catalog: Catalog,
    /// Pseudonyms of the war-room.
    pub disguise: Disguise,
    /// Idle minutes until secrets are locked; 0 never.
    pub lock_after_min: u32,
    /// Nothing moves that need not: no ticker, and countdowns in steps of five seconds.
    pub reduce_motion: bool,
    /// When a key, paste or click came last.
    pub last_input: Timestamp,
    /// When the overlay was opened, or a step of the wizard: what nobody expected takes no key that was typed ahead.
    pub overlay_since: Timestamp,
    /// From when on a yes to the question counts; nothing while it has not been on the screen.
    pub yes_from: Option<Timestamp>,
    /// How many questions there were that must be seen before they are answered.
    pub questions: u32,
    /// The key that has answered a question, and when it came last: so soon behind, it bounced or is held.
    pub answered: Option<(KeyPress, Timestamp)>,
    /// The connection that is being removed here.
    pub removing: Option<Name>,
    /// What goes on once the vault is open.
    pub waiting: Option<PendingUnlock>,
    /// A further handle that waits for a place or a passphrase.
    pub adding: Option<AddTokenDialog>,
    /// The form that is opened once the person agreed to lose the present draft.
    pub next_form: Option<OpenForm>,
    /// Tokens at services: the account's list, and the sheets over the panes.
    pub tokens: TokensPane,
    /// The watch table, and what is known for it.
    pub board: Board,
    /// The number of the last probe started here. Grows over all targets, so it grows for each.
    pub generation: u64,
}

/// Something that was asked for and needs the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingUnlock {
    /// A handle to show.
    Reveal(Name, RevealedHandle),
    /// A copy.
    Copy(Name, HandleSlot, CopyForm),
    /// The stored secrets of the connection in the form.
    LoadSecrets(Name),
    /// The secret that is on a sheet alone, to show or to copy.
    SheetSecret(super::keymap::Action),
    /// Something about tokens.
    Tokens(Box<TokensEffect>),
}

/// Which form to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenForm {
    /// An empty one.
    New,
    /// That of a saved connection.
    Edit(Name),
    /// A new one with the content of a saved connection.
    Clone(Name),
    /// That of a saved connection, with this URL in place of its own.
    WithUrl {
        /// The connection.
        name: Name,
        /// The URL.
        url: String,
    },
    /// That of a saved connection, its credentials sent by headers.
    WithHeaders(Name),
    /// None: the draft is dropped.
    Nothing,
}

/// Whether the configuration is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadState {
    /// Being read.
    Loading,
    /// Read.
    Ready,
    /// Not readable; one sentence. Saving is refused so that nothing is overwritten.
    Failed(String),
}

/// One connection and what is known of it.
#[derive(Debug, Clone)]
pub struct ListedConnection {
    /// As configured.
    pub connection: Arc<Connection>,
    /// The last verdict.
    pub verdict: Option<Box<Verdict>>,
    /// What its probe is doing.
    pub probe: ProbeState,
    /// Since when its state is what it is.
    pub since: Option<Timestamp>,
    /// The last states, oldest first, at most 60.
    pub strip: Vec<State>,
    /// How an earlier run left it.
    pub stood: Option<State>,
    /// Of a million probes within 24 hours, how many found that it works, as it was last asked for.
    pub share: Option<u32>,
}

impl ListedConnection {
    /// The lamp's state.
    pub fn state(&self) -> State {
        let verdict = self.verdict.as_ref();
        verdict.map_or(State::Unknown, |verdict| verdict.state())
    }
}

/// What a probe is doing.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ProbeState {
    /// Nothing runs.
    #[default]
    Idle,
    /// One of ours runs; answers of other generations are dropped.
    Running {
        /// Its generation.
        generation: u64,
        /// Rungs so far.
        checks: Box<Checks>,
    },
    /// The watcher's runs.
    Watched,
}

/// Which pane has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    /// Connections.
    List,
    /// URL, username, key, token.
    Form,
    /// Verdict, ladder, phases, remedy.
    Response,
    /// Handles.
    Tokens,
}

impl Pane {
    /// In the order of Tab.
    pub const ALL: [Self; 4] = [Self::List, Self::Form, Self::Response, Self::Tokens];
}

/// The order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListOrder {
    /// Down, check, unknown, up; then name.
    #[default]
    WorstFirst,
    /// Name.
    Name,
    /// Service, then name.
    Service,
    /// Slowest first.
    Latency,
    /// Lowest share of 24 hours first.
    Availability,
    /// Changed last first.
    Since,
}

/// The form while it is edited.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own; no two of them make a state together"
)]
pub struct Form {
    /// The saved connection that is edited; `None` for a new one.
    pub editing: Option<Name>,
    /// All fields, first page first.
    pub fields: Vec<FormField>,
    /// Which field has the cursor.
    pub cursor: usize,
    /// Whether the further fields are shown.
    pub further: bool,
    /// What its probe is doing.
    pub probe: ProbeState,
    /// What the last probe of the draft found.
    pub verdict: Option<Box<Verdict>>,
    /// When the debounced test is due.
    pub due: Option<Timestamp>,
    /// Whether anything was changed since it was opened or saved.
    pub dirty: bool,
    /// The URL hint, with the corrected URL one key away.
    pub hint: Option<UrlHint>,
    /// Which connection's stored secrets are still on their way.
    pub loading_secrets: bool,
    /// Present while a save is under way.
    pub saving: bool,
    /// The draft as it was opened, to tell what changed.
    pub original: Option<Box<Draft>>,
    /// The connection that this is a copy of: its secrets are loaded, and saved anew.
    pub clone_of: Option<Name>,
    /// Kept aside while the list shows another connection; see [`Model::visible_form`].
    pub parked: bool,
    /// The URL was edited since the cursor came to it: only rungs without credentials run.
    pub url_edited: bool,
    /// What is tested by itself, what waits for that, and what is known already.
    pub live: LiveTest,
    /// The service was chosen by the person, or saved: it does not follow the URL any more.
    pub service_chosen: bool,
    /// The name was typed, or saved: it does not follow the host any more.
    pub name_chosen: bool,
    /// The origin that the key in the field was entered for.
    pub key_origin: Option<Origin>,
    /// What the person said last when asked whether the key may go to another origin.
    pub key_answer: Option<KeyAnswer>,
    /// The trigger of the probe that waits for that answer.
    pub key_question: Option<crate::service::Trigger>,
    /// It is to be saved, and what must come first.
    pub save_waits: Option<SaveWait>,
    /// Fields that were changed here, and by another copy of the program meanwhile: who saves is asked first.
    pub disputed: Vec<FieldId>,
    /// Where new secrets go, once chosen.
    pub store: Option<SecretRef>,
    /// The fields before the last cleaned paste, for Ctrl-Z.
    pub undo: Option<Undo>,
    /// The secret field that is in the open.
    pub shown: Option<ShownField>,
}

/// What a save waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveWait {
    /// The answer whether the key may go to another origin.
    KeyAnswer,
    /// The configuration, which could not be read the last time.
    Reading,
}

/// The fields before a paste was cleaned.
#[derive(Debug, Clone)]
pub struct Undo {
    /// The field that was pasted into.
    pub field: FieldId,
    /// Its text with the paste as it came, which Ctrl-Z puts there.
    pub raw: FieldText,
    /// The other fields that the cleaning changed, as they stood before.
    pub others: Vec<(FieldId, FieldText)>,
    /// What the key is entered for once the paste is taken back.
    pub key_origin: Option<Origin>,
    /// The paste itself goes: it held what does not belong into its field.
    pub whole: bool,
}

/// A pointed-out URL and its correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlHint {
    /// One sentence.
    pub text: String,
    /// The corrected URL.
    pub url: Option<String>,
}

/// One field of the form.
#[derive(Debug)]
pub struct FormField {
    /// Which.
    pub id: FieldId,
    /// Its text.
    pub text: FieldText,
    /// Its lamp.
    pub lamp: FieldLamp,
}

/// The text of a field.
#[derive(Debug, Clone)]
pub enum FieldText {
    /// In the open.
    Plain(Input),
    /// Masked; see [`SecretField`].
    Secret(SecretField),
}

/// Lamp and word of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldLamp {
    /// The worst of its checks that ran.
    pub state: State,
    /// "service found", "set", "accepted", "matches", or the reason's title.
    pub word: String,
    /// Whether its checks are running.
    pub probing: bool,
}

/// What lies over the panes and has all keys.
#[derive(Debug)]
pub enum Overlay {
    /// Keys of the focused pane.
    Help {
        /// First line shown.
        scroll: u16,
    },
    /// Every action, by name.
    Palette {
        /// What was typed.
        input: Input,
        /// Selected row.
        row: usize,
    },
    /// A question with yes and no.
    Confirm(Question),
    /// Where secrets are to be kept.
    ChooseStore {
        /// What this machine offers.
        offers: Vec<StoreOffer>,
        /// Selected row.
        row: usize,
    },
    /// A passphrase.
    Passphrase(PassphraseDialog),
    /// Copy as… The rows are [`CopySubject::choices`].
    CopyAs {
        /// Selected row.
        row: usize,
        /// What is copied.
        of: CopySubject,
    },
    /// A further handle for the selected connection.
    AddToken(AddTokenDialog),
    /// The shared token: made, entered, checked.
    SharedToken(SharedTokenSheet),
    /// Events, maintenance, another machine's opinion.
    Watching(WatchingOverlay),
}

/// A further handle being typed.
#[derive(Debug)]
pub struct AddTokenDialog {
    /// Whose it will be.
    pub name: Name,
    /// What it is called.
    pub label: Input,
    /// The handle.
    pub value: SecretField,
    /// Whether the second line has the cursor.
    pub on_value: bool,
    /// What was wrong with the last try.
    pub problem: Option<String>,
    /// While it is being stored.
    pub busy: bool,
    /// Where it goes, once chosen.
    pub store: Option<SecretRef>,
}

/// A question with yes and no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Remove this connection and its secrets?
    Remove(Name),
    /// Remove this further token of the connection?
    RemoveToken {
        /// Whose.
        name: Name,
        /// What it is called.
        label: String,
    },
    /// These were changed by another copy, too: save in their place?
    SaveOver(Vec<FieldId>),
    /// The verdict is not ok: save all the same?
    SaveAllTheSame,
    /// Leave the form and lose what was typed?
    LoseDraft,
    /// Quit and lose what was typed?
    QuitUnsaved,
    /// Send the stored key to this new origin?
    /// A host, or a whole origin where only scheme or port are new.
    SendKeyTo(String),
    /// Up to four requests will be sent.
    Bisect(Name),
    /// The same for what stands in the form.
    BisectDraft,
    /// Locking forgets the secrets typed and not saved: lock?
    LockLosesSecrets,
    /// Leave these of a group out of watching, or take them in again?
    PauseAll(GroupKey, Vec<Name>, bool),
    /// Quit while something at a service is under way?
    QuitUnderWay,
    /// Close the dialog of a further token and lose what was typed?
    LoseToken,
    /// Leave the sheet on top and lose what is on it alone?
    LeaveSheet,
}

/// A passphrase being typed.
#[derive(Debug)]
pub struct PassphraseDialog {
    /// Choose one, or open with one.
    pub kind: PassphrasePurpose,
    /// The first line.
    pub first: SecretField,
    /// Typed again, when choosing.
    pub second: SecretField,
    /// Whether the second line has the cursor.
    pub on_second: bool,
    /// What was wrong with the last try.
    pub problem: Option<String>,
    /// While it is being checked (it takes half a second).
    pub busy: bool,
}
