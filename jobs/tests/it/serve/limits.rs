//! Clients that dawdle, crowd, or send nonsense: they are turned away, and others are still served.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::client::Server;
use crate::tool::{Tool, pause};

fn impatient(tool: &Tool) -> Server {
    let mut command = tool.command(&["serve", "--http", "127.0.0.1:0"]);
    command.env("TIDELINE_SERVE__IDLE_SECONDS", "1").env("TIDELINE_SERVE__CONNECTIONS_MAX", "50");
    Server::of(command)
}

#[test]
fn whoever_dawdles_is_cut_off() {
    let tool = Tool::new().with_lake();
    let server = impatient(&tool);
    let begun = Instant::now();
    let mut slow = server.connect();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n").unwrap();
    // A header line now and then: something comes in all the time, and never a whole request.
    while begun.elapsed() < Duration::from_secs(20) {
        if slow.write_all(b"x: y\r\n").is_err() {
            break;
        }
        pause(100);
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "a slow client was put up with");
    let mut idle = server.connect();
    assert_eq!(idle.read(&mut [0; 16]).unwrap_or(0), 0, "an idle connection is closed");
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_crowd_of_idle_connections_passes_and_others_are_served() {
    let tool = Tool::new().with_lake();
    let server = impatient(&tool);
    let crowd: Vec<TcpStream> = (0..200).map(|_| server.connect()).collect();
    // Four times as many as there are places wait in turn, each until the ones before are cut off.
    assert_eq!(server.get("/healthz").status, 200);
    drop(crowd);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn nonsense_and_giant_requests_are_refused() {
    let tool = Tool::new().with_lake();
    let server = Server::start(&tool);
    let say = |bytes: &[u8]| {
        let mut stream = server.connect();
        // The server may have closed already.
        drop(stream.write_all(bytes));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(say(b"\x16\x03\x01\x02\x00hello\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    let long = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "x".repeat(70_000));
    assert!(say(long.as_bytes()).starts_with("HTTP/1.1 4"));
    let headers = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "a: b\r\n".repeat(10_000));
    assert!(say(headers.as_bytes()).starts_with("HTTP/1.1 431"));
    let mut giant =
        b"POST /v1/quotas HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000000000\r\n\r\n".to_vec();
    giant.resize(giant.len() + 1_000_000, b'x');
    assert_eq!(say(&giant), "HTTP/1.1 413 Payload Too Large");
    let foreign = b"GET /v1/quotas HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert_eq!(say(foreign), "HTTP/1.1 403 Forbidden");
    assert_eq!(server.get("/healthz").status, 200);
}
