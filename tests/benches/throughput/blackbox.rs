//! The exporter that probes for Prometheus, as a peer.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Where Debian puts it.
pub const PROGRAM: &str = "/usr/bin/prometheus-blackbox-exporter";

/// The running exporter.
pub struct Blackbox {
    child: Child,
    /// Where it listens.
    pub address: String,
}

impl Blackbox {
    /// Starts it.
    pub fn start(home: &Path) -> Self {
        let config = home.join("blackbox.yml");
        let module = "modules:\n  any:\n    prober: http\n    timeout: 2s\n    http: {follow_redirects: false}\n";
        std::fs::write(&config, module).unwrap();
        let mut child = Command::new(PROGRAM)
            .arg("--web.listen-address=127.0.0.1:0")
            .arg(format!("--config.file={}", config.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, address) = line.split_once("msg=\"Listening on\" address=")?;
            Some(address.split_whitespace().next()?.to_owned())
        });
        let address = address.unwrap();
        // Its further talk is read and dropped.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, address }
    }
}

impl Drop for Blackbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
