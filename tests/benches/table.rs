//! Figures beside their goals, one a line.

use std::fmt;

/// One line of the table.
pub struct Row {
    /// The goal's number.
    pub number: &'static str,
    /// What was measured.
    pub what: String,
    figure: f64,
    beside: Option<f64>,
    goal: Goal,
    /// Whether missing the goal fails the run: what does not depend on the machine.
    pub gates: bool,
}

enum Goal {
    AtMost(f64),
    /// So many times what was measured beside it.
    Times(f64),
}

impl Row {
    /// A figure that shall be so many times the one beside it at most.
    pub fn times(
        number: &'static str,
        what: impl Into<String>,
        figure: f64,
        beside: f64,
        times: f64,
    ) -> Self {
        Self {
            beside: Some(beside),
            goal: Goal::Times(times),
            ..Self::most(number, what, figure, 0.0)
        }
    }

    /// A figure that shall be so much at most.
    pub fn most(number: &'static str, what: impl Into<String>, figure: f64, most: f64) -> Self {
        Self {
            number,
            what: what.into(),
            figure,
            beside: None,
            goal: Goal::AtMost(most),
            gates: false,
        }
    }

    /// The same, failing the run where it misses its goal.
    pub fn gate(self) -> Self {
        Self {
            gates: true,
            ..self
        }
    }

    /// Whether the goal is reached.
    fn holds(&self) -> bool {
        match self.goal {
            Goal::AtMost(most) => self.figure <= most,
            Goal::Times(times) => self
                .beside
                .is_some_and(|beside| self.figure <= beside * times),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (beside, ratio) = match self.beside {
            Some(beside) => (
                format!("{beside:.2}"),
                format!("{:.2}", self.figure / beside),
            ),
            None => (String::new(), String::new()),
        };
        let goal = match self.goal {
            Goal::AtMost(most) => format!("≤ {most}"),
            Goal::Times(times) => format!("≤ {times}×"),
        };
        let verdict = match (self.holds(), self.gates) {
            (true, _) => "holds",
            (false, true) => "MISSED",
            (false, false) => "missed, on this machine",
        };
        write!(
            f,
            "| {} | {} | {:.2} | {beside} | {ratio} | {goal} | {verdict} |",
            self.number, self.what, self.figure
        )
    }
}

/// Prints the rows; how many that gate missed their goals.
pub fn printed(rows: &[Row], beside: &str) -> usize {
    println!("| # | what | figure | {beside} | ratio | goal | |");
    println!("|---|---|---|---|---|---|---|");
    for row in rows {
        println!("{row}");
    }
    rows.iter().filter(|row| row.gates && !row.holds()).count()
}

/// The middle one.
pub fn half(values: &[f64]) -> f64 {
    part(values, 0.5)
}

/// The value at this part of the sorted ones.
pub fn part(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (part * (sorted.len().saturating_sub(1)) as f64).round();
    sorted.get(at as usize).copied().unwrap_or(0.0)
}
