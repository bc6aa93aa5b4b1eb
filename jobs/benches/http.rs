//! `GET /v1/reps/{id}/quota` beside an axum handler that returns a constant of the same size, each in a process of its
//! own; then its latency at a steady rate, while a daily run goes on.
//!
//! `cargo bench -p jobs --bench http -- LAKE REP AS_OF`: a lake that has published a day, a rep with a quota on it, and a
//! day that `tideline daily` may compute meanwhile (it is published, if it wasn't).

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const CONNECTIONS: usize = 32;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);
/// Requests a second, and for how long.
const RATE: u32 = 5_000;
const STEADY: Duration = Duration::from_secs(20);
/// How this program is told to be the constant handler.
const CONSTANT: &str = "--constant";

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[expect(clippy::print_stdout, reason = "the figures")]
fn main() -> Outcome<()> {
    let given: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (lake, rep, day) = match &given[..] {
        [flag, bytes] if flag == CONSTANT => return runtime.block_on(constant(bytes.parse()?)),
        [lake, rep, day] => (PathBuf::from(lake), rep, day),
        _ => {
            println!("http: give a lake, a rep and a day, after --");
            return Ok(());
        }
    };
    let tideline = env!("CARGO_BIN_EXE_tideline");
    let path = format!("/v1/reps/{rep}/quota");
    let real = Server::start(Command::new(tideline).arg("--lake").arg(&lake).args([
        "serve",
        "--http",
        "127.0.0.1:0",
    ]))?;
    let (status, body) =
        runtime.block_on(async { Client::connect(&real.address, &path).await?.ask().await })?;
    if status != 200 {
        return Err(format!("{path} answers {status}").into());
    }
    let fixed = Server::start(Command::new(std::env::current_exe()?).args([CONSTANT, &body.to_string()]))?;
    let mut rates: [Vec<f64>; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (server, rates) in [&real, &fixed].into_iter().zip(&mut rates) {
            rates.push(runtime.block_on(throughput(&server.address, &path))?);
        }
    }
    let [real_rate, fixed_rate] = rates.map(median);
    println!(
        "http_throughput: {real_rate:.0} requests/s, the constant of {body} bytes {fixed_rate:.0}, ratio {:.2}",
        real_rate / fixed_rate
    );
    for (name, beside) in [("quiet", false), ("beside_daily", true)] {
        let mut daily = Command::new(tideline);
        daily.arg("--quiet").arg("--lake").arg(&lake).args(["daily", "--as-of", day]).stdout(Stdio::null());
        let running = if beside { Some(daily.spawn()?) } else { None };
        let took = runtime.block_on(steady(&real.address, &path))?;
        let meanwhile = running.map(|mut child| child.wait()).transpose()?;
        if meanwhile.is_some_and(|status| !status.success()) {
            return Err("the daily run failed".into());
        }
        let at = |share: usize| {
            took.get((took.len() * share / 1_000).min(took.len() - 1)).copied().unwrap_or_default()
        };
        println!(
            "http_latency_{name}: {} requests at {RATE}/s: median {:?}, p99 {:?}, p99.9 {:?}, most {:?}",
            took.len(),
            at(500),
            at(990),
            at(999),
            at(1_000)
        );
    }
    Ok(())
}

/// A server in a process of its own that says where it listens.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(command: &mut Command) -> Outcome<Self> {
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = line.trim().rsplit("http://").next().unwrap_or_default().to_owned();
        Ok(Self { process, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[expect(clippy::print_stdout, reason = "tells its parent where it listens")]
async fn constant(bytes: usize) -> Outcome<()> {
    let body: &'static str = Box::leak("x".repeat(bytes).into_boxed_str());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let router = Router::new().route("/v1/reps/{id}/quota", get(move || async move { body }));
    Ok(axum::serve(listener, router).await?)
}

/// A connection that asks for the same again and again.
struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(address: &str, path: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").into_bytes();
        Ok(Self { stream, request, buffer: vec![0; 1 << 16] })
    }

    /// Status and bytes of the body.
    async fn ask(&mut self) -> Outcome<(u16, usize)> {
        self.stream.write_all(&self.request).await?;
        let mut filled = 0;
        loop {
            let got = self.stream.read(&mut self.buffer[filled..]).await?;
            if got == 0 {
                return Err("the server hung up".into());
            }
            filled += got;
            let text = std::str::from_utf8(&self.buffer[..filled])?;
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let header = |name: &str| {
                head.lines().find_map(|line| {
                    let (key, value) = line.split_once(": ")?;
                    key.eq_ignore_ascii_case(name).then_some(value)
                })
            };
            let length: usize = header("content-length").ok_or("an answer without a length")?.parse()?;
            if body.len() >= length {
                let status = head.split(' ').nth(1).ok_or("an answer without a status")?.parse()?;
                return Ok((status, length));
            }
        }
    }
}

/// Requests a second of connections that each wait for their answer.
async fn throughput(address: &str, path: &str) -> Outcome<f64> {
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut client = Client::connect(address, path).await?;
        tasks.push(tokio::spawn(async move {
            let mut answered = 0_u32;
            while started.elapsed() < ROUND {
                client.ask().await?;
                answered += 1;
            }
            Outcome::Ok(answered)
        }));
    }
    let mut answered = 0;
    for task in tasks {
        answered += task.await??;
    }
    Ok(f64::from(answered) / started.elapsed().as_secs_f64())
}

/// How long answers took, ascending, at a steady rate: counted from when a request was due, so that one that had to wait
/// for the one before it counts in full.
async fn steady(address: &str, path: &str) -> Outcome<Vec<Duration>> {
    let every = Duration::from_secs(1) * u32::try_from(CONNECTIONS)? / RATE;
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..CONNECTIONS {
        let mut client = Client::connect(address, path).await?;
        let mut due = begun + every * u32::try_from(number)? / u32::try_from(CONNECTIONS)?;
        tasks.push(tokio::spawn(async move {
            let mut took = Vec::new();
            while due < begun + STEADY {
                tokio::time::sleep_until(due.into()).await;
                let (status, _) = client.ask().await?;
                if status != 200 {
                    return Err(format!("an answer with the status {status}").into());
                }
                took.push(due.elapsed());
                due += every;
            }
            Outcome::Ok(took)
        }));
    }
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await??);
    }
    took.sort_unstable();
    Ok(took)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}
