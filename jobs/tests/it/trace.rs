//! Traces, as a collector of OpenTelemetry gets them.

use std::io::{BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::posted::Posted;
use crate::serve::client::Server;
use crate::tool::{Tool, pause};

/// Bodies that were posted to `/v1/traces`.
type Bodies = Arc<Mutex<Vec<Vec<u8>>>>;

/// A collector; it answers each request with 200.
fn collector() -> (String, Bodies) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let bodies = Bodies::default();
    let own = Arc::clone(&bodies);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let own = Arc::clone(&own);
            let mut reader = BufReader::new(stream.unwrap());
            std::thread::spawn(move || {
                while let Some(posted) = Posted::read(&mut reader) {
                    assert!(posted.line.starts_with("POST /v1/traces "), "{}", posted.line);
                    assert_eq!(posted.headers["content-type"], "application/x-protobuf");
                    own.lock().unwrap().push(posted.body);
                    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                }
            });
        }
    });
    (endpoint, bodies)
}

/// Whether texts stand in what was posted: protobuf keeps them as they are.
fn tells(bodies: &Bodies, texts: &[&str]) -> bool {
    let all = bodies.lock().unwrap().concat();
    texts.iter().all(|text| all.windows(text.len()).any(|part| part == text.as_bytes()))
}

fn traced(endpoint: &str) -> Tool {
    let config = format!("[trace]\nendpoint = \"{endpoint}\"\nservice = \"tideline-east\"\n");
    Tool::new().with_lake().file("tideline.toml", &config)
}

#[test]
fn commands_stages_and_requests_are_spans() {
    let (endpoint, bodies) = collector();
    let tool = traced(&endpoint);
    let out = tool.run(&["daily", "--as-of", "2026-01-05"]).succeeded();
    assert!(tells(&bodies, &["tideline-east", "daily", "quotas"]), "{} bodies", bodies.lock().unwrap().len());
    assert!(!out.err.contains("tideline_trace") && !out.err.contains("stage{"), "{}", out.err);
    let server = Server::start(&tool);
    server.until("/readyz", |answer| answer.status == 200);
    assert_eq!(server.get("/v1/quotas?limit=3").status, 200);
    assert_eq!(server.stop().0, 0);
    assert!(tells(&bodies, &["GET /v1/quotas", "http.response.status_code", "serve"]));
}

#[test]
fn a_collector_that_is_away_costs_nothing_but_spans() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    // One that takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = format!("http://{}", silent.local_addr().unwrap());
    for endpoint in [gone, mute] {
        let tool = traced(&endpoint);
        let begun = Instant::now();
        let answer = tool.run(&["sql", "-c", "SELECT 41 + 1 AS n", "--format", "csv"]).succeeded();
        assert_eq!(answer.out, "n\n42\n");
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        assert_eq!(answer.err.matches("sending traces:").count(), 1, "{}", answer.err);
    }
    pause(1);
    Tool::new()
        .file("tideline.toml", "[trace]\nendpoint = \"localhost:4318\"\n")
        .run(&["doctor"])
        .failed(1, "error: tideline.toml: trace.endpoint must be an address like http://localhost:4318, to which /v1/traces is added, or empty");
}
