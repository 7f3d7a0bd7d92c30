//! The least that asking costs: bare sockets and one poll, HTTP/1.1 by hand, one thread.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::peers::Tally;

/// What is asked of one target.
struct Question {
    address: SocketAddr,
    text: String,
}

/// A question on its way.
struct Asked {
    number: usize,
    stream: TcpStream,
    sent: bool,
    answer: Vec<u8>,
}

/// All that is on its way, and what came of the rest.
struct Loop {
    poll: Poll,
    limit: Duration,
    /// As many as are asked at once.
    places: Vec<Option<Asked>>,
    free: Vec<usize>,
    /// When which question in which place has had its time, in order.
    ends: VecDeque<(Instant, usize, usize)>,
    tally: Tally,
}

/// Asks all, so many at once, each within `limit`.
pub fn run(urls: &[String], at_once: usize, limit: Duration) -> Tally {
    let questions: Vec<_> = urls.iter().map(|url| question(url)).collect();
    let mut events = Events::with_capacity(1_024);
    let mut turns = Loop {
        poll: Poll::new().unwrap(),
        limit,
        places: (0..at_once).map(|_| None).collect(),
        free: (0..at_once).collect(),
        ends: VecDeque::new(),
        tally: Tally::new(),
    };
    let mut waiting = questions.iter().enumerate().peekable();
    while waiting.peek().is_some() || turns.free.len() < at_once {
        while let Some(place) = turns.free.pop() {
            let Some((number, question)) = waiting.next() else {
                turns.free.push(place);
                break;
            };
            turns.ask(place, number, question.address);
        }
        let end = turns.ends.front().map(|(end, ..)| *end);
        let wait = end.map(|end| end.saturating_duration_since(Instant::now()));
        turns.poll.poll(&mut events, wait).unwrap();
        for event in &events {
            let place = event.token().0;
            if let Some(asked) = &mut turns.places[place]
                && let Some(outcome) =
                    asked.go_on(&questions[asked.number].text, event.is_writable())
            {
                turns.end(place, outcome);
            }
        }
        turns.give_up();
    }
    turns.tally
}

impl Loop {
    fn ask(&mut self, place: usize, number: usize, address: SocketAddr) {
        let mut stream = TcpStream::connect(address).unwrap();
        let both = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        registry.register(&mut stream, Token(place), both).unwrap();
        self.ends
            .push_back((Instant::now() + self.limit, place, number));
        self.places[place] = Some(Asked {
            number,
            stream,
            sent: false,
            answer: Vec::new(),
        });
    }

    fn end(&mut self, place: usize, outcome: String) {
        *self.tally.entry(outcome).or_default() += 1;
        self.places[place] = None;
        self.free.push(place);
    }

    /// Ends what has had its time, and forgets the times of what has ended.
    fn give_up(&mut self) {
        while let Some(&(end, place, number)) = self.ends.front() {
            let asked = self.places[place].as_ref();
            let is_there = asked.is_some_and(|asked| asked.number == number);
            if is_there && end > Instant::now() {
                return;
            }
            self.ends.pop_front();
            if is_there {
                self.end(place, "late".to_owned());
            }
        }
    }
}

fn question(url: &str) -> Question {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    Question {
        address: host.parse().unwrap(),
        text: format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
    }
}

impl Asked {
    /// Sends and takes in what can be; the outcome, where it is certain.
    fn go_on(&mut self, question: &str, writable: bool) -> Option<String> {
        if writable && !self.sent {
            if self.stream.write_all(question.as_bytes()).is_err() {
                return Some("failed".to_owned());
            }
            self.sent = true;
        }
        let mut bytes = [0; 4_096];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Some(self.status().unwrap_or("failed".to_owned())),
                Ok(length) => self.answer.extend_from_slice(&bytes[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::NotConnected => break,
                Err(_) => return Some("failed".to_owned()),
            }
            if self.is_whole() {
                break;
            }
        }
        self.is_whole().then(|| self.status()).flatten()
    }

    fn is_whole(&self) -> bool {
        let Some(head) = self
            .answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
        else {
            return false;
        };
        let text = String::from_utf8_lossy(&self.answer[..head]).to_ascii_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        // Without a length the end of the connection is the answer's.
        length
            .and_then(|length| length.trim().parse::<usize>().ok())
            .is_some_and(|length| self.answer.len() >= head + 4 + length)
    }

    fn status(&self) -> Option<String> {
        let status = self.answer.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
        Some(String::from_utf8_lossy(status).into_owned())
    }
}
