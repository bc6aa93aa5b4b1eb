//! Who is let in, and what one bad query may do: nothing to anybody else.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::client::{Server, cancel};
use crate::tool::{Tool, pause};

#[test]
fn others_are_not_listened_to_without_a_user() {
    let tool = Tool::new().with_lake();
    let answer = tool.run(&["serve", "--pg", "0.0.0.0:0"]);
    answer.failed(
        1,
        "error: --pg 0.0.0.0:0: others could reach it, and there is no user; name one as serve.pg.user in the \
         configuration, with the place of the password as serve.pg.password = \"file:PATH\", or use a loopback \
         address such as 127.0.0.1:5432",
    );
    let tool = tool.file("tideline.toml", "[serve.pg]\nuser = \"ann\"\npassword = \"secret\"\n");
    let answer = tool.run(&["serve", "--pg", "127.0.0.1:0"]);
    answer.failed(1, "error: serve.pg.password: write where it is, as \"env:NAME\" or \"file:PATH\"");
    let tool = tool.file("tideline.toml", "[serve.pg]\nuser = \"ann\"\n");
    tool.run(&["serve", "--pg", "127.0.0.1:0"]).says(1, "serve.pg.password must be given with serve.pg.user");
    let tool = tool.file("tideline.toml", "[serve.pg]\ncertificate = \"no.pem\"\nkey = \"no.key\"\n");
    tool.run(&["serve", "--pg", "127.0.0.1:0"])
        .says(1, "serve.pg.certificate names no.pem, which can't be read");
}

#[test]
fn nothing_is_said_in_the_clear_where_there_is_a_certificate() {
    let tool = Tool::new()
        .with_lake()
        .file("cert.pem", include_str!("../serve/tls/one.pem"))
        .file("key.pem", include_str!("../serve/tls/one.key.pem"));
    let server = Server::start(&tool, &[("CERTIFICATE", "cert.pem"), ("KEY", "key.pem")]);
    let refusal = server.client_with(&[]).err().unwrap();
    assert_eq!(refusal.code, "28000", "{refusal:?}");
    // Who asks for encryption is offered it.
    let mut stream = server.raw();
    stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
    let mut answer = [0];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, *b"S");
}

#[test]
fn a_password_is_asked_for_and_a_wrong_one_refused() {
    let tool = Tool::new().with_lake().file("password", "open sesame\n");
    let server = Server::start(&tool, &[("USER", "ann"), ("PASSWORD", "file:password")]);
    // The client of these tests knows no password: it is asked for a proof, and can't give one.
    let mut stream = server.raw();
    let startup = b"\0\0\0\x12\0\x03\0\0user\0ann\0\0";
    stream.write_all(startup).unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).unwrap();
    assert_eq!((head[0], i32::from_be_bytes(head[5..9].try_into().unwrap())), (b'R', 10), "SASL");
    let mut rest = vec![0; usize::try_from(i32::from_be_bytes(head[1..5].try_into().unwrap())).unwrap() - 8];
    stream.read_exact(&mut rest).unwrap();
    assert_eq!(rest, b"SCRAM-SHA-256\0\0");
    // A query before the proof ends the connection.
    stream.write_all(b"Q\0\0\0\x0dSELECT 1\0").unwrap();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).unwrap();
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("08P01") && !told.contains("sesame"), "{told}");
    // psql knows how to prove it.
    let psql = |password: &str| {
        let mut command = std::process::Command::new("psql");
        command.args([
            "-XAtq",
            "-h",
            "127.0.0.1",
            "-U",
            "ann",
            "-d",
            "tideline",
            "-c",
            "SELECT current_user",
        ]);
        command.arg("-p").arg(server.address.port().to_string()).env("PGPASSWORD", password).output()
    };
    let Ok(right) = psql("open sesame") else {
        eprintln!("psql isn't installed: only the refusal was tested");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&right.stdout).trim(), "ann", "{right:?}");
    let wrong = psql("open barley").unwrap();
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(told.contains("password authentication failed for user \"ann\""), "{told}");
}

#[test]
fn time_cancel_rows_and_places_are_limited() {
    let tool = Tool::new().with_lake();
    let settings = [
        ("STATEMENT_SECONDS", "60"),
        ("ROWS_MAX", "1000"),
        ("STATEMENTS_MAX", "1"),
        ("QUEUE_MAX", "1"),
        ("CONNECTIONS_MAX", "4"),
    ];
    let server = Server::start(&tool, &settings);
    let endless = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b, \
                   generate_series(1, 1000000) c WHERE a.value + b.value = c.value + 1";
    let (mut one, mut two) = (server.client(), server.client());
    // A client's own limit; never a longer one than the server's.
    one.query("SET statement_timeout = '300ms'").unwrap();
    let begun = Instant::now();
    assert_eq!(one.code(endless), "57014");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    one.query("RESET statement_timeout").unwrap();
    // More rows than are given: those that were, then an error.
    assert_eq!(one.code("SELECT * FROM generate_series(1, 1001)"), "54000");
    assert_eq!(one.query("SELECT * FROM generate_series(1, 1000)").unwrap().rows.len(), 1000);
    // One computes, one waits, a third is told so.
    one.ask(endless);
    pause(1_000);
    two.ask("SELECT 1");
    pause(500);
    let mut three = server.client();
    assert_eq!(three.code("SELECT 1"), "53300");
    // Words about the connection need no place.
    assert_eq!(three.query("BEGIN").unwrap().transaction, 'T');
    // Cancelling takes the right secret.
    cancel(&server, (one.key.0, one.key.1.wrapping_add(1)));
    cancel(&server, one.key);
    assert_eq!(one.until_ready().unwrap_err().code, "57014");
    assert_eq!(two.until_ready().unwrap().text(), "1");
    // One connection more than are let in.
    let _four = server.client();
    let refused = server.client_with(&[]).err().map(|error| error.code);
    assert_eq!(refused.as_deref(), Some("53300"));
    drop(three);
    pause(500);
    assert!(server.client_with(&[]).is_ok());
}

#[test]
fn who_has_gone_or_says_nothing_keeps_nobody_out() {
    let tool = Tool::new().with_lake();
    let settings = [("STATEMENT_SECONDS", "300"), ("STATEMENTS_MAX", "1"), ("CONNECTIONS_MAX", "4")];
    let server = Server::start(&tool, &settings);
    // A statement ends with its client, and leaves its place to others.
    let mut gone = server.client();
    gone.ask(
        "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b, \
         generate_series(1, 1000000) c WHERE a.value + b.value = c.value + 1",
    );
    pause(1_000);
    drop(gone);
    let begun = Instant::now();
    assert_eq!(server.client().text("SELECT 1"), "1");
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    // What a client sends while it waits is answered in its turn.
    let mut hasty = server.client();
    hasty.ask("SELECT count(*) FROM generate_series(1, 3000000)");
    pause(100);
    hasty.ask("SELECT 2");
    assert_eq!(hasty.until_ready().unwrap().text(), "3000000");
    assert_eq!(hasty.until_ready().unwrap().text(), "2");
    drop(hasty);
    // Of those who say nothing only so many are waited for.
    let silent: Vec<_> = (0..60).map(|_| server.raw()).collect();
    pause(500);
    let closed = |stream: &std::net::TcpStream| {
        stream.set_nonblocking(true).unwrap();
        !matches!((&*stream).read(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    };
    let turned_away = silent.iter().filter(|stream| closed(stream)).count();
    assert_eq!(turned_away, 60 - 4 - 32);
    drop(silent);
    pause(500);
    assert_eq!(server.client().text("SELECT 3"), "3");
}

#[test]
fn no_query_takes_the_server_down() {
    let tool = Tool::new().with_lake();
    let settings = [("STATEMENT_SECONDS", "20"), ("MEMORY_MIB", "64"), ("SPILL_MIB", "16")];
    let server = Server::start(&tool, &settings);
    let mut client = server.client();
    let chain = |word: &str, times: usize| vec!["1"; times].join(word);
    let deep = [
        format!("SELECT {}", chain(" + ", 100_000)),
        format!("SELECT {}", "(".repeat(100_000)),
        format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT {}1", "- ".repeat(5_000)),
        format!("SELECT {}true", "NOT ".repeat(5_000)),
        format!("SELECT {}", chain(" = 1 OR 1 = ", 5_000)),
        format!("SELECT 1 {}", "UNION ALL SELECT 1 ".repeat(5_000)),
        format!("SELECT CAST(1 AS {}INT{})", "ARRAY<".repeat(5_000), ">".repeat(5_000)),
        format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(2_000), " END".repeat(2_000)),
        format!("SELECT * FROM {}", vec!["mart.quota"; 6_000].join(", ")),
        format!("SELECT {}", "1, ".repeat(1_500_000)),
        doubling(40),
    ];
    for text in &deep {
        let code = client.code(text);
        assert!(matches!(code.as_str(), "54001" | "42601" | "57014" | "42701"), "{code}: {}", &text[..60]);
    }
    // As deep as is taken is really computed, in this slow build too.
    assert_eq!(client.text(&format!("SELECT {}", chain(" + ", 400))), "400");
    assert_eq!(
        client.text(&format!("SELECT count(*) FROM (SELECT 1 {}) x", "UNION ALL SELECT 1 ".repeat(390))),
        "391"
    );
    for (text, codes) in [
        ("SELECT length(repeat('x', 2000000000))", &["53200"][..]),
        ("SELECT cardinality(range(0, 100000000000))", &["53200"]),
        (
            "SELECT repeat('x', value) FROM generate_series(1, 2000000) ORDER BY 1",
            &["53200", "53100", "57014", "54000"],
        ),
        (
            "SELECT a.value, count(*) FROM generate_series(1, 30000000) a GROUP BY 1 ORDER BY 2, 1 LIMIT 1",
            &["53200", "53100", "57014"],
        ),
        (
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
            &["57014", "53200"],
        ),
    ] {
        let code = client.code(text);
        assert!(codes.contains(&code.as_str()), "{text}: {code}");
    }
    // Bytes that are no protocol, and messages that promise more than is taken.
    for bytes in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], b"\0\0\0\x08\0\0\0\0", b"\x7f\xff\xff\xff\0\x03\0\0"]
    {
        let mut stream = server.raw();
        stream.write_all(bytes).unwrap();
        // The server may have hung up by now: only that it lives on is asked.
        drop(stream.shutdown(std::net::Shutdown::Write));
        drop(stream.read_to_end(&mut Vec::new()));
    }
    let mut liar = server.client();
    liar.send(b'Q', b"SELECT 1");
    drop(liar);
    assert_eq!(client.text("SELECT 42"), "42");
    assert_eq!(server.stop(), 0);
}

/// Each reads the one before twice: 2^times scans.
fn doubling(times: usize) -> String {
    let steps: Vec<String> =
        (1..times).map(|n| format!("c{n} AS (SELECT 1 AS n FROM c{p} x, c{p} y)", p = n - 1)).collect();
    format!("WITH c0 AS (SELECT 1 AS n), {} SELECT count(*) FROM c{}", steps.join(", "), times - 1)
}
