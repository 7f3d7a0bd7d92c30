//! The least that a program of this shape costs: a form, a list with a marker, a footer, and nothing behind them.

use std::io::{self, BufWriter, Write};

use crossterm::event::{Event, KeyCode, KeyEventKind, read};
use crossterm::{cursor, execute, terminal};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, List, ListState, Paragraph};
use ratatui::{Frame, Terminal};

const ROWS: usize = 20;

/// Runs it until `q`. `net` builds a runtime and an HTTP client first.
pub fn run(kind: &str) {
    let _kept = (kind == "net").then(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        (runtime, reqwest::Client::new())
    });
    terminal::enable_raw_mode().unwrap();
    let mut out = io::stdout();
    execute!(out, terminal::EnterAlternateScreen, cursor::Hide).unwrap();
    let buffer = BufWriter::with_capacity(1 << 16, io::stdout());
    let mut screen = Terminal::new(CrosstermBackend::new(buffer)).unwrap();
    let (mut selected, mut typed) = (0, String::new());
    let mut typing = false;
    loop {
        screen.draw(|frame| draw(frame, selected, &typed)).unwrap();
        let Event::Key(key) = read().unwrap() else {
            continue;
        };
        match key.code {
            _ if key.kind == KeyEventKind::Release => {}
            KeyCode::Char(c) if typing => typed.push(c),
            KeyCode::Char('q') => break,
            KeyCode::Char('n') => typing = true,
            KeyCode::Esc => typing = false,
            KeyCode::Char('j') => selected = (selected + 1).min(ROWS - 1),
            KeyCode::Char('k') => selected = selected.saturating_sub(1),
            _ => {}
        }
    }
    execute!(out, terminal::LeaveAlternateScreen, cursor::Show).unwrap();
    out.flush().unwrap();
    terminal::disable_raw_mode().unwrap();
}

fn draw(frame: &mut Frame<'_>, selected: usize, typed: &str) {
    let [main, foot] =
        Layout::vertical([Constraint::Min(3), Constraint::Length(1)]).areas(frame.area());
    let [form, list] =
        Layout::horizontal([Constraint::Percentage(40), Constraint::Percentage(60)]).areas(main);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let field = |name: &'static str| {
        let value = if name == "URL" { typed } else { "________" };
        Line::from(vec![
            Span::styled(format!("{name:>10}: "), bold),
            Span::raw(value.to_owned()),
        ])
    };
    let fields: Vec<_> = ["URL", "Username", "Key", "Token"].map(field).into();
    let form_of = |title| Block::bordered().title(title);
    frame.render_widget(Paragraph::new(fields).block(form_of(" Connection ")), form);
    let rows = (0..ROWS).map(|row| {
        let green = Style::new().fg(Color::Green);
        Line::from(vec![
            Span::styled("● up   ", green),
            Span::raw(format!("conn-{row:04}")),
        ])
    });
    let mut state = ListState::default().with_selected(Some(selected));
    let rows = List::new(rows)
        .block(form_of(" Connections "))
        .highlight_symbol("> ");
    frame.render_stateful_widget(rows, list, &mut state);
    frame.render_widget(Paragraph::new(format!("ready {selected}")), foot);
}
