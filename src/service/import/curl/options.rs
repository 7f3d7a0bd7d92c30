//! What curl's options are to a probe: which have a value, and which change nothing.

/// Options without a value that change nothing for a probe.
pub(super) const SILENT: &[&str] = &[
    "-s",
    "-S",
    "-i",
    "-v",
    "-f",
    "-g",
    "-N",
    "-#",
    "-q",
    "-a",
    "-j",
    "--silent",
    "--show-error",
    "--include",
    "--verbose",
    "--fail",
    "--fail-with-body",
    "--globoff",
    "--no-buffer",
    "--compressed",
    "--progress-bar",
    "--http1.1",
    "--http2",
    "--http3",
    "--tcp-nodelay",
    "--no-keepalive",
    "--path-as-is",
    "--disable",
    "--no-progress-meter",
    "--tlsv1.2",
    "--tlsv1.3",
    "--basic",
    "-1",
];

/// Options with a value that change nothing for a probe.
const SILENT_WITH_VALUE: &[&str] = &[
    "-o",
    "-w",
    "-A",
    "-D",
    "-c",
    "-e",
    "-C",
    "-r",
    "-T",
    "-y",
    "-Y",
    "-z",
    "--output",
    "--write-out",
    "--user-agent",
    "--dump-header",
    "--cookie-jar",
    "--referer",
    "--retry",
    "--retry-delay",
    "--connect-timeout",
    "--max-redirs",
    "--limit-rate",
    "--stderr",
    "--trace",
    "--trace-ascii",
    "--capath",
    "--ciphers",
    "--tls-max",
    "--keepalive-time",
    "--range",
];

/// Options with a value that a probe would not send, and why.
pub(super) const LEFT_OUT: &[(&[&str], &str)] = &[
    (
        &["-F", "--json", "--form", "--form-string"],
        "the body was left out: a probe sends none",
    ),
    (
        &["--noproxy"],
        "--noproxy was left out: a proxy applies unless no_proxy in the environment says otherwise",
    ),
    (
        &["--interface"],
        "--interface was left out: the system chooses the address that a probe comes from",
    ),
    (
        &["-b", "--cookie"],
        "cookies were left out: a connection has a key, not a session",
    ),
    (
        &["--resolve", "--connect-to"],
        "--resolve was left out: a probe asks the name server",
    ),
    (
        &[
            "--netrc-file",
            "--aws-sigv4",
            "--cert-type",
            "--key-type",
            "--pass",
            "--proxy-user",
            "-U",
        ],
        "an option with credentials of its own kind was left out",
    ),
];

/// Whether a value stands behind `option`.
pub(super) fn takes_value(option: &str) -> bool {
    const TAKEN: &[&str] = &[
        "-K",
        "--config",
        "-H",
        "--header",
        "-u",
        "--user",
        "--oauth2-bearer",
        "--url",
        "-X",
        "--request",
        "-d",
        "--data",
        "--data-raw",
        "--data-binary",
        "--data-ascii",
        "--data-urlencode",
        "--cacert",
        "-E",
        "--cert",
        "--key",
        "-m",
        "--max-time",
        "-x",
        "--proxy",
    ];
    TAKEN.contains(&option)
        || SILENT_WITH_VALUE.contains(&option)
        || LEFT_OUT
            .iter()
            .any(|(options, _)| options.contains(&option))
}
