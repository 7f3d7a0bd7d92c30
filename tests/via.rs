//! A second opinion through a real sshd: on loopback, and from a machine of its own whose address is dropped.
#![expect(
    clippy::unwrap_used,
    reason = "what is missing shall fail the test, and what is skipped shall be said"
)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use support::commands::{Done, switchboard};
use support::netns::{Link, permitted};
use support::rig::free_port;
use support::{not_installed, skip};
use switchboard::domain::Reason;
use switchboard::sim::{Sim, SimSettings};
use tempfile::TempDir;

/// An ssh server with a key, a client's configuration and a wrapper of ssh that uses it.
struct Ssh {
    folder: TempDir,
    server: Child,
    path: String,
}

impl Drop for Ssh {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Whether ssh and its server are here. Where the test command installed everything, they must be.
fn available() -> bool {
    let here = ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen"]
        .iter()
        .all(|program| Path::new(program).exists());
    if !here {
        not_installed("openssh-server and openssh-client");
    }
    here
}

impl Ssh {
    /// Serves on `address`; `wrap` puts the server somewhere else. Further lines go into its configuration.
    fn serve(address: &str, port: u16, more: &str, wrap: impl Fn(&str) -> Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        for key in ["host", "id"] {
            let made = Command::new("/usr/bin/ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f", &path(key)])
                .status();
            assert!(made.unwrap().success());
        }
        if rustix_root() {
            let _ = fs::create_dir_all("/run/sshd");
        }
        let server = format!(
            "ListenAddress {address}:{port}\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\n\
             PidFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n{more}\n",
            path("host"),
            path("id.pub"),
        );
        fs::write(path("sshd_config"), server).unwrap();
        let host_key = fs::read_to_string(path("host.pub")).unwrap();
        fs::write(path("known"), format!("[{address}]:{port} {host_key}")).unwrap();
        let client = format!(
            "Host far\n HostName {address}\n Port {port}\n IdentityFile {}\n IdentitiesOnly yes\n\
             UserKnownHostsFile {}\n StrictHostKeyChecking yes\n\
             Host stranger\n HostName {address}\n Port {port}\n IdentityFile {}\n IdentitiesOnly yes\n\
             UserKnownHostsFile /dev/null\n StrictHostKeyChecking yes\n",
            path("id"),
            path("known"),
            path("id"),
        );
        fs::write(path("ssh_config"), client).unwrap();
        fs::create_dir(path("bin")).unwrap();
        let wrapper = format!(
            "#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n",
            path("ssh_config")
        );
        fs::write(path("bin/ssh"), wrapper).unwrap();
        fs::set_permissions(path("bin/ssh"), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = wrap("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f", &path("sshd_config")]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut server = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let mut said = String::new();
        while !said.contains("Server listening") {
            let line = lines.next();
            said.push_str(&line.unwrap_or_else(|| panic_with(&said)).unwrap());
        }
        // A full pipe would stop it.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", path("bin"));
        Self {
            folder,
            server,
            path,
        }
    }

    fn on_loopback(more: &str) -> Self {
        Self::serve("127.0.0.1", free_port(), more, |program| {
            Command::new(program)
        })
    }

    /// `probe --url URL --via ssh:HOST`.
    fn probe(&self, url: &str, host: &str, more: &[&str]) -> Done {
        self.probe_with("", url, host, more)
    }

    /// The same with a key in a variable.
    fn probe_with(&self, key: &str, url: &str, host: &str, more: &[&str]) -> Done {
        let arguments = [&["probe", "--url", url, "--via", host][..], more].concat();
        let variables = [("PATH", self.path.as_str()), ("SIM_KEY", key)];
        switchboard(self.folder.path(), &arguments, &variables, "")
    }
}

fn panic_with(said: &str) -> ! {
    unreachable!("sshd ended: {said}")
}

fn rustix_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn json(done: &Done) -> (Value, Value) {
    let verdict = done.json();
    let via = verdict["via"].clone();
    (verdict, via)
}

#[test]
fn both_verdicts_and_their_conclusion_are_told() {
    if !available() {
        return;
    }
    let ssh = Ssh::on_loopback("");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let sim = Sim::start(SimSettings::default()).unwrap();
    let entry = sim.entry(Reason::TlsExpiring).unwrap();
    let (url, username) = (entry.url.clone().unwrap(), entry.username.clone().unwrap());
    let mut more = vec!["--service", entry.service, "--username", &username];
    more.extend(["--key-env", "SIM_KEY", "--format", "json"]);
    more.extend(entry.args.iter().map(String::as_str));
    let probe = |host: &str| ssh.probe_with(entry.key.as_deref().unwrap(), &url, host, &more);

    // TLS is end to end: the far machine hands on, and the key is accepted through it.
    let done = probe("ssh:far");
    let (here, via) = json(&done);
    assert_eq!(here["reason"], "tls-expiring");
    assert_eq!(done.code, 1);
    assert_eq!(via["verdict"]["reason"], "tls-expiring", "{via:#}");
    assert_eq!(
        (&via["host"], &via["conclusion"]),
        (&"far".into(), &"same".into())
    );
    let phases = &via["verdict"]["phases_ms"];
    for phase in ["connect", "tls", "wait", "total"] {
        assert!(phases[phase].is_number(), "{phase}: {phases}");
    }
    assert!(phases["tls"].as_f64() < phases["total"].as_f64());
    assert_eq!(here["checks"].as_array().unwrap().len(), 9);

    // A host key that nobody knows: ssh's own words, and no second opinion.
    let (_, via) = json(&probe("ssh:stranger"));
    assert_eq!(via["conclusion"], "not-asked");
    let cause = via["verdict"]["cause"].as_str().unwrap().to_owned()
        + &via["verdict"]["evidence"].to_string();
    assert!(cause.contains("Host key verification failed"), "{via:#}");
}

#[test]
fn over_plain_http_no_key_goes_there() {
    if !available() {
        return;
    }
    let ssh = Ssh::on_loopback("");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let sim = Sim::start(SimSettings::default()).unwrap();
    // On this machine plain http is no risk; on the way to another one it is.
    let entry = sim.entry(Reason::Connected).unwrap();
    let (url, username) = (entry.url.clone().unwrap(), entry.username.clone().unwrap());
    assert!(url.starts_with("http://"), "{url}");
    let more = [
        "--service",
        entry.service,
        "--username",
        &username,
        "--key-env",
        "SIM_KEY",
        "--allow-http",
        "--format",
        "json",
    ];
    let key = entry.key.as_deref().unwrap();
    let (here, via) = json(&ssh.probe_with(key, &url, "ssh:far", &more));
    assert_eq!(here["reason"], "connected", "{here:#}");
    assert_eq!(via["verdict"]["reason"], "key-withheld", "{via:#}");
    assert_eq!(via["conclusion"], "key-not-sent-there", "{via:#}");
}

#[test]
fn what_the_far_machine_meets_has_its_own_reason() {
    if !available() {
        return;
    }
    let ssh = Ssh::on_loopback("");
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let (here, via) = json(&ssh.probe(&closed, "ssh:far", &["--format", "json"]));
    assert_eq!(
        (&here["reason"], &via["verdict"]["reason"]),
        (&"refused".into(), &"refused".into())
    );
    assert_eq!(via["conclusion"], "same");

    let shut = Ssh::on_loopback("AllowTcpForwarding no");
    let (_, via) = json(&shut.probe(&closed, "ssh:far", &["--format", "json"]));
    assert_eq!(via["conclusion"], "not-asked");
    let text = via["verdict"].to_string();
    assert!(text.contains("AllowTcpForwarding"), "{text}");

    let done = ssh.probe(&closed, "ssh:-oProxyCommand=id", &[]);
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("must not start with a dash"), "{done:?}");
}

#[test]
fn a_machine_whose_address_is_dropped_says_so() {
    if !available() || !permitted() {
        return;
    }
    let link = Link::new();
    let _nginx = link.there.nginx("192.0.2.2:8080");
    let rules = "add table inet wall; add chain inet wall in { type filter hook input priority 0; }; \
                 add rule inet wall in ip saddr 192.0.2.1 tcp dport 8080 drop";
    if !link.there.runs("/usr/sbin/nft", &[rules]) {
        skip("a DROP rule needs nftables");
        return;
    }
    let ssh = Ssh::serve("192.0.2.2", 2222, "", |program| link.there.command(program));
    let probe = |format: &str| {
        let arguments = [
            "probe",
            "--url",
            "http://192.0.2.2:8080",
            "--via",
            "ssh:far",
            "--timeout",
            "4s",
            "--format",
            format,
        ];
        let variables = [("PATH", ssh.path.as_str())];
        link.here
            .switchboard_with(ssh.folder.path(), &arguments, &variables)
    };
    let done = probe("json");
    let (here, via) = json(&done);
    assert_eq!((&here["reason"], done.code), (&"connect-timeout".into(), 2));
    assert_eq!(via["verdict"]["reason"], "connected", "{via:#}");
    assert_eq!(via["conclusion"], "address-filtered");

    let text = probe("human").out;
    assert!(text.contains("from here"), "{text}");
    assert!(text.contains("Your address is filtered"), "{text}");
    let plugin = probe("nagios").out;
    assert!(
        plugin.contains("address-filtered as far sees it"),
        "{plugin}"
    );
}

/// A server that takes a connection and says nothing is known there too: the far connection stood.
#[test]
fn a_silent_server_is_silent_from_there_too() {
    if !available() {
        return;
    }
    let ssh = Ssh::on_loopback("");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    std::thread::spawn(move || {
        let held: Vec<_> = silent.incoming().take(4).map_while(Result::ok).collect();
        for mut stream in held {
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.flush();
        }
    });
    let more = ["--timeout", "3s", "--format", "json"];
    let (here, via) = json(&ssh.probe(&url, "ssh:far", &more));
    let reasons = (&here["reason"], &via["verdict"]["reason"]);
    assert_eq!(
        reasons,
        (&"response-timeout".into(), &"response-timeout".into()),
        "{via:#}"
    );
}
