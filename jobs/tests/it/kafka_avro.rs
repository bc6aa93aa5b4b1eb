//! Messages framed by a schema registry: Avro and JSON, schemas that nobody knows, a registry that is down or shut.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::broker::broker;
use super::kafka::{ask, assert_same_as_files, events, tool};
use super::tool::Tool;

const SCHEMA: &str = r#"{"type":"record","name":"Event","fields":[
    {"name":"event_id","type":{"type":"string","logicalType":"uuid"}},
    {"name":"event_time","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"event_type","type":"string"},
    {"name":"rep_id","type":["null","string"],"default":null},
    {"name":"attributes","type":{"type":"map","values":"string"}}]}"#;
/// The numbers of the Avro schema, of a JSON one, of one in a language we don't read, and of none.
const AVRO: u32 = 3;
const JSON: u32 = 4;
const PROTOBUF: u32 = 5;
const UNKNOWN: u32 = 99;

/// A registry of a few schemas, for as long as the test runs.
struct Registry {
    address: String,
    /// Questions that it answers with an error of its own first.
    ill: Arc<AtomicU32>,
    asked: Arc<AtomicU32>,
}

impl Registry {
    /// `login` is the header that it wants.
    fn start(ill: u32, login: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (ill, asked) = (Arc::new(AtomicU32::new(ill)), Arc::new(AtomicU32::new(0)));
        let shared = (Arc::clone(&ill), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(&stream, &shared.0, &shared.1, login);
            }
        });
        Self { address, ill, asked }
    }

    /// A command that knows of it.
    fn tool(&self) -> Tool {
        let config = format!("[kafka.registry]\nurl = \"{}\"\n", self.address);
        tool().file("tideline.toml", &config)
    }
}

fn answer(mut stream: &TcpStream, ill: &AtomicU32, asked: &AtomicU32, login: Option<&str>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let path = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
    let headers: Vec<String> = lines.collect();
    let path = path.split('?').next().unwrap_or_default();
    let schema = |kind: &str, text: &str| {
        let text = text.replace('"', "\\\"").replace('\n', " ");
        (200, format!("{{\"schemaType\":\"{kind}\",\"schema\":\"{text}\"}}"))
    };
    let let_in = login.is_none_or(|login| headers.iter().any(|header| header.ends_with(login)));
    let (status, body) = match path {
        _ if !let_in => (401, "{\"error_code\":401,\"message\":\"who are you?\"}".to_owned()),
        "/schemas/types" => (200, "[\"AVRO\"]".to_owned()),
        _ if ill.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() => {
            (500, "{\"error_code\":50001,\"message\":\"the store is gone\"}".to_owned())
        }
        "/schemas/ids/3" => {
            asked.fetch_add(1, Ordering::SeqCst);
            (200, format!("{{\"schema\":\"{}\"}}", SCHEMA.replace('"', "\\\"").replace('\n', " ")))
        }
        "/schemas/ids/4" => schema("JSON", "{}"),
        "/schemas/ids/5" => schema("PROTOBUF", "syntax = 'proto3';"),
        _ => (404, "{\"error_code\":40403,\"message\":\"Schema 99 not found\"}".to_owned()),
    };
    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // A command that is gone has no use for an answer.
    drop(stream.write_all((head + &body).as_bytes()));
}

fn frame(id: u32, body: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], body].concat()
}

/// An event of [`events`] as a producer with Avro writes it.
fn avro(event: &str) -> Vec<u8> {
    let event: serde_json::Value = serde_json::from_str(event).unwrap();
    let mut body = Vec::new();
    text(&mut body, event["event_id"].as_str().unwrap());
    let time = chrono::DateTime::parse_from_rfc3339(event["event_time"].as_str().unwrap()).unwrap();
    long(&mut body, time.timestamp_millis());
    text(&mut body, event["event_type"].as_str().unwrap());
    long(&mut body, 1);
    text(&mut body, event["rep_id"].as_str().unwrap());
    long(&mut body, 1);
    text(&mut body, "number");
    text(&mut body, event["attributes"]["number"].as_str().unwrap());
    long(&mut body, 0);
    frame(AVRO, &body)
}

fn text(to: &mut Vec<u8>, text: &str) {
    long(to, i64::try_from(text.len()).unwrap());
    to.extend_from_slice(text.as_bytes());
}

/// Zigzag, seven bits at a time, the lowest first.
fn long(to: &mut Vec<u8>, number: i64) {
    let mut left = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while left > 0x7f {
        to.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
        left >>= 7;
    }
    to.push(u8::try_from(left).unwrap());
}

#[test]
fn framed_messages_are_the_same_rows_as_plain_ones() {
    let broker = broker();
    let registry = Registry::start(0, None);
    let tool = registry.tool();
    let topic = broker.topic("framed", 1);
    let events = events(0, 300);
    let cut = &avro(&events[0])[..20];
    let poison =
        [cut.to_vec(), frame(UNKNOWN, b"x"), frame(PROTOBUF, b"x"), frame(JSON, b"x"), frame(AVRO, b"")];
    let messages = events.iter().enumerate().map(|(number, event)| match number % 3 {
        0 => frame(JSON, event.as_bytes()),
        _ => avro(event),
    });
    let messages: Vec<Vec<u8>> = messages.collect();
    let all = messages[..150].iter().chain(&poison).chain(&messages[150..]);
    broker.send(&topic, all.map(|message| (0, Some(&message[..]))));
    let named = format!("behaviour={topic}");
    let arguments = ["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"];
    let answer = tool.run(&arguments).succeeded();
    assert!(answer.out.contains("behaviour: 300 records accepted, 5 rejected"), "{}", answer.out);
    assert_same_as_files(&tool, "lake", &events);
    let letters = ask(&tool, "lake", "SELECT position, field, reason FROM raw.dead_letter ORDER BY position");
    assert_eq!(
        letters,
        "position,field,reason\n150,,damaged Avro\n151,,of a schema that the registry doesn't know\n\
         152,,of a schema that is neither Avro nor JSON\n153,,not JSON\n154,,damaged Avro\n"
    );
    assert_eq!(registry.asked.load(Ordering::SeqCst), 1, "a schema is asked for once");
}

#[test]
fn messages_wait_for_a_registry_that_is_ill() {
    let broker = broker();
    let registry = Registry::start(2, None);
    let tool = registry.tool();
    let topic = broker.topic("waiting", 1);
    let events = events(0, 20);
    broker.send(
        &topic,
        events.iter().map(|event| avro(event)).collect::<Vec<_>>().iter().map(|m| (0, Some(&m[..]))),
    );
    let named = format!("behaviour={topic}");
    let arguments = ["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"];
    let answer = tool.run(&arguments).succeeded();
    assert!(answer.err.contains("the store is gone"), "{}", answer.err);
    assert_eq!(registry.ill.load(Ordering::SeqCst), 0);
    assert_same_as_files(&tool, "lake", &events);
}

#[test]
fn a_registry_that_cannot_be_used_is_said_at_the_start() {
    let broker = broker();
    let topic = broker.topic("shut", 1);
    let named = format!("behaviour={topic}");
    let arguments = ["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"];
    // Before any broker is asked.
    let unreachable = ["ingest", "--kafka", "127.0.0.1:1", "--topic", &named];
    let nonsense = tool().file("tideline.toml", "[kafka.registry]\nurl = \"nonsense\"\n");
    nonsense.run(&unreachable).says(1, "kafka.registry.url nonsense: ");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = format!("[kafka.registry]\nurl = \"http://{nobody}\"\n");
    tool().file("tideline.toml", &config).run(&arguments).says(75, "doesn't answer");
    let shut = Registry::start(0, Some("Basic cmVwOmh1c2g="));
    shut.tool().run(&arguments).says(1, "set kafka.registry.user and kafka.registry.password");
    let config = format!(
        "[kafka.registry]\nurl = \"{}\"\nuser = \"rep\"\npassword = \"env:REGISTRY_PASSWORD\"\n",
        shut.address
    );
    let tool = tool().file("tideline.toml", &config);
    tool.run(&arguments)
        .says(1, "kafka.registry: password: the environment has no variable REGISTRY_PASSWORD");
    tool.variable("REGISTRY_PASSWORD", "hush").run(&arguments).succeeded();
}

#[test]
fn avro_without_a_registry_is_told_apart() {
    let (broker, tool) = (broker(), tool());
    let topic = broker.topic("unframed", 1);
    let events = events(0, 2);
    let messages = [avro(&events[0]), frame(AVRO, events[1].as_bytes())];
    broker.send(&topic, messages.iter().map(|message| (0, Some(&message[..]))));
    let named = format!("behaviour={topic}");
    tool.run(&["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"]).succeeded();
    let letters = ask(&tool, "lake", "SELECT position, reason FROM raw.dead_letter");
    assert_eq!(
        letters,
        "position,reason\n0,\"framed by a schema registry, and not JSON; set kafka.registry.url\"\n"
    );
}
