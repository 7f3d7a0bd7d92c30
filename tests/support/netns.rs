//! Network namespaces: machines of their own for one test, with real links, routes and name servers that fail
//! as they are told. Made by `ip netns`, as root; removed with the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::commands::{BINARY, Done, finish};
use super::rig::readable_folder;
use super::skip;

/// A machine of its own.
pub struct Machine {
    name: String,
}

/// Two machines with a link between them: here `192.0.2.1` and `2001:db8::1`, there `192.0.2.2` and
/// `2001:db8::2`. Both have a loopback of their own, and no way out.
pub struct Link {
    /// Where the program runs.
    pub here: Machine,
    /// Where the servers are.
    pub there: Machine,
}

/// Whether namespaces can be made here; says so where not.
pub fn permitted() -> bool {
    let name = unique();
    let made = ip(&["netns", "add", &name]);
    if made {
        assert!(ip(&["netns", "del", &name]));
    } else {
        skip("network namespaces need root and iproute2 (`ip netns add`)");
    }
    made
}

fn unique() -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let number = MADE.fetch_add(1, Ordering::SeqCst);
    format!("swb{}x{number}", std::process::id())
}

fn ip(arguments: &[&str]) -> bool {
    Command::new("/usr/sbin/ip")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

impl Machine {
    /// A machine without any link: not even its loopback is up.
    pub fn alone() -> Self {
        let name = unique();
        assert!(ip(&["netns", "add", &name]), "{name}");
        Self { name }
    }

    /// What `ip netns` calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `ip` here.
    pub fn ip(&self, arguments: &[&str]) {
        let arguments = [&["-n", &self.name], arguments].concat();
        assert!(ip(&arguments), "ip {arguments:?}");
    }

    /// The kernel takes a link up some moments after it was told to, and IPv6 with it: until then its address
    /// is tentative, no route leads over it, and the resolver puts IPv4 first.
    fn wait_for_ipv6(&self, other: &str) {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let shown = Command::new("/usr/sbin/ip")
                .args(["-n", &self.name, "-6", "address", "show", "dev", "wire"])
                .output()
                .unwrap();
            let addresses = String::from_utf8_lossy(&shown.stdout).into_owned();
            let settled = addresses.contains("2001:db8::") && !addresses.contains("tentative");
            if settled && ip(&["-n", &self.name, "-6", "route", "get", other]) {
                return;
            }
            assert!(Instant::now() < until, "IPv6 never came up: {addresses}");
            std::thread::yield_now();
        }
    }

    /// Whether `program` ends well here.
    pub fn runs(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = self.command(program);
        command.args(arguments).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Puts `text` at `/etc/FILE`, for programs here alone.
    pub fn etc(&self, file: &str, text: &str) {
        fs::create_dir_all(self.folder()).unwrap();
        fs::write(self.folder().join(file), text).unwrap();
    }

    fn folder(&self) -> PathBuf {
        Path::new("/etc/netns").join(&self.name)
    }

    /// A command here.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("/usr/sbin/ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// The binary here; see [`super::commands::switchboard`].
    pub fn switchboard(&self, home: &Path, arguments: &[&str]) -> Done {
        self.switchboard_with(home, arguments, &[])
    }

    /// The same with further variables.
    pub fn switchboard_with(
        &self,
        home: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Done {
        let mut command = self.command(BINARY);
        command.args(arguments);
        finish(command, home, variables, "")
    }

    /// `probe --url` here, as JSON.
    pub fn probe(&self, url: &str, more: &[&str]) -> Done {
        let home = tempfile::tempdir().unwrap();
        let arguments = [&["probe", "--url", url, "--format", "json"], more].concat();
        self.switchboard(home.path(), &arguments)
    }

    /// nginx here, answering `{"well": true}` on `listen`. It listens once this returns.
    pub fn nginx(&self, listen: &str) -> Daemon {
        let folder = readable_folder();
        let path = folder.path().display();
        let text = format!(
            "worker_processes 1; pid {path}/nginx.pid; error_log {path}/error.log;
events {{ worker_connections 512; }}
http {{ access_log off; default_type application/json; client_body_temp_path {path}/b; proxy_temp_path {path}/p;
fastcgi_temp_path {path}/f; uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;
server {{ listen {listen}; location / {{ return 200 '{{\"well\": true}}'; }} }} }}"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, text).unwrap();
        let error_log = format!("{path}/error.log");
        let arguments = ["-c", file.to_str().unwrap(), "-e", &error_log];
        assert!(
            self.runs("/usr/sbin/nginx", &arguments),
            "nginx on {listen}"
        );
        Daemon { folder }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        ip(&["netns", "del", &self.name]);
        // Only where something was put there.
        let _ = fs::remove_dir_all(self.folder());
    }
}

/// A server that went to the background, ended when this is dropped.
pub struct Daemon {
    folder: tempfile::TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let file = self.folder.path().join("nginx.pid");
        if let Ok(number) = fs::read_to_string(file) {
            let _ = Command::new("kill").arg(number.trim()).status();
        }
    }
}

impl Link {
    /// Lays it.
    pub fn new() -> Self {
        let (here, there) = (Machine::alone(), Machine::alone());
        here.ip(&[
            "link",
            "add",
            "wire",
            "type",
            "veth",
            "peer",
            "name",
            "wire",
            "netns",
            &there.name,
        ]);
        for (machine, number) in [(&here, 1), (&there, 2)] {
            machine.ip(&["link", "set", "lo", "up"]);
            machine.ip(&[
                "address",
                "add",
                &format!("192.0.2.{number}/24"),
                "dev",
                "wire",
            ]);
            let six = format!("2001:db8::{number}/64");
            machine.ip(&["address", "add", &six, "dev", "wire", "nodad"]);
            machine.ip(&["link", "set", "wire", "up"]);
        }
        for (machine, other) in [(&here, "2001:db8::2"), (&there, "2001:db8::1")] {
            machine.wait_for_ipv6(other);
        }
        Self { here, there }
    }
}
