//! The table: every action with its name, its words and its keys.

use super::super::model::Pane;

/// Where an action's keys work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Where letters are actions.
    Lists,
    /// In text fields.
    Fields,
    /// In both; in text fields letters are at Alt.
    Both,
}

/// What an action is about: the headings of the help and the README's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpGroup {
    /// Moving about.
    Move,
    /// Connections and their form.
    Edit,
    /// Probes.
    Probe,
    /// Handles.
    Handles,
    /// The table, events, maintenance.
    Watch,
    /// The screen itself.
    Screen,
}

/// One row of the table.
#[derive(Debug)]
pub struct HelpRow {
    /// What is done.
    pub action: Action,
    /// Its name in the configuration and the palette.
    pub name: &'static str,
    /// One or two words for the footer.
    pub hint: &'static str,
    /// One sentence without its full stop.
    pub help: &'static str,
    /// Default keys.
    pub keys: &'static [&'static str],
    /// Where they work.
    pub scope: Scope,
    /// What it is about.
    pub group: HelpGroup,
    /// The panes whose help lists it; empty for all.
    pub panes: &'static [Pane],
}

macro_rules! actions {
    ($($variant:ident $name:literal $hint:literal [$($key:literal)*] $scope:ident $group:ident
       [$($pane:ident)*] $help:literal;)+) => {
        /// What a key means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $(#[doc = $help] $variant,)+ }

        /// Every action, in the order in which it is shown.
        pub const TABLE: &[HelpRow] = &[$(HelpRow {
            action: Action::$variant,
            name: $name,
            hint: $hint,
            help: $help,
            keys: &[$($key),*],
            scope: Scope::$scope,
            group: HelpGroup::$group,
            panes: &[$(Pane::$pane),*],
        },)+];

        impl Action {
            /// Its row of the table.
            pub const fn row(self) -> &'static HelpRow {
                &TABLE[self as usize]
            }
        }
    };
}

actions! {
    Up "up" "up" ["up" "k"] Lists Move [] "One row up";
    Down "down" "down" ["down" "j"] Lists Move [] "One row down";
    PageUp "page-up" "page up" ["pgup"] Lists Move [] "One page up";
    PageDown "page-down" "page down" ["pgdn"] Lists Move [] "One page down";
    First "first" "first" ["home" "g"] Lists Move [] "To the first row";
    Last "last" "last" ["end" "G"] Lists Move [] "To the last row";
    NextPane "next-pane" "pane" ["tab"] Lists Move [] "To the next pane";
    PreviousPane "previous-pane" "pane back" ["shift-tab"] Lists Move [] "To the previous pane";
    Open "open" "open" ["enter"] Lists Move [] "Open or edit what is selected";
    Back "back" "back" ["esc"] Lists Move [] "Back: close what is open, clear the filter, return to the list";
    New "new" "new" ["n"] Both Edit [] "A new connection, the cursor in its URL";
    Edit "edit" "edit" ["e"] Both Edit [] "Edit the connection, the cursor at the end of the first field that is not ok; on a token of the account that token";
    Clone "clone" "clone" ["c"] Both Edit [List Form] "A new connection with the content of this one";
    Delete "delete" "delete" ["d"] Both Edit [List Form Tokens] "Remove the connection and its secrets; on a token that token, kept here or of the account; asks before";
    Probe "probe" "probe" ["r"] Both Probe [] "Probe now";
    Bisect "bisect" "bisect" ["b"] Both Probe [List Form Response] "Find the cause with up to 4 requests; asks before";
    Resume "resume" "resume" ["R"] Both Probe [List Form Response] "Lift the pause of a key that was refused too often";
    Reveal "reveal" "reveal" ["v"] Both Handles [] "Show the handle for 10 seconds, or hide it again";
    Copy "copy" "copy" ["y"] Both Handles [] "Copy the handle";
    CopyAs "copy-as" "copy as" ["Y"] Both Handles [] "Copy as header, as curl command, or copy username or URL";
    Ticket "copy-ticket" "ticket" ["S"] Both Handles [List Response] "Copy a ticket for whoever must act: host, vendor or you; no secret is in it";
    Import "import" "import" ["I"] Lists Edit [List] "Take connections from curl commands, .env files, accounts or a bundle";
    Demo "demo" "demo" ["D"] Lists Screen [List] "The demo over rehearsal services on this machine; its end leads back here";
    AddToken "add-token" "add token" ["a"] Both Handles [List Form Tokens] "Keep a further token with the connection";
    SharedToken "shared-token" "shared token" ["V"] Both Handles [List Form Tokens] "The shared token: make one, where it is entered, whether both ends have the same";
    LoadTokens "load-tokens" "load tokens" ["l"] Both Handles [Tokens] "Load the tokens of the account behind the connection, or load again";
    NewToken "new-token" "new token" ["t"] Both Handles [Tokens] "Make a token in the account, step by step";
    SwitchToken "switch-token" "on/off" ["x"] Both Handles [Tokens] "Enable the token, or disable it, which asks for its label before";
    RenewToken "renew-token" "renew" ["N"] Both Handles [Tokens] "Renew the token: a second secret, proven before connections use it";
    RotateToken "rotate-token" "rotate" ["O"] Both Handles [Tokens] "Rotate the token: another secret, the old one dead at once; asks before";
    TokenGroup "token-group" "group" ["f"] Both Handles [Tokens] "The next group of tokens: all, expiring, never expires, all modules, disabled, idle";
    Expiries "expiries" "expiries" ["E"] Both Handles [] "What ends next: tokens and certificates of all connections in one list";
    CopySnippet "copy-snippet" "copy snippet" ["m"] Both Probe [List Form Response] "Copy the snippet of the remedy";
    UseUrl "use-url" "use URL" ["u"] Both Edit [List Form Response] "Use the corrected URL";
    UseHeaders "use-headers" "use headers" ["h"] Both Edit [List Form Response] "Send the credentials by headers from now on, where only that works";
    Zoom "zoom" "zoom" ["z"] Both Screen [] "Let the pane fill the screen, or shrink it again";
    Order "order" "order" ["s"] Both Screen [List Tokens] "The next order of the list: worst first, name, service, slowest, least available, changed last; of tokens, by the service";
    Filter "filter" "find" ["/"] Both Screen [List Tokens] "Filter the list: letters in order, and status:401, tag:eu, service:blesta, state:down; tokens at the service: words, status:, extension:, by:, module:";
    WatchTable "watch-table" "watch" ["w"] Both Watch [] "The list as a table over the whole width, or the panes again";
    GroupByTag "group-by-tag" "group" ["T"] Lists Watch [List] "Rows of the table under their first tag, or one list again";
    Fold "fold" "fold" ["F"] Lists Watch [List] "Hide the rows of the group, or show them again";
    Events "events" "events" ["H"] Both Watch [] "What changed lately, over whatever is shown";
    PauseConnection "pause-connection" "pause this" ["P"] Both Watch [List Response] "Leave this connection out of watching, or take it in again; on a heading all under it";
    Maintenance "maintenance" "maintenance" ["M"] Both Watch [List Response] "When this connection may fail as planned; on a heading further times of all under it";
    SecondOpinion "second-opinion" "ask from" [] Both Probe [List Response] "Ask for this connection from another machine too, through ssh, and compare";
    Pause "pause" "pause" ["p"] Both Probe [List] "Pause watching, or go on";
    Lock "lock" "lock" ["L"] Both Screen [] "Lock: forget secrets and clear the clipboard; unlock where locked";
    WarRoom "war-room" "war-room" ["W"] Both Screen [] "War-room: pseudonyms for names, hosts, users and ids; no reveal, no copy";
    Palette "palette" "command" [":"] Both Screen [] "Every action by its name";
    Help "help" "help" ["?"] Both Screen [] "The keys of this pane";
    Quit "quit" "quit" ["q" "ctrl-c"] Both Screen [] "Quit; asks only where something unsaved would be lost";
    Mouse "mouse" "mouse" [] Both Screen [] "Switch the mouse on or off";
    ClearClipboard "clear-clipboard" "clear clipboard" [] Both Handles [] "Clear the clipboard now, if it still holds what was copied here";
    DiscardDraft "discard-draft" "discard" [] Both Edit [] "Throw away what was typed and not saved; asks before";
    Suspend "suspend" "suspend" ["ctrl-z"] Lists Screen [] "Suspend the program; fg brings it back";
    Redraw "redraw" "redraw" ["ctrl-l"] Both Screen [] "Draw the screen anew, where something else wrote over it";
    Save "save" "save" ["ctrl-s"] Both Edit [Form] "Save what stands in the form";
    Further "further" "further fields" ["ctrl-o"] Both Edit [Form] "Show the further fields, or hide them again";
    NextField "next-field" "next field" ["tab"] Fields Move [Form] "To the next field";
    PreviousField "previous-field" "field back" ["shift-tab"] Fields Move [Form] "To the previous field";
    FieldUp "field-up" "field up" ["up"] Fields Move [Form] "To the field above";
    FieldDown "field-down" "field down" ["down"] Fields Move [Form] "To the field below";
    Accept "accept" "test, next" ["enter"] Fields Move [Form] "Test what is entered and go to the next field";
    Leave "leave" "leave" ["esc"] Fields Move [Form] "Leave the form; what was typed is kept";
    Undo "undo" "undo paste" ["ctrl-z"] Fields Edit [Form] "Undo the cleaning of the last paste";
    ResponseUp "response-up" "response up" ["pgup"] Fields Move [Form] "The response a page up";
    ResponseDown "response-down" "response down" ["pgdn"] Fields Move [Form] "The response a page down";
}

impl Action {
    /// Its name in the configuration and the palette.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether it means the same whatever lies over the panes.
    pub(in crate::app) const fn is_of_the_screen(self) -> bool {
        matches!(
            self,
            Self::Palette
                | Self::Help
                | Self::Quit
                | Self::Lock
                | Self::WarRoom
                | Self::Mouse
                | Self::Suspend
                | Self::Redraw
                | Self::Pause
                | Self::ClearClipboard
                | Self::Events
        )
    }

    /// Whether it means the selected row of the tokens pane, where that has the keys.
    pub(in crate::app) const fn is_of_row(self) -> bool {
        matches!(
            self,
            Self::Open
                | Self::Edit
                | Self::Delete
                | Self::Reveal
                | Self::Copy
                | Self::CopyAs
                | Self::SwitchToken
                | Self::RenewToken
                | Self::RotateToken
        )
    }

    /// Whether it means the selected connection, and never a group of them.
    pub(in crate::app) const fn is_of_one(self) -> bool {
        matches!(
            self,
            Self::Edit
                | Self::Clone
                | Self::Delete
                | Self::Probe
                | Self::Bisect
                | Self::Resume
                | Self::Reveal
                | Self::Copy
                | Self::CopyAs
                | Self::CopySnippet
                | Self::UseUrl
                | Self::UseHeaders
                | Self::Ticket
                | Self::AddToken
                | Self::SharedToken
                | Self::LoadTokens
                | Self::NewToken
                | Self::SwitchToken
                | Self::RenewToken
                | Self::RotateToken
        )
    }

    /// The action called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|row| row.name == name)
            .map(|row| row.action)
    }
}
