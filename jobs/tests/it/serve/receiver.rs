//! A subscriber to webhooks that behaves as badly as it is told to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::tool::pause;

/// What it does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// It takes them.
    Takes,
    /// It answers with a status.
    Answers(u16),
    /// It reads them and says nothing.
    Hangs,
    /// It closes the connection.
    Closes,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) id: String,
    pub(super) timestamp: String,
    pub(super) signature: String,
    pub(super) body: Vec<u8>,
    pub(super) mood: Mood,
}

#[derive(Debug)]
struct Shared {
    mood: Mood,
    requests: Vec<Request>,
    over: bool,
}

/// The subscriber; its port stays free for another one when it is dropped.
#[derive(Debug)]
pub(super) struct Receiver {
    shared: Arc<Mutex<Shared>>,
    pub(super) address: SocketAddr,
}

impl Receiver {
    pub(super) fn start(mood: Mood) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), mood)
    }

    /// Comes back under an address that was another one's.
    pub(super) fn at(address: SocketAddr, mood: Mood) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Mutex::new(Shared { mood, requests: Vec::new(), over: false }));
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            while !own.lock().unwrap().over {
                match listener.accept() {
                    Ok((stream, _)) => {
                        stream.set_nonblocking(false).unwrap();
                        let own = Arc::clone(&own);
                        std::thread::spawn(move || answer(stream, &own));
                    }
                    Err(_) => pause(5),
                }
            }
        });
        Self { shared, address }
    }

    pub(super) fn set(&self, mood: Mood) {
        self.shared.lock().unwrap().mood = mood;
    }

    /// All that came so far.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.shared.lock().unwrap().requests.clone()
    }

    /// Waits until what came is as it should be.
    pub(super) fn until(&self, good: impl Fn(&[Request]) -> bool) -> Vec<Request> {
        let begun = Instant::now();
        loop {
            let requests = self.requests();
            if good(&requests) {
                return requests;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{} requests came", requests.len());
            pause(20);
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.lock().unwrap().over = true;
        // The thread lets go of the port soon; whoever wants it waits.
        pause(50);
    }
}

fn answer(stream: TcpStream, shared: &Mutex<Shared>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        let mut request = Request {
            id: String::new(),
            timestamp: String::new(),
            signature: String::new(),
            body: Vec::new(),
            mood: Mood::Takes,
        };
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        assert!(line.starts_with("POST /hook HTTP/1.1"), "{line}");
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            match name.to_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "content-type" => assert_eq!(value, "application/json"),
                "webhook-id" => value.clone_into(&mut request.id),
                "webhook-timestamp" => value.clone_into(&mut request.timestamp),
                "webhook-signature" => value.clone_into(&mut request.signature),
                _ => {}
            }
        }
        request.body = vec![0; length];
        if reader.read_exact(&mut request.body).is_err() {
            return;
        }
        let mood = {
            let mut shared = shared.lock().unwrap();
            request.mood = shared.mood;
            shared.requests.push(request);
            if shared.over { Mood::Closes } else { shared.mood }
        };
        let status = match mood {
            Mood::Takes => 204,
            Mood::Answers(status) => status,
            Mood::Hangs => {
                pause(20_000);
                return;
            }
            Mood::Closes => return,
        };
        let head = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: 0\r\n\r\n");
        if reader.get_mut().write_all(head.as_bytes()).is_err() {
            return;
        }
    }
}

impl Request {
    /// The changes in it.
    pub(super) fn changes(&self) -> Vec<Value> {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(body["type"], "tideline.changes");
        let changes = body["data"]["changes"].as_array().unwrap().clone();
        assert!(changes.iter().all(|change| change["published_at"] == body["timestamp"]));
        changes
    }

    /// Whether it is signed with this key.
    pub(super) fn is_signed_with(&self, key: &[u8]) -> bool {
        let signed = [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", &self.body].concat();
        let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key), &signed);
        // What it should be, digit by digit of six bits.
        let bits: String = tag.as_ref().iter().fold(String::new(), |bits, byte| format!("{bits}{byte:08b}"));
        let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
        let digits = bits.as_bytes().chunks(6).map(|six| {
            let six = std::str::from_utf8(six).unwrap();
            alphabet[usize::from_str_radix(&format!("{six:0<6}"), 2).unwrap()]
        });
        let seconds: i64 = self.timestamp.parse().unwrap();
        assert!(seconds > 1_700_000_000, "{seconds}");
        self.signature == format!("v1,{}=", digits.collect::<String>())
    }
}
