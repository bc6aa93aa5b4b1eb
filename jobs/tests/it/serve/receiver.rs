//! A subscriber to webhooks that behaves as badly as it is told to.

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::posted::Posted;
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
    /// How many more it takes before it hangs; any number where nothing is said.
    takes: Option<usize>,
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
        let shared = Arc::new(Mutex::new(Shared { mood, takes: None, requests: Vec::new(), over: false }));
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
        let mut shared = self.shared.lock().unwrap();
        (shared.mood, shared.takes) = (mood, None);
    }

    /// Comes back, takes so many requests and then hangs.
    pub(super) fn at_for(address: SocketAddr, takes: usize) -> Self {
        let receiver = Self::at(address, Mood::Hangs);
        let mut shared = receiver.shared.lock().unwrap();
        (shared.mood, shared.takes) = (Mood::Takes, Some(takes));
        drop(shared);
        receiver
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
    while let Some(mut posted) = Posted::read(&mut reader) {
        assert!(posted.line.starts_with("POST /hook HTTP/1.1"), "{}", posted.line);
        assert_eq!(posted.headers["content-type"], "application/json");
        let mut header = |name: &str| posted.headers.remove(name).unwrap();
        let mut request = Request {
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
            body: posted.body,
            mood: Mood::Takes,
        };
        let mood = {
            let mut shared = shared.lock().unwrap();
            if shared.mood == Mood::Takes
                && let Some(takes) = &mut shared.takes
            {
                match takes.checked_sub(1) {
                    Some(left) => *takes = left,
                    None => shared.mood = Mood::Hangs,
                }
            }
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
