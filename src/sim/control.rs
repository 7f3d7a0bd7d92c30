//! The hand on a running port: tests change what it does, and hold answers back until they let go.

use std::sync::Arc;

use tokio::sync::watch;

use super::behaviour::Behaviour;
use super::http::Style;

/// Changes what a port does, from the next request on. Copies steer the same port.
#[derive(Clone, Debug)]
pub struct Control(Arc<Switches>);

#[derive(Debug)]
struct Switches {
    behaviour: watch::Sender<Behaviour>,
    style: watch::Sender<Style>,
    held: watch::Sender<HeldAnswers>,
}

/// What happens to answers that are ready.
#[derive(Clone, Copy, Debug, Default)]
struct HeldAnswers {
    on: bool,
    /// How many go all the same.
    free: usize,
}

impl HeldAnswers {
    fn lets_go(&self) -> bool {
        !self.on || self.free > 0
    }
}

impl Control {
    pub(super) fn new(behaviour: Behaviour, style: Style) -> Self {
        Self(Arc::new(Switches {
            behaviour: watch::Sender::new(behaviour),
            style: watch::Sender::new(style),
            held: watch::Sender::new(HeldAnswers::default()),
        }))
    }

    /// Puts something else behind the port.
    pub fn set(&self, behaviour: Behaviour) {
        self.0.behaviour.send_replace(behaviour);
    }

    /// Dresses the answers differently.
    pub fn dress(&self, style: Style) {
        self.0.style.send_replace(style);
    }

    /// Keeps every answer back until [`Control::release`]: requests are read, decided and written down.
    pub fn hold(&self) {
        self.0.held.send_modify(|held| held.on = true);
    }

    /// Lets all answers go, those kept back included.
    pub fn release(&self) {
        self.0.held.send_replace(HeldAnswers::default());
    }

    /// Lets one answer go, and keeps all after it back.
    pub fn release_one(&self) {
        self.0.held.send_modify(|held| held.free += 1);
    }

    pub(super) fn behaviour(&self) -> Behaviour {
        self.0.behaviour.borrow().clone()
    }

    pub(super) fn style(&self) -> Style {
        self.0.style.borrow().clone()
    }

    /// Ends once answers may go.
    pub(super) async fn released(&self) {
        let mut held = self.0.held.subscribe();
        // Fails only where the sender is gone, and `self` holds it.
        while held.wait_for(HeldAnswers::lets_go).await.is_ok() {
            let mut goes = false;
            self.0.held.send_if_modified(|held| {
                goes = held.lets_go();
                held.free = held.free.saturating_sub(usize::from(goes));
                false
            });
            if goes {
                return;
            }
        }
    }
}
