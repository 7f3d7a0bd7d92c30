//! What terminals send, and what it is taken for.

use proptest::prelude::*;

use super::*;

/// The events of `bytes` and of the silence behind them, as short words.
fn heard(bytes: &[u8]) -> String {
    let mut decoder = Decoder::default();
    let mut heard = decoder.feed(bytes);
    if decoder.patience().is_some() {
        heard.extend(decoder.give_up());
    }
    assert!(decoder.left.is_empty() || decoder.patience().is_none());
    let words: Vec<_> = heard.iter().map(word).collect();
    words.join(" ")
}

fn word(heard: &TerminalInput) -> String {
    let event = match heard {
        TerminalInput::Event(event) => event,
        TerminalInput::Status => return "status".into(),
        TerminalInput::Attributes(terminal) => return format!("{terminal:?}"),
    };
    match event {
        Event::Key(key) => {
            let mut word = String::new();
            for (modifier, letter) in [
                (KeyModifiers::CONTROL, "C-"),
                (KeyModifiers::ALT, "A-"),
                (KeyModifiers::SHIFT, "S-"),
                (KeyModifiers::SUPER, "W-"),
            ] {
                if key.modifiers.contains(modifier) {
                    word += letter;
                }
            }
            let name = match key.code {
                KeyCode::Char(c) => c.to_string(),
                KeyCode::F(number) => format!("F{number}"),
                code => format!("{code:?}"),
            };
            word.push_str(&name);
            word
        }
        Event::Paste(text) => format!("paste({text})"),
        Event::Mouse(mouse) => format!("{:?}@{},{}", mouse.kind, mouse.column, mouse.row),
        other => format!("{other:?}"),
    }
}

#[test]
fn keys_are_what_terminals_send_for_them() {
    let table: &[(&[u8], &str)] = &[
        (b"q", "q"),
        (b"Q", "S-Q"),
        ("äß漢".as_bytes(), "ä ß 漢"),
        (b"\r\t\x7f", "Enter Tab Backspace"),
        (b"\x08\n\0", "C-h C-j C- "),
        (b"\x01\x1a\x1c\x1f", "C-a C-z C-4 C-7"),
        (b"\x1b", "Esc"),
        (b"\x1b\x1b", "Esc Esc"),
        (b"\x1bq\x1bQ\x1b\r\x1b\x7f", "A-q A-S-Q A-Enter A-Backspace"),
        ("\x1bß".as_bytes(), "A-ß"),
        (
            b"\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F",
            "Up Down Right Left Home End",
        ),
        (b"\x1bOA\x1bOB\x1bOH\x1bOP\x1bOS", "Up Down Home F1 F4"),
        (b"\x1b\x1b[A", "Esc Up"),
        (b"\x1b[Z", "S-BackTab"),
        (
            b"\x1b[1;5A\x1b[1;2D\x1b[1;3H\x1b[1;9B",
            "C-Up S-Left A-Home W-Down",
        ),
        (
            b"\x1b[1~\x1b[2~\x1b[3~\x1b[4~\x1b[5~\x1b[6~",
            "Home Insert Delete End PageUp PageDown",
        ),
        (b"\x1b[7~\x1b[8~\x1b[3;5~", "Home End C-Delete"),
        (
            b"\x1b[11~\x1b[15~\x1b[17~\x1b[21~\x1b[23~\x1b[24~",
            "F1 F5 F6 F10 F11 F12",
        ),
        (b"\x1b[[A\x1b[[E\x1b[P\x1b[1;2P", "F1 F5 F1 S-F1"),
        (b"\x1bOM\x1bOp\x1bOk", "Enter 0 +"),
        (
            b"\x1b[97;5u\x1b[27u\x1b[13;3u\x1b[9;2u",
            "C-a Esc A-Enter S-BackTab",
        ),
        (b"\x1b[97:65;2:1u\x1b[27;5;97~", "S-a C-a"),
        (b"\x1b[97;1:3uj\x1b[1;1:3B\x1b[3;1:3~\x1b[1;1:2B", "j Down"),
        (b"\x1bO", "A-S-O"),
        (b"\x1bOx\x1bO!", "8 A-S-O !"),
        (b"\x1b[", "A-["),
        (b"\x1bP", "A-S-P"),
        (b"\x1b]x", "A-] x"),
    ];
    for (bytes, words) in table {
        assert_eq!(heard(bytes), *words, "{}", bytes.escape_ascii());
    }
}

#[test]
fn answers_of_the_terminal_never_become_keys() {
    let answers: &[&[u8]] = &[
        b"\x1b[>41;379;0c",
        b"\x1b[52c",
        b"\x1b[?2026;2$y",
        b"\x1b[?1u",
        b"\x1b[12;40R",
        b"\x1b[3n",
        b"\x1b[?0n",
        b"\x1b[0;1n",
        b"\x1b[8;24;80t",
        b"\x1b[I\x1b[O",
        b"\x1b]11;rgb:0000/0000/0000\x1b\\",
        b"\x1b]52;c;aGVsbG8=\x07",
        b"\x1bP>|XTerm(379)\x1b\\",
        b"\x1bP1+r4d73=5c45\x1b\\",
        b"\x1b_Gi=31;OK\x1b\\",
    ];
    for answer in answers {
        let mut bytes = answer.to_vec();
        assert_eq!(heard(&bytes), "", "{}", answer.escape_ascii());
        bytes.push(b'j');
        assert_eq!(heard(&bytes), "j", "{}", answer.escape_ascii());
    }
}

/// Also where it comes in the middle of a paste, as from tmux: a password that was pasted holds none of it.
#[test]
fn its_status_is_told_and_is_no_key_either() {
    assert_eq!(heard(b"j\x1b[0nk"), "j status k");
    assert_eq!(heard(b"\x1b\x1b[0n"), "Esc status");
    assert_eq!(
        heard(b"\x1b[200~se\x1b[0ncret\x1b[201~"),
        "status paste(secret)"
    );
}

/// However it is cut, also behind an escape that was taken for the Esc key, and in the middle of a paste.
#[test]
fn its_attributes_are_told_and_are_no_keys_either() {
    assert_eq!(heard(b"j\x1b[?62;22;52ck"), "j Announces k");
    assert_eq!(heard(b"\x1b[?1;2cj"), "Silent j");
    assert_eq!(heard(b"\x1b[?cj"), "Silent j");
    assert_eq!(heard_late(&[b"\x1b", b"[?62;52cj"]), "Esc Announces j");
    let answer = b"\x1b[?62;22;52c";
    for cut in 2..answer.len() {
        let (begins, ends) = answer.split_at(cut);
        assert_eq!(heard_late(&[begins, ends, b"j"]), "Announces j", "{cut}");
    }
    let pasted = b"\x1b[200~s\x1b[me\x1b[?62;52cc\x1b[0nr\x1b[et\x1b[201~j";
    assert_eq!(heard(pasted), "Announces status paste(s\x1b[mecr\x1b[et) j");
}

#[test]
fn what_is_broken_off_swallows_no_key() {
    assert_eq!(heard(b"\x1b[12\x1b[Aq"), "Up q");
    assert_eq!(heard(b"\x1b]0;title\x1b[Aq"), "Up q");
    assert_eq!(heard(b"\x1b[1\rq"), "Enter q");
    assert_eq!(heard(b"\xff\xc3q\xe2\x82"), "q");
    assert_eq!(heard(b"\xc3\x1b[A"), "Up");
}

#[test]
fn a_paste_is_one_event_whatever_is_in_it() {
    assert_eq!(
        heard(b"a\x1b[200~x\x1b[A\r\ny\x1b[201~b"),
        "a paste(x\x1b[A\r\ny) b"
    );
    let mut decoder = Decoder::default();
    assert!(decoder.feed(b"\x1b[200~one ").is_empty());
    assert_eq!(decoder.patience(), None, "a slow line may pause");
    assert!(decoder.give_up().is_empty());
    assert!(decoder.feed(b"two\x1b[20").is_empty());
    let paste = Event::Paste("one two".into());
    assert_eq!(decoder.feed(b"1~"), [TerminalInput::Event(paste)]);
}

#[test]
fn clicks_and_the_wheel_are_heard_in_both_forms() {
    assert_eq!(
        heard(b"\x1b[<0;5;3M\x1b[<0;5;3m"),
        "Down(Left)@4,2 Up(Left)@4,2"
    );
    assert_eq!(
        heard(b"\x1b[<64;1;1M\x1b[<65;1;1M"),
        "ScrollUp@0,0 ScrollDown@0,0"
    );
    assert_eq!(heard(b"\x1b[M !!q"), "Down(Left)@0,0 q");
    assert_eq!(heard(b"\x1b[<0;0;3Mq"), "q");
}

#[test]
fn a_sequence_in_two_pieces_is_one_key() {
    for bytes in [&b"\x1b[1;5A"[..], b"\x1bOA", "漢".as_bytes(), b"\x1b[15~"] {
        for cut in 1..bytes.len() {
            let mut decoder = Decoder::default();
            let mut events = decoder.feed(&bytes[..cut]);
            assert!(events.is_empty(), "{} at {cut}", bytes.escape_ascii());
            events.extend(decoder.feed(&bytes[cut..]));
            assert_eq!(events.len(), 1, "{} at {cut}", bytes.escape_ascii());
        }
    }
}

/// The events of pieces with so much silence between them that an escape alone is the Esc key.
fn heard_late(pieces: &[&[u8]]) -> String {
    let mut decoder = Decoder::default();
    let mut heard = Vec::new();
    for piece in pieces {
        heard.extend(decoder.feed(piece));
        if decoder.patience() == Some(ESCAPE) {
            heard.extend(decoder.give_up());
        }
    }
    while decoder.patience().is_some() {
        heard.extend(decoder.give_up());
    }
    let words: Vec<_> = heard.iter().map(word).collect();
    words.join(" ")
}

#[test]
fn the_rest_of_a_sequence_behind_an_escape_that_was_a_key_acts_no_more() {
    let table: &[(&[&[u8]], &str)] = &[
        (&[b"\x1b", b"[Dj"], "Esc j"),
        (&[b"\x1b", b"OPj"], "Esc j"),
        (&[b"\x1b", b"O", b"Pj"], "Esc j"),
        (&[b"\x1b", b"[", b"1;", b"3H", b"j"], "Esc j"),
        (&[b"\x1b", b"[97;3uj"], "Esc j"),
        (&[b"\x1b", b"[<0;5;3Mj"], "Esc j"),
        (&[b"\x1b", b"]11;rgb:0000/0000/0000\x1b\\j"], "Esc j"),
        (&[b"\x1b", b"[0nj"], "Esc status j"),
        (&[b"\x1b", b"[200~dy", b"q\x1b[201~j"], "Esc paste(dyq) j"),
        // What a person types behind Esc.
        (&[b"\x1b", b"q"], "Esc q"),
        (&[b"\x1b", b"O"], "Esc S-O"),
        (&[b"\x1b", b"[::1]j"], "Esc [ : : 1 ] j"),
        (&[b"\x1b", b"P", b"j"], "Esc S-P j"),
        (&[b"\x1b", b"]x"], "Esc ] x"),
        (&[b"\x1b", b"\x1b", b"[A"], "Esc Esc"),
        (&[b"\x1b", b"\x1b[A"], "Esc Up"),
    ];
    for (pieces, words) in table {
        assert_eq!(
            heard_late(pieces),
            *words,
            "{:?}",
            pieces.concat().escape_ascii()
        );
    }
}

#[test]
fn what_comes_a_good_while_behind_an_escape_is_no_rest_of_it() {
    let mut decoder = Decoder::default();
    assert!(decoder.feed(b"\x1b").is_empty());
    assert_eq!(decoder.patience(), Some(ESCAPE));
    assert_eq!(decoder.give_up().len(), 1, "the Esc key acts at once");
    assert_eq!(decoder.patience(), Some(LATE));
    assert!(decoder.give_up().is_empty());
    assert_eq!(decoder.patience(), None, "nothing is waited for any more");
    assert_eq!(decoder.feed(b"j").len(), 1);
    let bracket = key(KeyCode::Char('['), KeyModifiers::NONE);
    assert_eq!(decoder.feed(b"["), [TerminalInput::Event(bracket)]);
}

#[test]
fn what_a_person_types_behind_an_escape_are_keys_one_by_one() {
    for first in ['O', '[', 'P', ']'] {
        let mut decoder = Decoder::default();
        assert!(decoder.feed(b"\x1b").is_empty());
        decoder.give_up();
        assert!(decoder.feed(first.to_string().as_bytes()).is_empty());
        assert_eq!(decoder.patience(), Some(SECOND), "{first} acts soon");
        assert_eq!(decoder.give_up().len(), 1, "{first}");
        assert_eq!(decoder.feed(b"j").len(), 1, "and so does what follows");
    }
}

/// However long, and however it comes.
#[test]
fn nothing_of_what_has_no_end_becomes_a_key() {
    let long = |begins: &str, length: usize, ends: &str| {
        let filled = "1;".repeat(length / 2);
        [begins.as_bytes(), filled.as_bytes(), ends.as_bytes(), b"j"].concat()
    };
    for bytes in [
        long("\x1b[?", 60, "u"),
        long("\x1b[?", 70, "c"),
        long("\x1b[<0;", 5_000, "M"),
        long("\x1b]52;c;", 60, "\x1b\\"),
        long("\x1b]52;c;", 200_000, "\x1b\\"),
        long("\x1bP1", 70_000, "\x07"),
    ] {
        for size in [1, 3, 64, 66, 4_096, bytes.len()] {
            let mut decoder = Decoder::default();
            let pieces = bytes.chunks(size);
            let events: Vec<_> = pieces.flat_map(|piece| decoder.feed(piece)).collect();
            let words: Vec<_> = events.iter().map(word).collect();
            assert_eq!(words, ["j"], "in pieces of {size}");
            assert_eq!(decoder.patience(), None);
        }
    }
    // Without an end, an answer is given up, and a sequence ends with the next letter.
    let mut decoder = Decoder::default();
    assert!(
        decoder
            .feed(&long("\x1b]52;c;", 4_000, "")[..3_000])
            .is_empty()
    );
    assert_eq!(decoder.patience(), Some(STALE));
    assert!(decoder.give_up().is_empty());
    assert_eq!(decoder.feed(b"j").len(), 1);
    assert!(decoder.feed(&long("\x1b[?", 70, "")[..68]).is_empty());
    assert_eq!(decoder.patience(), None);
    assert!(decoder.feed(b"j").is_empty());
    assert_eq!(decoder.feed(b"j").len(), 1);
}

#[test]
fn a_paste_whose_end_was_lost_ends_with_an_interrupt() {
    assert_eq!(
        heard_stalled(&[b"\x1b[200~dy\r", b"q", b"\x03", b"j"]),
        "C-c j"
    );
    let whole: &[&[u8]] = &[b"\x1b[200~d", b"\x03y", b"\x1b[201~j"];
    assert_eq!(heard_stalled(whole), "paste(d\x03y) j");
}

/// The events of pieces with more silence between them than a key needs, as where a packet was lost.
fn heard_stalled(pieces: &[&[u8]]) -> String {
    let mut decoder = Decoder::default();
    let mut heard = Vec::new();
    for piece in pieces {
        heard.extend(decoder.feed(piece));
        while decoder.patience().is_some_and(|patience| patience < STALE) {
            heard.extend(decoder.give_up());
        }
    }
    let words: Vec<_> = heard.iter().map(word).collect();
    words.join(" ")
}

#[test]
fn the_rest_of_what_a_stalled_line_has_cut_never_becomes_keys() {
    let table: &[(&[&[u8]], &str)] = &[
        (&[b"\x1b[1", b"2;40Rj"], "j"),
        (&[b"\x1b[?2026;2$", b"y", b"j"], "j"),
        (&[b"\x1b[1;5", b"Aj"], "C-Up j"),
        (&[b"\x1b[<0;5;3", b"Mj"], "Down(Left)@4,2 j"),
        (
            &[b"\x1b[20", b"0~hello\rq", b"\x1b[201~j"],
            "paste(hello\rq) j",
        ),
        (&[b"\x1b[", b"200~dy\r\x1b[201~j"], "A-[ paste(dy\r) j"),
        (&[b"\x1b", b"[200~dy\r\x1b[201~j"], "Esc paste(dy\r) j"),
        (&[b"\x1b]11;rgb", b":ffff/", b"ffff/ffff\x1b\\j"], "j"),
        (&[b"\x1bP1+r4d", b"73=5c45\x07j"], "j"),
        (&[b"\x1b[", b"Dj"], "A-[ j"),
        (&[b"\x1b[", b"D", b"j"], "A-[ j"),
        (&[b"\x1b", b"[Dj"], "Esc j"),
        (&[b"\x1b", b"]11;rgb:0/0/0\x07j"], "Esc j"),
        (&[b"\xc3", b"\xb6j"], "ö j"),
        (&[b"\xe6", b"\xbc", b"\xa2j"], "漢 j"),
        // What a person types.
        (&[b"\x1b", b"[", b"j"], "Esc [ j"),
        (&[b"\x1b", b"[::1]j"], "Esc [ : : 1 ] j"),
        (&[b"\x1b", b"P", b"j"], "Esc S-P j"),
        (&[b"\x1b", b"Oj"], "Esc S-O j"),
        (&[b"\x1b[", b"j"], "A-[ j"),
        (&[b"\x1b[", b"1", b"2"], "A-[ 1 2"),
        (&[b"\x1bO", b"j"], "A-S-O j"),
        (&[b"\x1b]11;rgb", b"\x1b[Aj"], "Up j"),
    ];
    for (pieces, words) in table {
        let shown = pieces.concat();
        assert_eq!(heard_stalled(pieces), *words, "{:?}", shown.escape_ascii());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_do_harm_and_pieces_don_t_matter(
        bytes in prop::collection::vec(
            prop_oneof![
                any::<u8>(),
                prop::sample::select(b"\x1b\x1b[O]P;019~MmuAR\\<?".to_vec()),
            ],
            0..60,
        ),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut whole = Decoder::default();
        let mut at_once = whole.feed(&bytes);
        at_once.extend(whole.give_up());
        let mut pieces = Decoder::default();
        let cut = cut.index(bytes.len() + 1);
        let mut piecemeal = pieces.feed(&bytes[..cut]);
        piecemeal.extend(pieces.feed(&bytes[cut..]));
        piecemeal.extend(pieces.give_up());
        prop_assert_eq!(at_once, piecemeal);
    }
}

/// However it is cut into pieces, its end is found, and what comes behind it are keys.
#[test]
fn a_paste_without_measure_is_kept_in_part_and_ended_all_the_same() {
    for piece in [1_000, 4_093, 300_000] {
        let mut decoder = Decoder::default();
        let flood = [PASTE_BEGINS, &vec![b'x'; 3 << 20], PASTE_ENDS, b"b"].concat();
        let mut events = Vec::new();
        for bytes in flood.chunks(piece) {
            events.extend(decoder.feed(bytes));
            assert!(decoder.left.len() <= LONGEST_PASTE + piece + 16);
        }
        let [
            TerminalInput::Event(Event::Paste(text)),
            TerminalInput::Event(Event::Key(letter)),
        ] = events.as_slice()
        else {
            panic!("{} events", events.len());
        };
        assert!(text.len() >= LONGEST_PASTE && text.bytes().all(|byte| byte == b'x'));
        assert_eq!(letter.code, KeyCode::Char('b'));
    }
}
