//! Where credentials arrive only by headers, one key switches the connection to them.

use super::{Effects, Model};
use crate::app::draft::FieldId;
use crate::app::hints::by_headers_alone;
use crate::app::model::OpenForm;
use crate::domain::AuthStyle;
use crate::service::Trigger;

impl Model {
    /// Switches what is shown to headers, where its last verdict says that they work and Basic does not.
    pub(super) fn use_headers(&mut self, out: &mut Effects) {
        if !self.shown_verdict().is_some_and(by_headers_alone) {
            return self.complain("the last probe did not find that only headers work here");
        }
        if self.visible_form().is_some() {
            self.return_to_form();
            self.put_headers(out);
        } else if let Some(name) = self.list.selected.clone() {
            self.open_form(OpenForm::WithHeaders(name), out);
        }
    }

    pub(super) fn put_headers(&mut self, out: &mut Effects) {
        let Some(form) = &mut self.form else { return };
        form.set_text(FieldId::Auth, AuthStyle::Headers.word());
        // The field stands among the further ones: it shall be seen what was changed.
        form.further = true;
        form.go_to(FieldId::Auth);
        self.edited(FieldId::Auth, out);
        self.probe_draft(Trigger::Asked, out);
    }
}
