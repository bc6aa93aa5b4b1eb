//! TLS: what is said stays between client and server, and certificates change while it runs.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use super::client::Server;
use crate::tool::{Tool, pause};

const ONE: (&str, &str) = (include_str!("tls/one.pem"), include_str!("tls/one.key.pem"));
const TWO: (&str, &str) = (include_str!("tls/two.pem"), include_str!("tls/two.key.pem"));

fn with_tls(tool: Tool) -> Tool {
    tool.file("cert.pem", ONE.0)
        .file("key.pem", ONE.1)
        .file("one.pem", ONE.0)
        .file("two.pem", TWO.0)
        .file("tideline.toml", "[serve.tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n")
}

/// What a client that trusts one certificate only is answered; none where it refuses the server's.
fn ask(tool: &Tool, server: &Server, trusted: &str) -> Option<String> {
    let url = format!("https://{}/healthz", server.address);
    let answer = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--cacert"])
        .arg(tool.path(trusted))
        .arg(url)
        .output()
        .expect("curl is there");
    answer.status.success().then(|| String::from_utf8(answer.stdout).unwrap())
}

#[test]
fn certificates_are_shown_and_change_while_the_server_runs() {
    let tool = with_tls(Tool::new().with_lake());
    let mut command = tool.command(&["serve", "--http", "127.0.0.1:0"]);
    command.env("TIDELINE_SERVE__POLL_SECONDS", "0.1").env("TIDELINE_SERVE__IDLE_SECONDS", "2");
    let server = Server::of(command);
    let well = Some("{\"status\":\"ok\"}".to_owned());
    assert_eq!(ask(&tool, &server, "one.pem"), well);
    assert_eq!(ask(&tool, &server, "two.pem"), None);
    // Clear text is no way in, and whoever dawdles over the handshake keeps nobody from being served.
    let mut clear = server.connect();
    clear.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    drop(clear.read_to_end(&mut answer));
    assert!(!String::from_utf8_lossy(&answer).contains("ok"), "{answer:?}");
    let mut idle = server.connect();
    assert_eq!(ask(&tool, &server, "one.pem"), well);
    assert_eq!(idle.read(&mut [0; 16]).unwrap_or(0), 0, "a connection that never begins is closed");
    // Half of a change is none: the certificate alone doesn't fit the key.
    std::fs::write(tool.path("cert.pem"), TWO.0).unwrap();
    pause(500);
    assert_eq!(ask(&tool, &server, "one.pem"), well);
    std::fs::write(tool.path("key.pem"), TWO.1).unwrap();
    let changed = (0..100).any(|_| {
        pause(100);
        ask(&tool, &server, "two.pem") == well
    });
    assert!(changed, "the new certificate isn't shown");
    assert_eq!(ask(&tool, &server, "one.pem"), None);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn wrong_files_are_named() {
    let refused = |tool: Tool, message: &str| {
        let answer = tool.command(&["serve", "--http", "127.0.0.1:0"]).stdin(Stdio::null()).output().unwrap();
        let err = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert_eq!((answer.status.code(), err.trim()), (Some(1), format!("error: {message}").as_str()));
    };
    let tool = || with_tls(Tool::new().with_lake());
    refused(
        tool().file("tideline.toml", "[serve.tls]\ncertificate = \"cert.pem\"\n"),
        "tideline.toml: serve.tls must be both certificate and key, or neither",
    );
    refused(
        tool().file("tideline.toml", "[serve.tls]\ncertificate = \"none.pem\"\nkey = \"key.pem\"\n"),
        "serve.tls.certificate names none.pem, which can't be read: No such file or directory (os error 2)",
    );
    refused(
        tool().file("cert.pem", ONE.1),
        "serve.tls.certificate names cert.pem, which holds no certificate as PEM (-----BEGIN CERTIFICATE-----)",
    );
    refused(
        tool().file("key.pem", ONE.0),
        "serve.tls.key names key.pem, which holds no private key as PEM (-----BEGIN PRIVATE KEY-----)",
    );
    refused(
        tool().file("key.pem", TWO.1),
        "serve.tls.key names key.pem, which is not the key of the first certificate in cert.pem",
    );
}

#[test]
fn subscribers_with_an_authority_of_their_own_are_told() {
    // The subscriber is a server of ours: it answers that there is no such path, once it is trusted.
    let receiver = Tool::new()
        .with_lake()
        .file("cert.pem", include_str!("tls/issued.pem"))
        .file("key.pem", include_str!("tls/issued.key.pem"))
        .file("tideline.toml", "[serve.tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n");
    let receiving = Server::start(&receiver);
    let port = receiving.address.port();
    let hook = |more: &str| {
        format!(
            "[[serve.webhook]]\nname = \"crm\"\nurl = \"https://127.0.0.1:{port}/hook\"\n\
             secret = \"file:hook.secret\"\nretry_seconds = 0.05\nretry_seconds_max = 0.1\n{more}\n"
        )
    };
    let tool = super::world().file("hook.secret", "whsec_dGlkZWxpbmUtdGVzdHMtc2lnbi13aXRoLXRoaXMtb25l\n");
    let told = |tool: &Tool, name: &str, wanted: &str| {
        let mut command = tool.command(&["serve", "--http", "127.0.0.1:0"]);
        command.env("TIDELINE_SERVE__POLL_SECONDS", "0.1");
        command.stderr(std::fs::File::create(tool.path(name)).unwrap());
        let server = Server::of(command);
        pause(500);
        super::publish(tool, super::DAYS[1]);
        let log = || std::fs::read_to_string(tool.path(name)).unwrap();
        let found = (0..300).any(|_| {
            pause(100);
            log().contains(wanted)
        });
        drop(server);
        assert!(found, "{}", log());
    };
    let tool = tool.file("tideline.toml", &hook(""));
    told(&tool, "unknown.log", "certificate");
    let authority = include_str!("tls/authority.pem");
    let tool = tool.file("ours.pem", authority).file("tideline.toml", &hook("ca = \"ours.pem\""));
    told(&tool, "known.log", "404");
    let tool = tool.file("tideline.toml", &hook("ca = \"hook.secret\""));
    let answer = tool.run(&["serve", "--http", "127.0.0.1:0"]);
    answer.says(1, "serve.webhook crm: ca: hook.secret: it holds no certificate as PEM");
}
