//! Prometheus' text format: families of samples with their help, labels escaped.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>, version 0.0.4.

use std::fmt::Write;

/// The content type of the format.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Metrics as text, in the order they are told.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Goes up and down.
    Gauge,
    /// Goes up only.
    Counter,
    /// Sum and number of what was observed.
    Summary,
}

impl Exposition {
    /// A family of one sample without labels.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.family(name, help, Kind::Gauge);
        self.sample(name, &[], value);
    }

    /// Begins a family; its samples follow.
    pub(super) fn family(&mut self, name: &str, help: &str, kind: Kind) {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Summary => "summary",
        };
        // Writing to a text can't fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A sample of the family begun last.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{open}{label}=\"{}\"", escaped(text));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{close} {value}");
    }

    /// The whole text.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stand_below_their_family_with_labels_escaped() {
        let mut text = Exposition::default();
        text.gauge("up", "Whether.", 1.0);
        text.family("seen_total", "How often.", Kind::Counter);
        text.sample("seen_total", &[("by", "a\"\\\n"), ("of", "b")], 0.25);
        assert_eq!(
            text.into_text(),
            "# HELP up Whether.\n# TYPE up gauge\nup 1\n\
             # HELP seen_total How often.\n# TYPE seen_total counter\n\
             seen_total{by=\"a\\\"\\\\\\n\",of=\"b\"} 0.25\n"
        );
    }
}
