//! The sheet of the shared token: made here, entered in two places, checked by a signed call.

use crate::domain::Name;
use crate::service::verify::VerifyStep;

/// The shared token of one connection.
#[derive(Debug)]
pub struct SharedTokenSheet {
    /// Whose.
    pub name: Name,
    /// Whether one is kept here.
    pub is_set: bool,
    /// Where it is entered, a place with its steps each.
    pub places: Vec<String>,
    /// Whether both ends have the same.
    pub check: Check,
    /// First line shown.
    pub scroll: u16,
}

/// What is known of both ends.
#[derive(Debug)]
pub enum Check {
    /// Nobody asked.
    NotMade,
    /// The signed call is under way.
    UnderWay,
    /// It has ended.
    Made {
        /// The rows of an API Check.
        rows: Box<[VerifyStep; 4]>,
        /// What is to be done, in one sentence; empty where all is well.
        advice: String,
    },
}

impl SharedTokenSheet {
    /// What its keys do.
    pub const fn keys(&self) -> &'static [(&'static str, &'static str)] {
        if self.is_set {
            &[
                ("Enter", "check"),
                ("y", "copy"),
                ("Esc", "close"),
                ("g", "make another"),
            ]
        } else {
            &[("g", "make one"), ("Enter", "check"), ("Esc", "close")]
        }
    }
}
