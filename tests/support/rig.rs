//! Real servers for diagnosis: Apache with php-cgi, nginx, openssl, each on free ports, with its own files, and
//! ended with the test.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The API user that every installation of the rig knows.
pub const USER: &str = "rig-api";
/// Its key: it opens nothing but the rig.
pub const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Whether the rig can run here. Where the test command installed everything, it must.
pub fn available() -> bool {
    let needed = [
        "/usr/sbin/apache2",
        "/usr/bin/php-cgi",
        "/usr/sbin/nginx",
        "/usr/bin/openssl",
    ];
    let missing: Vec<_> = needed
        .iter()
        .filter(|path| !Path::new(path).exists())
        .collect();
    if !missing.is_empty() {
        super::not_installed(&format!("{missing:?}"));
    }
    missing.is_empty()
}

/// A free port, given out once in this process.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if GIVEN.lock().unwrap().insert(port) {
            return port;
        }
    }
}

/// Whether somebody on this machine listens on `port`. The kernel is asked, not the port: a connection to a
/// free port of the ephemeral range can be answered by itself, and would take the port away.
fn listens(port: u16) -> bool {
    let sockets = fs::read_to_string("/proc/net/tcp").unwrap();
    let here = format!(":{port:04X}");
    sockets.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let local = fields.next().unwrap_or_default();
        local.ends_with(&here) && fields.nth(1) == Some("0A")
    })
}

/// A server process, ended when it is dropped.
pub struct Server(Child);

impl Server {
    /// Starts `program`; ready once all of `ports` take connections.
    pub fn start(program: &str, arguments: &[&str], ports: &[u16]) -> Self {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = Self(command.spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(60);
        for port in ports {
            while !listens(*port) {
                assert!(
                    server.0.try_wait().unwrap().is_none(),
                    "{program} {arguments:?} ended"
                );
                assert!(
                    Instant::now() < until,
                    "{program} does not listen on {port}"
                );
                std::thread::yield_now();
            }
            assert!(
                server.0.try_wait().unwrap().is_none(),
                "{program} {arguments:?} ended"
            );
        }
        server
    }
}

/// A bare TLS server of openssl.
pub struct TlsServer {
    port: u16,
    _server: Server,
}

impl TlsServer {
    /// Its URL.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}

impl Server {
    /// Starts `openssl s_server` with this certificate and key, and further arguments.
    pub fn tls((certificate, key): &(PathBuf, PathBuf), more: &[&str]) -> TlsServer {
        let port = free_port();
        let at = format!("127.0.0.1:{port}");
        let mut arguments = vec!["s_server", "-quiet", "-accept", &at, "-cert"];
        arguments.extend([certificate.to_str().unwrap(), "-key", key.to_str().unwrap()]);
        arguments.extend(more);
        TlsServer {
            port,
            _server: Self::start("/usr/bin/openssl", &arguments, &[port]),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Apache with php-cgi as real CGI: `Authorization` does not reach PHP unless `.htaccess` says so.
pub struct Apache {
    /// Its port.
    pub port: u16,
    folder: tempfile::TempDir,
    _server: Server,
}

const MOODS: &str = "SetEnv BLESTA_USER rig-api
SetEnv BLESTA_KEY 0123456789abcdef0123456789abcdef
SetEnv BLESTA_HOST 127.0.0.1
";
const REWRITE: &str = "RewriteEngine on
RewriteCond %{REQUEST_FILENAME} !-f
RewriteRule ^ index.php [L]
";
const CURE: &str = "RewriteEngine on
RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]
RewriteCond %{REQUEST_FILENAME} !-f
RewriteRule ^ index.php [L]
";

/// What the remedy of `server-password` says for an installation at `path`, word for word.
pub fn lifted(path: &str) -> String {
    format!(
        "SetEnvIf Request_URI \"^{path}/(index\\.php/)?api/\" open
SetEnvIf REDIRECT_open 1 open
<RequireAny>
    Require env open
    Require valid-user
</RequireAny>"
    )
}

/// The installations of the rig: folder and `.htaccess`.
fn installations(port: u16) -> Vec<(&'static str, String)> {
    let with = |extra: &str| format!("{MOODS}{extra}{CURE}");
    let password = "AuthType Basic\nAuthName staging\nAuthUserFile {folder}/htpasswd\n";
    let lock = |rule: &str| format!("{password}{rule}\n{}", with(""));
    vec![
        ("plain", with("")),
        ("deep/er/billing", with("")),
        ("stripped", format!("{MOODS}{REWRITE}")),
        (
            "old-stripped",
            format!("{MOODS}SetEnv BLESTA_OLD 1\n{REWRITE}"),
        ),
        ("flat", format!("{MOODS}RewriteEngine off\n")),
        ("noisy", with("SetEnv BLESTA_NOISE 1\n")),
        ("bom", with("SetEnv BLESTA_BOM 1\n")),
        ("empty", with("SetEnv BLESTA_EMPTY 1\n")),
        ("maintained", with("SetEnv BLESTA_MAINTENANCE 1\n")),
        ("broken", with("SetEnv BLESTA_EXCEPTION 1\n")),
        ("elsewhere", with("SetEnv BLESTA_HOST other.example.com\n")),
        ("denied", "Require all denied\n".to_owned()),
        ("locked", lock("Require valid-user")),
        ("unlocked", lock(&lifted("/unlocked"))),
        ("with a lock", lock("Require valid-user")),
        ("with no lock", lock(&lifted("/with no lock"))),
        (
            "slow",
            with("SetEnv BLESTA_SLEEP 2\nSetEnv BLESTA_MARK {folder}/marks\n"),
        ),
        ("misspelt", "NoSuchDirective on\n".to_owned()),
        (
            "upstairs",
            format!(
                "RewriteEngine on\nRewriteRule ^(.*)$ https://127.0.0.1:{port}/upstairs/$1 [R=301,L]\n"
            ),
        ),
        (
            "moved",
            "RewriteEngine on\nRewriteRule ^(.*)$ /plain/$1 [R=302,L]\n".to_owned(),
        ),
        (
            "away",
            "RewriteEngine on\nRewriteRule ^(.*)$ http://localhost:{listener}/$1 [R=301,L]\n"
                .to_owned(),
        ),
        (
            "circle",
            "RewriteEngine on\nRewriteRule ^(.*)$ /circle/$1 [R=302,L]\n".to_owned(),
        ),
        (
            "office/admin",
            "RewriteEngine on\nRewriteRule !login$ /office/admin/login [R=302,L]\n".to_owned(),
        ),
    ]
}

impl Apache {
    /// Starts it. `elsewhere` is the port that `/away` redirects to.
    pub fn start(elsewhere: u16) -> Self {
        let folder = readable_folder();
        let root = folder.path().join("htdocs");
        let port = free_port();
        let php = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rig");
        for name in ["index.php", "bridge.php"] {
            let from = if name == "index.php" {
                php.join("blesta/index.php")
            } else {
                php.join(name)
            };
            fs::copy(from, folder.path().join(name)).unwrap();
        }
        for (name, text) in installations(port) {
            let place = root.join(name);
            fs::create_dir_all(&place).unwrap();
            let text = text.replace("{folder}", folder.path().to_str().unwrap());
            let text = text.replace("{listener}", &elsewhere.to_string());
            fs::write(place.join(".htaccess"), text).unwrap();
            if !matches!(
                name,
                "denied" | "misspelt" | "upstairs" | "moved" | "away" | "circle"
            ) {
                symlink(folder.path().join("index.php"), place.join("index.php")).unwrap();
            }
        }
        let bridge = root.join("joomla");
        fs::create_dir_all(&bridge).unwrap();
        symlink(folder.path().join("bridge.php"), bridge.join("index.php")).unwrap();
        fs::write(
            bridge.join(".htaccess"),
            "SetEnv BRIDGE_TOKEN rig-shared-token\n",
        )
        .unwrap();
        fs::write(
            root.join("index.html"),
            "<html><head><title>It works!</title></head><body>hello</body></html>",
        )
        .unwrap();
        // "staging" : "staging"
        fs::write(
            folder.path().join("htpasswd"),
            "staging:{SHA}G/nqdH6jw+RAFakKYJ2NDMkv9QE=\n",
        )
        .unwrap();
        let marks = folder.path().join("marks");
        fs::create_dir(&marks).unwrap();
        let file = folder.path().join("apache.conf");
        fs::write(&file, configuration(folder.path(), &root, port)).unwrap();
        make_readable(folder.path());
        fs::set_permissions(&marks, fs::Permissions::from_mode(0o777)).unwrap();
        let server = Server::start(
            "/usr/sbin/apache2",
            &["-DFOREGROUND", "-f", file.to_str().unwrap()],
            &[port],
        );
        Self {
            port,
            folder,
            _server: server,
        }
    }

    /// The URL of an installation.
    pub fn url(&self, installation: &str) -> String {
        format!("http://127.0.0.1:{}/{installation}", self.port)
    }

    /// Requests that the slow installation has begun to answer.
    pub fn slow_ones(&self) -> usize {
        fs::read_dir(self.folder.path().join("marks"))
            .unwrap()
            .count()
    }

    /// The lines of the access log that carried a key, as soon as there are so many, or after all requests
    /// had time to end.
    pub fn keyed(&self, at_least: usize) -> Vec<String> {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let log = self.log();
            let keyed = |line: &&str| !line.ends_with("basic=- headers=-");
            let lines: Vec<_> = log.lines().filter(keyed).map(str::to_owned).collect();
            if lines.len() >= at_least || Instant::now() > until {
                return lines;
            }
            std::thread::yield_now();
        }
    }

    /// The access log: `status "request" authorization-given`.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default()
    }
}

fn configuration(folder: &Path, root: &Path, port: u16) -> String {
    let folder = folder.display();
    let root = root.display();
    let modules = [
        "mpm_event",
        "authz_core",
        "authz_host",
        "authz_user",
        "authn_core",
        "authn_file",
        "auth_basic",
        "alias",
        "dir",
        "mime",
        "rewrite",
        "actions",
        "cgid",
        "env",
        "setenvif",
        "headers",
    ];
    let load = modules.map(|module| {
        format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n")
    });
    let load = load.concat();
    // Started by root, Apache answers as www-data; by anybody else, as themselves.
    let user = if rustix_is_root() {
        "User www-data\nGroup www-data\n"
    } else {
        ""
    };
    format!(
        "ServerRoot {folder}
Listen 127.0.0.1:{port}
{load}{user}ServerName 127.0.0.1
PidFile {folder}/apache.pid
ScriptSock {folder}/cgid.sock
ErrorLog {folder}/error.log
LogFormat \"%>s \\\"%r\\\" basic=%{{Authorization}}i headers=%{{BLESTA-API-KEY}}i\" seen
CustomLog {folder}/access.log seen
StartServers 1
TypesConfig /dev/null
DocumentRoot {root}
DirectoryIndex index.php index.html
ScriptAlias /php-cgi /usr/lib/cgi-bin/php
AddHandler php-script .php
Action php-script /php-cgi
<Directory />
    Options FollowSymLinks
    AllowOverride All
    Require all granted
</Directory>
<Directory /usr/lib/cgi-bin>
    Options +ExecCGI
    Require all granted
</Directory>
"
    )
}

fn rustix_is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A folder that a server without our rights can read.
pub fn readable_folder() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("switchboard-rig")
        .tempdir()
        .unwrap()
}

/// Lets everybody read what is in `folder`, and write in it what a server writes.
pub fn make_readable(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            make_readable(&path);
        } else {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
    }
}

/// Certificates made on the spot by openssl: an authority, and leaves of every kind.
pub struct Certificates {
    /// Where they lie.
    pub folder: tempfile::TempDir,
}

impl Certificates {
    /// Makes the authority.
    pub fn new() -> Self {
        let this = Self {
            folder: readable_folder(),
        };
        let path = this.folder.path();
        openssl(
            path,
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout",
                "ca.key",
                "-out",
                "ca.pem",
                "-days",
                "3650",
                "-subj",
                "/CN=Rig Authority",
                "-addext",
                "basicConstraints=critical,CA:TRUE",
                "-addext",
                "keyUsage=critical,keyCertSign,cRLSign",
            ],
        );
        fs::write(path.join("index.txt"), "").unwrap();
        fs::write(path.join("ca.cnf"), "[ca]\ndefault_ca=rig\n[rig]\ndir=.\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ncertificate=ca.pem\nprivate_key=ca.key\ndefault_md=sha256\npolicy=any\nunique_subject=no\ncopy_extensions=copy\n[any]\ncommonName=supplied\n").unwrap();
        this
    }

    /// A leaf for `name` (`IP:127.0.0.1`, `DNS:…`), valid between two times (`YYMMDDhhmmssZ`).
    pub fn leaf(&self, label: &str, name: &str, from: &str, to: &str) -> (PathBuf, PathBuf) {
        let path = self.folder.path();
        let (key, request, certificate) = (
            format!("{label}.key"),
            format!("{label}.csr"),
            format!("{label}.pem"),
        );
        openssl(
            path,
            &[
                "req",
                "-new",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout",
                &key,
                "-out",
                &request,
                "-subj",
                &format!("/CN={label}"),
                "-addext",
                &format!("subjectAltName={name}"),
            ],
        );
        openssl(
            path,
            &[
                "ca",
                "-batch",
                "-config",
                "ca.cnf",
                "-in",
                &request,
                "-out",
                &certificate,
                "-notext",
                "-startdate",
                from,
                "-enddate",
                to,
            ],
        );
        (path.join(certificate), path.join(key))
    }

    /// A leaf that signed itself.
    pub fn self_signed(&self, label: &str, name: &str) -> (PathBuf, PathBuf) {
        let path = self.folder.path();
        let (key, certificate) = (format!("{label}.key"), format!("{label}.pem"));
        openssl(
            path,
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout",
                &key,
                "-out",
                &certificate,
                "-days",
                "30",
                "-subj",
                &format!("/CN={label}"),
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-addext",
                &format!("subjectAltName={name}"),
            ],
        );
        (path.join(certificate), path.join(key))
    }

    /// A leaf for `name` that an intermediate authority signed: its certificate, its key, the intermediate.
    pub fn beneath(&self, label: &str, name: &str) -> (PathBuf, PathBuf, PathBuf) {
        let path = self.folder.path();
        let signed = |subject: &str, by: &str, extension: &str| {
            let (key, request) = (format!("{subject}.key"), format!("{subject}.csr"));
            let (certificate, file) = (format!("{subject}.pem"), format!("{subject}.ext"));
            fs::write(path.join(&file), extension).unwrap();
            let subject = format!("/CN={subject}");
            let curve = [
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ];
            let out = ["-keyout", &key, "-out", &request, "-subj", &subject];
            openssl(path, &[&["req", "-new"][..], &curve, &out].concat());
            let (from, from_key) = (format!("{by}.pem"), format!("{by}.key"));
            let by = [
                "-CA",
                &from,
                "-CAkey",
                &from_key,
                "-CAcreateserial",
                "-days",
                "90",
            ];
            let out = ["-in", &request, "-out", &certificate, "-extfile", &file];
            openssl(path, &[&["x509", "-req"][..], &by, &out].concat());
            (path.join(certificate), path.join(key))
        };
        let between = format!("{label}-between");
        let (intermediate, _) = signed(&between, "ca", "basicConstraints=critical,CA:TRUE\n");
        let (certificate, key) = signed(label, &between, &format!("subjectAltName={name}\n"));
        (certificate, key, intermediate)
    }

    /// The authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let done = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "openssl {arguments:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// nginx with the servers of `blocks`; `{folder}` in them is its folder.
pub struct Nginx {
    /// Its first port.
    pub port: u16,
    folder: tempfile::TempDir,
    _server: Server,
}

impl Nginx {
    /// Starts it; `ports` are those that the blocks listen on.
    pub fn start(blocks: &str, ports: &[u16]) -> Self {
        let folder = readable_folder();
        let path = folder.path().display().to_string();
        let user = if rustix_is_root() {
            "user www-data;\n"
        } else {
            ""
        };
        let blocks = blocks.replace("{folder}", &path);
        let text = format!(
            "{user}daemon off;\nmaster_process on;\nworker_processes 1;\npid {path}/nginx.pid;\nerror_log {path}/error.log;
events {{ worker_connections 256; }}
http {{
    default_type text/html;
    log_format seen '$status \"$request\" referer=$http_referer basic=$http_authorization headers=$http_blesta_api_key';
    access_log {path}/access.log seen;
    client_body_temp_path {path}/body; proxy_temp_path {path}/proxy; fastcgi_temp_path {path}/fastcgi;
    uwsgi_temp_path {path}/uwsgi; scgi_temp_path {path}/scgi;
    limit_req_zone $server_name zone=strict:1m rate=1r/m;
{blocks}
}}
"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, text).unwrap();
        make_readable(folder.path());
        let server = Server::start(
            "/usr/sbin/nginx",
            &["-c", file.to_str().unwrap(), "-p", &path],
            ports,
        );
        Self {
            port: ports.first().copied().unwrap_or(0),
            folder,
            _server: server,
        }
    }

    /// Starts it with one server, on a free port that stands for `{port}` in `block`.
    pub fn start_on_free_port(block: &str) -> Self {
        let port = free_port();
        Self::start(&block.replace("{port}", &port.to_string()), &[port])
    }

    /// Its URL, over plain http.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The access log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default()
    }
}
