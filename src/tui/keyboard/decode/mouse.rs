//! Clicks and the wheel, in the two forms that terminals report them.

use crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::Decoded;

/// What stands behind `<`: `button;column;row` and `M` for a press, `m` for a release.
pub(super) fn clicked(text: &str, last: u8) -> Option<Event> {
    let mut numbers = text.split(';').map(|part| part.parse::<u16>().ok());
    let mut next = || numbers.next().flatten();
    let (button, column, row) = (next()?, next()?, next()?);
    let pressed = match last {
        b'M' => true,
        b'm' => false,
        _ => return None,
    };
    mouse(button, column.checked_sub(1)?, row.checked_sub(1)?, pressed)
}

/// Three bytes, each 32 more than what it means: clicks up to column and row 223.
pub(super) fn old_click(rest: &[u8]) -> Decoded {
    let [button, column, row, ..] = rest else {
        return Decoded::Partial;
    };
    let place = |byte: u8| u16::from(byte).checked_sub(33);
    let event = match (
        u16::from(*button).checked_sub(32),
        place(*column),
        place(*row),
    ) {
        (Some(button), Some(column), Some(row)) => mouse(button, column, row, button & 3 != 3),
        _ => None,
    };
    event.map_or(Decoded::Nothing(6), |event| Decoded::Event(6, event))
}

fn mouse(button: u16, column: u16, row: u16, pressed: bool) -> Option<Event> {
    let which = match button & 3 {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let wheel = [
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
        MouseEventKind::ScrollLeft,
        MouseEventKind::ScrollRight,
    ];
    let kind = match button & 0b1110_0000 {
        0b0100_0000 => wheel[usize::from(button & 3)],
        0b0010_0000 if button & 3 == 3 => MouseEventKind::Moved,
        0b0010_0000 => MouseEventKind::Drag(which),
        0 if pressed => MouseEventKind::Down(which),
        0 => MouseEventKind::Up(which),
        _ => return None,
    };
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [
        (4, KeyModifiers::SHIFT),
        (8, KeyModifiers::ALT),
        (16, KeyModifiers::CONTROL),
    ] {
        if button & bit != 0 {
            modifiers |= modifier;
        }
    }
    Some(Event::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers,
    }))
}
