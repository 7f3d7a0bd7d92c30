//! What is on its way to the terminal, and when that is too much.
//!
//! A pseudo-terminal takes 64 KB without a word, an SSH server megabytes. Over a slow line frames wait there that
//! are old when they are seen: a key held for a second was followed by eight seconds of rows that went by. So
//! behind a burst the terminal is asked for its status (DSR 5 of ECMA-48, which every terminal since the VT100
//! answers, and tmux, screen and mosh for themselves), and its answer tells that it has taken in what stood before.
//! Nobody waits for the answer but the next frame, and that only where the terminal has answered before: it is left
//! out while too much is on its way, and the next one holds all that happened meanwhile.
//!
//! Where an answer is long in coming the line stands, or the answer was lost: then one more frame is drawn, and the next
//! one after twice the time, however much happens; whoever types sees something, and is shown what came of it.
//!
//! Keys and answers come in the order in which they were typed and given. So a question that was drawn before the
//! terminal was asked has been seen once it has answered, and a key that came before that was typed for something else.
//!
//! Of a terminal that answers nothing it is not known whether the line is slow. It is given a moment for each frame
//! behind a burst, too short to be noticed where it is fast.

use std::time::Duration;

use tokio::time::Instant;

/// Asks for the terminal's status.
pub const QUESTION: &[u8] = b"\x1b[5n";
/// Asks for the terminal's attributes (DA1), among which some tell that they take a clipboard.
pub const ATTRIBUTES_QUESTION: &[u8] = b"\x1b[c";

/// So much is a burst. Less is written over a line of 2,400 bytes/s in less than half a second.
const BURST: usize = 1024;
/// So much in small pieces, since the terminal was asked last, is one too: by then something should have arrived.
const MUCH: usize = 16 * 1024;
/// No line is taken to need longer for a byte (9,600 bits/s): what was written longer ago has arrived.
const A_BYTE: Duration = Duration::from_micros(1_042);
/// So much may be on its way at the start, and at most.
const WINDOW: usize = 4 * 1024;
const WIDEST: usize = 64 * 1024;
/// An answer that comes sooner lets more be on its way; one that comes later, less.
const SOON: Duration = Duration::from_millis(200);
const LATE: Duration = Duration::from_millis(500);
/// What a terminal that answers nothing is given for each byte of the last frame (9,600 bytes/s), behind so much that a
/// slow line would still be at it.
const BLIND_BYTE: Duration = Duration::from_micros(104);
/// But no longer than this, however large the frame was.
const BLIND_AT_MOST: Duration = Duration::from_millis(200);
/// An answer is waited for so long, and as long as the slowest line takes for what stands before the question.
const PATIENCE: Duration = Duration::from_secs(2);
/// But no longer than this.
const LONGEST: Duration = Duration::from_secs(8);
/// What an answer is waited for is doubled so often: 64 seconds.
const MOST_PATIENT: u32 = 3;
/// How long the end waits for a terminal of which it is not known whether it answers, counted from the question: a way
/// by satellite and back.
const LAST_UNKNOWN: Duration = Duration::from_millis(1_500);
/// And for one that does, counted from the end.
const LAST_KNOWN: Duration = Duration::from_secs(2);
/// Both with what the slowest line takes for what stands before the question, as at the end of a program that was only
/// just begun; at most so long.
const LAST_AT_MOST: Duration = LONGEST;

/// What is known of a terminal's answers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Answers {
    #[default]
    Unknown,
    Come,
    /// It answers nothing: it is not asked again.
    Never,
}

/// What was asked and not answered yet.
#[derive(Clone, Copy, Debug)]
struct PendingQuery {
    at: Instant,
    /// What the slowest line takes for the bytes before the question.
    takes: Duration,
    /// Bytes written behind the question.
    behind: usize,
    /// The number of the question: answers come in the order of the questions.
    number: u32,
    /// How often the answer of the one before was given up: each time it is waited for twice as long.
    patience: u32,
    /// Whether an answer to one before it has come since.
    overtaken: bool,
}

impl PendingQuery {
    /// When its answer is given up.
    fn until(self) -> Instant {
        self.at + (PATIENCE + self.takes).min(LONGEST) * 2_u32.pow(self.patience)
    }
}

/// The bytes between the program and what a person sees.
#[derive(Debug)]
pub struct Flow {
    answers: Answers,
    asked: Option<PendingQuery>,
    /// What no frame waits for any more. Its answer may come all the same.
    let_go: Option<PendingQuery>,
    /// Its attributes were asked for. No frame waits for them, but the end does.
    attributes: Option<PendingQuery>,
    /// Bytes of which it is not known whether they have arrived.
    on_the_way: usize,
    /// Bytes written since the terminal was asked.
    unasked: usize,
    /// When the last of them were written.
    written: Option<Instant>,
    /// How many those were.
    last: usize,
    /// How many of them may be on their way when a frame is drawn.
    window: usize,
    /// Whether a frame was left out.
    owed: bool,
    /// Questions for the status that were written, and answers to them that came or are lost.
    questions: u32,
    heard: u32,
    /// How many answers were given up since the last one came.
    given_up: u32,
    /// What is to be seen, and the question behind it.
    sight: Option<(u32, u32)>,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            answers: Answers::Unknown,
            asked: None,
            let_go: None,
            attributes: None,
            on_the_way: 0,
            unasked: 0,
            written: None,
            last: 0,
            window: WINDOW,
            owed: false,
            questions: 0,
            heard: 0,
            given_up: 0,
            sight: None,
        }
    }
}

impl Flow {
    /// So many bytes were written.
    pub fn wrote(&mut self, bytes: usize) {
        let now = Instant::now();
        match (&mut self.asked, self.written) {
            (Some(asked), _) => asked.behind += bytes,
            // Where an answer was given up, nothing is taken to have arrived.
            (None, Some(written)) if self.given_up == 0 => {
                let arrived = (now - written).as_nanos() / A_BYTE.as_nanos();
                let arrived = usize::try_from(arrived).unwrap_or(usize::MAX);
                self.on_the_way = self.on_the_way.saturating_sub(arrived);
            }
            (None, _) => {}
        }
        self.on_the_way += bytes;
        self.unasked += bytes;
        self.written = Some(now);
        self.last = bytes;
    }

    /// Whether the terminal is to be asked now, behind all that was written: then it has to be.
    pub fn asks(&mut self) -> bool {
        let is_burst = self.on_the_way > BURST || self.unasked > MUCH;
        let asks = self.asked.is_none() && is_burst && self.answers != Answers::Never;
        if asks {
            self.ask();
        }
        asks
    }

    /// Whether the terminal is to be asked now, behind all that was written, so that it is known when the frame with
    /// the number `what` was seen: then it has to be.
    pub fn asks_for(&mut self, what: u32) -> bool {
        let asks = self.answers != Answers::Never && self.sight.is_none_or(|(one, _)| one != what);
        if asks {
            self.ask();
            self.sight = Some((what, self.questions));
        }
        asks
    }

    /// Whether it is not known yet that what was asked for last has been seen.
    pub fn awaits_sight(&self) -> bool {
        self.sight.is_some()
    }

    /// The number of the frame that was asked for, where it has been seen by now; told once.
    pub fn has_been_seen(&mut self) -> Option<u32> {
        let heard = self.heard;
        let seen = self.sight.take_if(|(_, number)| *number <= heard);
        seen.map(|(what, _)| what)
    }

    fn ask(&mut self) {
        self.questions += 1;
        self.unasked = 0;
        let query = self.query();
        // It is given up as early as the one that was not answered either: else somebody who presses on would put it off.
        let before = self.asked.map(|before| (before.at, before.overtaken));
        let (at, overtaken) = before.unwrap_or((query.at, false));
        self.asked = Some(PendingQuery {
            at,
            overtaken,
            ..query
        });
    }

    /// Somebody has typed, and so sees something: a line that seemed to stand is not waited for. Where as much is on its
    /// way as at most may be, it is given the time that the slowest one takes for a frame.
    pub fn typed(&mut self) {
        let last = u32::try_from(self.last).unwrap_or(u32::MAX);
        let takes = A_BYTE.saturating_mul(last);
        let has_passed = self.written.is_none_or(|at| at.elapsed() > takes);
        if self.given_up > 0 && (self.on_the_way < WIDEST || has_passed) {
            self.let_go = self.asked.take().or(self.let_go);
        }
    }

    /// The terminal is asked for its attributes, behind all that was written.
    pub fn asks_attributes(&mut self) {
        self.attributes = Some(self.query());
    }

    /// Its attributes have come.
    pub fn told_attributes(&mut self) {
        self.attributes = None;
    }

    fn query(&self) -> PendingQuery {
        let bytes = u32::try_from(self.on_the_way).unwrap_or(u32::MAX);
        PendingQuery {
            at: Instant::now(),
            takes: A_BYTE.saturating_mul(bytes),
            behind: 0,
            number: self.questions,
            patience: self.given_up.min(MOST_PATIENT),
            overtaken: false,
        }
    }

    /// Whether a frame is left out now, for too much is on its way.
    pub fn is_full(&mut self) -> bool {
        if self.until().is_some_and(|until| until <= Instant::now()) {
            self.give_up();
        }
        self.owed = match self.answers {
            Answers::Come => self.asked.is_some() && self.on_the_way >= self.window,
            Answers::Never => self.blindly().is_some_and(|at| at > Instant::now()),
            Answers::Unknown => false,
        };
        self.owed
    }

    /// The terminal has answered; whether a frame waits for that.
    pub fn answered(&mut self) -> bool {
        self.answers = Answers::Come;
        self.given_up = 0;
        self.heard = (self.heard + 1).min(self.questions);
        let heard = self.heard;
        self.let_go.take_if(|asked| asked.number <= heard);
        if let Some(asked) = &mut self.asked {
            asked.overtaken = true;
        }
        if let Some(asked) = self.asked.take_if(|asked| asked.number <= heard) {
            let taken = asked.at.elapsed();
            if taken < SOON {
                self.window = (self.window * 2).min(WIDEST);
            } else if taken > LATE {
                self.window = (self.window / 2).max(BURST);
            }
            self.on_the_way = asked.behind;
        }
        self.asked.is_none() && std::mem::take(&mut self.owed)
    }

    /// Ends when a frame that was left out is drawn without an answer; never where none was.
    pub async fn given_up(&self) {
        let until = match self.answers {
            Answers::Never => self.blindly(),
            Answers::Come | Answers::Unknown => self.until(),
        };
        match until {
            Some(until) if self.owed => tokio::time::sleep_until(until).await,
            _ => std::future::pending().await,
        }
    }

    /// Until when the end waits for an answer that would else be taken for keys by whoever reads next; nothing
    /// where none is to come.
    pub fn last(&self) -> Option<Instant> {
        let now = Instant::now();
        let last = |asked: PendingQuery| match self.answers {
            Answers::Come => now + (LAST_KNOWN + asked.takes).min(LAST_AT_MOST),
            Answers::Unknown | Answers::Never => {
                asked.at + (LAST_UNKNOWN + asked.takes).min(LAST_AT_MOST)
            }
        };
        // One that answers for its status need not tell what it is.
        let attributes = self.attributes.map(|asked| last(asked).min(asked.until()));
        let coming = attributes.filter(|until| *until > now);
        self.asked.or(self.let_go).map(last).max(coming)
    }

    /// When the next frame is drawn that follows a burst without an answer.
    fn blindly(&self) -> Option<Instant> {
        let last = u32::try_from(self.last).unwrap_or(u32::MAX);
        let takes = BLIND_BYTE.saturating_mul(last).min(BLIND_AT_MOST);
        let written = self.written.filter(|_| self.on_the_way > WINDOW);
        written.map(|written| written + takes)
    }

    fn until(&self) -> Option<Instant> {
        self.asked.map(PendingQuery::until)
    }

    /// An answer was lost, the line stands, or the terminal gives none. What was to be seen is asked for anew: an answer
    /// that comes after all must not pass for that of a question behind it.
    fn give_up(&mut self) {
        let asked = self.asked.take();
        if self.answers == Answers::Come {
            self.given_up += 1;
            self.let_go = asked;
            if asked.is_some_and(|asked| asked.overtaken) {
                // The line moves, and what was asked last has no answer: so many are lost.
                self.heard = self.questions;
            }
        } else {
            self.answers = Answers::Never;
            self.on_the_way = 0;
            self.heard = self.questions;
        }
        self.sight = None;
        self.owed = false;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// A row with another response.
    const FRAME: u32 = 620;

    /// A terminal at the end of a line.
    struct Line {
        flow: Flow,
        /// What it needs for a byte.
        a_byte: Duration,
        trip: Duration,
        answers: bool,
        /// When all that was written has arrived.
        free: Instant,
        coming: VecDeque<Instant>,
        asked: usize,
        /// The frames that were drawn, and when each is seen.
        seen: Vec<(usize, Instant)>,
        /// Bytes of each but the first.
        frame: u32,
    }

    impl Line {
        fn new(rate: u32, trip: Duration) -> Self {
            Self {
                flow: Flow::default(),
                a_byte: Duration::from_secs(1) / rate,
                trip,
                answers: true,
                free: Instant::now(),
                coming: VecDeque::new(),
                asked: 0,
                seen: Vec::new(),
                frame: FRAME,
            }
        }

        /// Draws a frame, if it may be drawn.
        fn draw(&mut self, frame: usize, bytes: u32) {
            if self.flow.is_full() {
                return;
            }
            self.free = self.free.max(Instant::now()) + self.a_byte * bytes;
            self.seen.push((frame, self.free + self.trip / 2));
            self.flow.wrote(usize::try_from(bytes).unwrap());
            if self.flow.asks() {
                self.asked += 1;
                if self.answers {
                    self.coming.push_back(self.free + self.trip);
                }
            }
        }

        /// Lets time pass; a frame that was left out is drawn when it may be.
        async fn rest(&mut self, until: Instant, frame: usize) {
            loop {
                let answer = self.coming.front().copied();
                let next = answer.filter(|at| *at <= until).unwrap_or(until);
                let given_up = tokio::time::timeout_at(next, self.flow.given_up()).await;
                if given_up.is_ok() {
                    self.draw(frame, self.frame);
                } else if next == until && answer != Some(until) {
                    return;
                } else {
                    self.coming.pop_front();
                    if self.flow.answered() {
                        self.draw(frame, self.frame);
                    }
                }
            }
        }

        /// A first screen, then a key held for a second; how long after the last one it is seen.
        async fn held(&mut self) -> Duration {
            self.draw(0, 4_800);
            self.rest(Instant::now() + Duration::from_secs(10), 0).await;
            let mut last = Instant::now();
            for frame in 1..=30 {
                last = Instant::now();
                self.draw(frame, self.frame);
                self.rest(last + Duration::from_millis(33), frame).await;
            }
            self.rest(last + Duration::from_secs(60), 30).await;
            let (frame, seen) = *self.seen.last().unwrap();
            assert_eq!(frame, 30, "the last one is drawn");
            seen - last
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_held_over_a_slow_line_is_followed_by_no_old_rows() {
        let mut line = Line::new(2_400, Duration::from_millis(100));
        let behind = line.held().await;
        assert!(behind < Duration::from_millis(1_200), "{behind:?}");
        assert!(line.seen.len() > 4, "it moves all the same");
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_is_long_and_not_slow_shows_every_frame() {
        for trip in [1, 150] {
            let mut line = Line::new(1_000_000, Duration::from_millis(trip));
            line.held().await;
            assert_eq!(line.seen.len(), 31, "{trip} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_terminal_that_answers_nothing_is_asked_once_and_hardly_delayed() {
        for frame in [80, 250, FRAME, 1_400, 9_000] {
            let mut line = Line::new(1_000_000, Duration::ZERO);
            (line.answers, line.frame) = (false, frame);
            let behind = line.held().await;
            assert!(
                behind <= BLIND_AT_MOST + Duration::from_millis(20),
                "{behind:?}"
            );
            let whole = frame < 300;
            assert_eq!(line.seen.len() == 31, whole, "{frame}: {}", line.seen.len());
            assert_eq!(line.asked, 1);
            assert!(line.flow.last().is_none(), "nothing is waited for");
            let rests = tokio::time::timeout(Duration::from_secs(3_600), line.flow.given_up());
            assert!(rests.await.is_err(), "nothing is owed");
            // One key at a time is shown at once.
            let seen = line.seen.len();
            for key in 0..20 {
                line.draw(key, frame);
                line.rest(Instant::now() + BLIND_AT_MOST, key).await;
            }
            assert_eq!(line.seen.len(), seen + 20, "{frame}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn over_a_slow_line_that_answers_nothing_most_old_frames_are_left_out() {
        let mut line = Line::new(1_200, Duration::ZERO);
        (line.answers, line.frame) = (false, 1_400);
        let behind = line.held().await;
        assert!(behind < Duration::from_secs(13), "{behind:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_lost_holds_the_screen_for_a_while_only() {
        let mut line = Line::new(2_400, Duration::ZERO);
        line.held().await;
        line.answers = false;
        line.draw(0, 4_800);
        line.answers = true;
        let (drawn, asked) = (line.seen.len(), line.asked);
        line.draw(1, FRAME);
        line.rest(Instant::now() + Duration::from_secs(5), 1).await;
        assert_eq!(line.seen.len(), drawn, "it may still come");
        line.rest(Instant::now() + Duration::from_secs(5), 1).await;
        assert_eq!(line.seen.len(), drawn + 1);
        line.held().await;
        assert!(line.asked > asked, "it is asked again");
        assert_eq!(line.flow.answers, Answers::Come);
    }

    /// What is written behind the question, a copy or the bell, puts nothing off.
    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_holds_no_longer_for_all_that_is_written_meanwhile() {
        let mut line = Line::new(1_000_000, Duration::from_millis(1));
        for frame in 0..100 {
            line.draw(frame, 4_800);
            line.rest(Instant::now() + Duration::from_millis(50), frame)
                .await;
        }
        line.answers = false;
        let began = Instant::now();
        while !line.flow.is_full() {
            line.draw(0, 4_800);
        }
        line.answers = true;
        let drawn = line.seen.len();
        while line.seen.len() == drawn {
            line.flow.wrote(1_000);
            line.rest(Instant::now() + Duration::from_secs(1), 1).await;
            assert!(began.elapsed() < Duration::from_secs(10));
        }
    }

    /// Half a minute in which much happens and nothing arrives.
    #[tokio::test(start_paused = true)]
    async fn a_line_that_stands_gets_hardly_a_frame_and_the_newest_then() {
        let mut line = Line::new(960, Duration::from_millis(600));
        line.held().await;
        let (before, asked) = (line.seen.len(), line.asked);
        let goes_on = Instant::now() + Duration::from_secs(30);
        line.free = goes_on;
        for frame in 0..300 {
            line.draw(frame, FRAME);
            let next = Instant::now() + Duration::from_millis(100);
            line.rest(next, frame).await;
        }
        // What fits into the window, then one at 8 and one at 24 seconds.
        let drawn = line.seen.len() - before;
        assert!((2..=8).contains(&drawn), "{drawn}");
        assert!(line.asked > asked);
        let newest = Instant::now();
        line.draw(300, FRAME);
        line.rest(newest + Duration::from_secs(60), 300).await;
        let (frame, seen) = *line.seen.last().unwrap();
        assert_eq!(frame, 300);
        assert!(
            seen - goes_on < Duration::from_secs(8),
            "{:?}",
            seen - goes_on
        );
        // Whoever types there is shown what came of it.
        line.free = Instant::now() + Duration::from_secs(3_600);
        let until = Instant::now() + Duration::from_secs(600);
        while Instant::now() < until {
            line.draw(301, FRAME);
            line.rest(Instant::now() + Duration::from_secs(1), 301)
                .await;
        }
        let drawn = line.seen.len();
        assert!(line.flow.is_full(), "{:?} {drawn}", line.flow);
        line.flow.typed();
        line.draw(302, FRAME);
        assert_eq!(line.seen.len(), drawn + 1);
    }

    /// The answers come in the order of the questions; the first one is not for the frame with what is to be seen.
    #[test]
    fn what_is_to_be_seen_has_been_once_the_question_behind_it_is_answered() {
        let mut flow = Flow::default();
        flow.wrote(5_000);
        assert!(flow.asks());
        flow.answered();
        flow.wrote(2_000);
        assert!(flow.asks());
        flow.wrote(300);
        assert!(flow.asks_for(1));
        flow.wrote(20);
        assert!(!flow.asks_for(1), "one answer tells it");
        flow.answered();
        assert_eq!(flow.has_been_seen(), None);
        assert!(flow.awaits_sight());
        assert!(flow.last().is_some(), "one is still to come");
        flow.answered();
        assert_eq!(flow.has_been_seen(), Some(1));
        assert!(!flow.awaits_sight());
        assert_eq!(flow.last(), None);
        flow.wrote(300);
        assert!(flow.asks_for(2), "another one");
    }

    /// What was given up comes after all, and is no answer to a question behind it.
    #[tokio::test(start_paused = true)]
    async fn a_late_answer_is_not_that_of_a_later_question() {
        let mut flow = Flow::default();
        flow.wrote(300);
        assert!(flow.asks_for(1));
        flow.answered();
        assert_eq!(flow.has_been_seen(), Some(1));
        assert!(flow.asks_for(2));
        tokio::time::advance(LONGEST).await;
        assert!(!flow.is_full(), "it is given up");
        assert!(flow.asks_for(2), "and asked for anew");
        assert!(flow.asks_for(3));
        for _ in 0..2 {
            flow.answered();
            assert_eq!(flow.has_been_seen(), None);
        }
        assert!(flow.last().is_some(), "one is still to come");
        flow.answered();
        assert_eq!(flow.has_been_seen(), Some(3));
        assert_eq!(flow.last(), None);
        // One that is lost for good puts off what is behind it, and not for ever.
        assert!(flow.asks_for(4));
        tokio::time::advance(LONGEST).await;
        assert!(!flow.is_full());
        assert!(flow.asks_for(4));
        flow.answered();
        assert_eq!(flow.has_been_seen(), None);
        tokio::time::advance(LONGEST).await;
        assert!(!flow.is_full());
        assert!(flow.asks_for(4));
        flow.answered();
        assert_eq!(flow.has_been_seen(), Some(4));
    }

    /// Somebody who presses and presses sees nothing of it: what comes of it would be seen for minutes afterwards.
    #[tokio::test(start_paused = true)]
    async fn on_a_line_that_stands_typing_draws_no_more_than_a_line_takes() {
        let mut line = Line::new(2_400, Duration::ZERO);
        line.held().await;
        line.free = Instant::now() + Duration::from_secs(3_600);
        line.draw(0, 4_800);
        line.rest(Instant::now() + LONGEST, 0).await;
        let before = line.seen.len();
        for key in 0..200 {
            line.flow.typed();
            line.draw(key, 2_800);
            line.rest(Instant::now() + Duration::from_millis(60), key)
                .await;
        }
        let drawn = line.seen.len() - before;
        let window = WIDEST / 2_800;
        assert!((window - 4..=window + 6).contains(&drawn), "{drawn}");
        // The end waits for what it may still answer.
        line.flow.typed();
        assert!(line.flow.last().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_terminal_that_answers_nothing_no_sight_is_awaited() {
        let mut flow = Flow::default();
        flow.wrote(300);
        for again in 1..=4 {
            assert!(flow.asks_for(again) && flow.awaits_sight(), "{again}");
            tokio::time::advance(LONGEST / 4).await;
        }
        assert!(!flow.is_full() && !flow.awaits_sight());
        assert!(!flow.asks_for(5));
    }

    #[tokio::test(start_paused = true)]
    async fn few_bytes_now_and_then_ask_nothing() {
        let mut line = Line::new(2_400, Duration::ZERO);
        for frame in 0..100 {
            line.draw(frame, 100);
            line.rest(Instant::now() + Duration::from_millis(100), frame)
                .await;
        }
        assert_eq!(line.asked, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_an_answer_that_is_on_its_way() {
        let mut line = Line::new(2_400, Duration::ZERO);
        assert!(line.flow.last().is_none());
        line.draw(0, 4_800);
        let unknown = line.flow.last().unwrap() - Instant::now();
        assert_eq!(unknown, LAST_UNKNOWN + A_BYTE * 4_800);
        line.rest(Instant::now() + Duration::from_secs(10), 0).await;
        assert!(line.flow.last().is_none(), "it has come");
        line.draw(1, 4_800);
        let known = line.flow.last().unwrap() - Instant::now();
        assert_eq!(known, LAST_KNOWN + A_BYTE * 4_800);
    }

    /// Its first picture is still being written when it is ended: the answer behind that is not left to the shell.
    #[tokio::test(start_paused = true)]
    async fn an_end_soon_after_the_start_waits_for_the_first_answer() {
        for (bytes, trip) in [(4_800, 200), (1_100, 300)] {
            let mut line = Line::new(2_400, Duration::from_millis(trip));
            line.draw(0, bytes);
            let comes = *line.coming.front().unwrap();
            assert!(line.flow.last().unwrap() > comes, "{bytes} bytes");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_attributes_too_but_not_for_those_that_never_come() {
        let mut flow = Flow::default();
        flow.asks_attributes();
        assert_eq!(flow.last().unwrap() - Instant::now(), LAST_UNKNOWN);
        flow.told_attributes();
        assert_eq!(flow.last(), None, "they have come");
        flow.asks_attributes();
        assert!(!flow.answered() && !flow.is_full(), "no frame waits");
        assert_eq!(flow.last().unwrap() - Instant::now(), LAST_KNOWN);
        tokio::time::advance(PATIENCE).await;
        assert_eq!(flow.last(), None, "they are given up");
    }
}
