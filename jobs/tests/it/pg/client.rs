//! A server of the test's own, and a client that speaks the protocol in frames.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::tool::Tool;

/// How long a client waits for bytes.
const PATIENCE: Duration = Duration::from_mins(3);

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(tool: &Tool, settings: &[(&str, &str)]) -> Self {
        let mut command = tool.command(&["serve", "--pg", "127.0.0.1:0"]);
        for (name, value) in settings {
            command.env(format!("TIDELINE_SERVE__PG__{name}"), value);
        }
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("listening on postgresql://").unwrap_or_else(|| panic!("{line}"));
        let address = address.strip_suffix("/tideline").unwrap().parse().unwrap();
        Self { child, out, address }
    }

    pub(crate) fn raw(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(&[]).unwrap()
    }

    /// A client that sends these parameters when it connects; else what it was refused with.
    pub(crate) fn client_with(&self, parameters: &[(&str, &str)]) -> Result<Client, Refusal> {
        let mut client = Client { stream: self.raw(), key: (0, 0) };
        client.greet("ann", parameters);
        client.until_ready().map(|answer| {
            client.key = answer.key;
            client
        })
    }

    /// Tells the server to stop; its exit status.
    pub(crate) fn stop(mut self) -> i32 {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(told.success());
        let status = self.child.wait().unwrap().code().unwrap_or(-1);
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What an error response says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) position: Option<String>,
}

/// What came until the server was ready again.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) columns: Vec<(String, u32)>,
    pub(crate) rows: Vec<Vec<Option<Vec<u8>>>>,
    pub(crate) tags: Vec<String>,
    /// Types of parameters.
    pub(crate) parameters: Vec<u32>,
    pub(crate) suspended: bool,
    /// I, T or E.
    pub(crate) transaction: char,
    key: (i32, i32),
    error: Option<Refusal>,
}

impl Answer {
    /// All cells as texts, cells with commas between them, rows with semicolons.
    pub(crate) fn text(&self) -> String {
        let cell = |cell: &Option<Vec<u8>>| {
            cell.as_ref().map_or_else(|| "∅".to_owned(), |cell| String::from_utf8_lossy(cell).into_owned())
        };
        let row = |row: &Vec<Option<Vec<u8>>>| row.iter().map(cell).collect::<Vec<_>>().join(",");
        self.rows.iter().map(row).collect::<Vec<_>>().join(";")
    }
}

pub(crate) struct Client {
    stream: TcpStream,
    pub(crate) key: (i32, i32),
}

impl Client {
    fn greet(&mut self, user: &str, parameters: &[(&str, &str)]) {
        let mut body = 196_608_i32.to_be_bytes().to_vec();
        for (name, value) in [("user", user), ("database", "tideline")].iter().chain(parameters) {
            body.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
        }
        body.push(0);
        let length = i32::try_from(body.len() + 4).unwrap();
        self.stream.write_all(&[&length.to_be_bytes()[..], &body].concat()).unwrap();
    }

    pub(crate) fn send(&mut self, kind: u8, body: &[u8]) {
        let length = i32::try_from(body.len() + 4).unwrap();
        self.stream.write_all(&[&[kind], &length.to_be_bytes()[..], body].concat()).unwrap();
    }

    /// Sends a text of statements without waiting.
    pub(crate) fn ask(&mut self, text: &str) {
        self.send(b'Q', &[text.as_bytes(), b"\0"].concat());
    }

    /// The answer to a text of statements.
    pub(crate) fn query(&mut self, text: &str) -> Result<Answer, Refusal> {
        self.ask(text);
        self.until_ready()
    }

    /// The cells of an answer.
    pub(crate) fn text(&mut self, text: &str) -> String {
        self.query(text).unwrap_or_else(|error| panic!("{text}: {error:?}")).text()
    }

    /// The code that a text is refused with.
    pub(crate) fn code(&mut self, text: &str) -> String {
        match self.query(text) {
            Ok(answer) => panic!("{text}: {}", answer.text()),
            Err(error) => error.code,
        }
    }

    /// Parses under a name, with types of parameters.
    pub(crate) fn parse(&mut self, name: &str, text: &str, types: &[u32]) {
        let count = i16::try_from(types.len()).unwrap().to_be_bytes();
        let types: Vec<u8> = types.iter().flat_map(|oid| oid.to_be_bytes()).collect();
        self.send(b'P', &[name.as_bytes(), b"\0", text.as_bytes(), b"\0", &count, &types].concat());
    }

    /// Binds a statement to a portal: parameters all in one format, the answer's columns too.
    pub(crate) fn bind(&mut self, portal: &str, name: &str, values: &[Option<&[u8]>], formats: (i16, i16)) {
        let mut body = [portal.as_bytes(), b"\0", name.as_bytes(), b"\0"].concat();
        body.extend(1_i16.to_be_bytes().iter().chain(&formats.0.to_be_bytes()));
        body.extend(i16::try_from(values.len()).unwrap().to_be_bytes());
        for value in values {
            let length = value.map_or(-1, |value| i32::try_from(value.len()).unwrap());
            body.extend(length.to_be_bytes());
            body.extend(value.unwrap_or_default());
        }
        body.extend(1_i16.to_be_bytes().iter().chain(&formats.1.to_be_bytes()));
        self.send(b'B', &body);
    }

    pub(crate) fn describe(&mut self, kind: u8, name: &str) {
        self.send(b'D', &[&[kind], name.as_bytes(), b"\0"].concat());
    }

    pub(crate) fn execute(&mut self, portal: &str, rows: i32) {
        self.send(b'E', &[portal.as_bytes(), b"\0", &rows.to_be_bytes()].concat());
    }

    pub(crate) fn sync(&mut self) -> Result<Answer, Refusal> {
        self.send(b'S', &[]);
        self.until_ready()
    }

    /// What comes until the server is ready, or ends the connection.
    pub(crate) fn until_ready(&mut self) -> Result<Answer, Refusal> {
        let mut answer = Answer::default();
        loop {
            let Some((kind, body)) = self.frame() else {
                return Err(answer.error.unwrap_or_else(|| panic!("the connection was closed")));
            };
            match kind {
                b'Z' => {
                    answer.transaction = char::from(body[0]);
                    return answer.error.clone().map_or(Ok(answer), Err);
                }
                b'E' => answer.error = Some(refusal(&body)),
                b'T' => answer.columns = columns(&body),
                b'D' => answer.rows.push(row(&body)),
                b'C' => answer.tags.push(String::from_utf8(body[..body.len() - 1].to_vec()).unwrap()),
                b's' => answer.suspended = true,
                b't' => {
                    answer.parameters =
                        body[2..].chunks(4).map(|oid| u32::from_be_bytes(oid.try_into().unwrap())).collect();
                }
                b'K' => {
                    let word = |at: usize| i32::from_be_bytes(body[at..at + 4].try_into().unwrap());
                    answer.key = (word(0), word(4));
                }
                _ => {}
            }
        }
    }

    /// One message; none at the end.
    pub(crate) fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).ok()?;
        let length = i32::from_be_bytes(head[1..].try_into().unwrap());
        let mut body = vec![0; usize::try_from(length - 4).unwrap()];
        self.stream.read_exact(&mut body).ok()?;
        Some((head[0], body))
    }
}

/// Asks the server to end what a connection is computing.
pub(crate) fn cancel(server: &Server, (pid, secret): (i32, i32)) {
    let words = [16, 80_877_102, pid, secret];
    let bytes: Vec<u8> = words.iter().flat_map(|word: &i32| word.to_be_bytes()).collect();
    let mut stream = server.raw();
    stream.write_all(&bytes).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
}

fn refusal(body: &[u8]) -> Refusal {
    let field = |wanted: u8| {
        let mut fields = body.split(|byte| *byte == 0).filter(|field| !field.is_empty());
        let found = fields.find(|field| field[0] == wanted)?;
        Some(String::from_utf8(found[1..].to_vec()).unwrap())
    };
    Refusal { code: field(b'C').unwrap(), message: field(b'M').unwrap(), position: field(b'P') }
}

fn columns(body: &[u8]) -> Vec<(String, u32)> {
    let mut columns = Vec::new();
    let mut rest = &body[2..];
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let name = String::from_utf8(rest[..end].to_vec()).unwrap();
        let after = &rest[end + 1..];
        columns.push((name, u32::from_be_bytes(after[6..10].try_into().unwrap())));
        rest = &after[18..];
    }
    columns
}

fn row(body: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut cells = Vec::new();
    let mut rest = &body[2..];
    while rest.len() >= 4 {
        let length = i32::from_be_bytes(rest[..4].try_into().unwrap());
        rest = &rest[4..];
        let cell = usize::try_from(length).ok().map(|length| {
            let (cell, after) = rest.split_at(length);
            rest = after;
            cell.to_vec()
        });
        cells.push(cell);
    }
    cells
}
