//! The feed of changes: complete, in order, without repeats, whoever answers.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::Value;

use super::client::Server;
use super::{DAYS, publish, query, world};
use crate::tool::Tool;

/// Reads the feed to its end.
pub(super) fn follow(server: &Server, since: &mut String, limit: usize) -> Vec<Value> {
    let mut changes = Vec::new();
    loop {
        let since_part = if since.is_empty() { String::new() } else { format!("&since={since}") };
        let page = server.get(&format!("/v1/changes?limit={limit}{since_part}"));
        assert_eq!(page.status, 200, "{page:?}");
        let page = page.json();
        let found = page["changes"].as_array().unwrap();
        assert!(found.len() <= limit);
        changes.extend(found.iter().cloned());
        page["next"].as_str().unwrap().clone_into(since);
        if page["more"] == false {
            return changes;
        }
    }
}

/// The quotas that the changes come down to.
fn applied(changes: &[Value]) -> BTreeMap<String, String> {
    let mut quotas = BTreeMap::new();
    for change in changes.iter().filter(|change| change["kind"] == "quota") {
        let rep = change["rep_id"].as_str().unwrap().to_owned();
        let before = quotas.insert(rep, change["quota"].to_string());
        assert_eq!(before.unwrap_or_else(|| "null".to_owned()), change["before"].to_string(), "{change}");
    }
    quotas.retain(|_, quota| quota != "null");
    quotas
}

fn served(server: &Server) -> BTreeMap<String, String> {
    let rows = server.get("/v1/quotas?limit=10000").json();
    let pair = |row: &Value| (row["rep_id"].as_str().unwrap().to_owned(), row["quota"].to_string());
    rows["items"].as_array().unwrap().iter().map(pair).collect()
}

/// Another sale of the first day, by the n-th rep.
pub(super) fn more_sales(tool: &Tool, n: usize) {
    let rep = query(tool, &format!("SELECT rep_id FROM mart.quota ORDER BY rep_id LIMIT 1 OFFSET {n}"));
    let event = data_samples::build::Event::new("deal.signed")
        .rep(&rep)
        .customer("c-new")
        .opportunity(&format!("o-new-{n}"))
        .id(&format!("sale-{n}"))
        .at("2026-02-12T03:00:00Z")
        .amount("90000.00")
        .to_json();
    let name = format!("sale-{n}.ndjson");
    std::fs::write(tool.path(&name), format!("{event}\n")).unwrap();
    tool.run(&["ingest", "--stream", "behaviour", "--from", &name]).succeeded();
}

#[test]
fn every_change_comes_once_and_in_order_through_publications_and_restarts() {
    let tool = world();
    let mut server = Server::start(&tool);
    let (mut since, mut changes) = (String::new(), Vec::new());
    changes.extend(follow(&server, &mut since, 7));
    assert_eq!(applied(&changes), served(&server));
    // A new day, the same day again with late sales, an older day that changes nothing that is shown.
    let publications: [&dyn Fn(); 4] = [
        &|| publish(&tool, DAYS[1]),
        &|| {
            more_sales(&tool, 0);
            publish(&tool, DAYS[1]);
        },
        &|| publish(&tool, DAYS[0]),
        &|| {
            more_sales(&tool, 1);
            publish(&tool, DAYS[1]);
        },
    ];
    for (round, publication) in publications.iter().enumerate() {
        publication();
        if round % 2 == 0 {
            let (status, _) = server.stop();
            assert_eq!(status, 0);
            server = Server::start(&tool);
        } else {
            let runs = round + 2;
            server.until("/v1/runs", |answer| answer.json()["items"].as_array().unwrap().len() == runs);
        }
        let part = follow(&server, &mut since, 5);
        assert!(round == 2 || part.iter().any(|change| change["kind"] == "quota"), "round {round}: {part:?}");
        assert!(round != 2 || part.is_empty(), "an older day: {part:?}");
        changes.extend(part);
        assert_eq!(applied(&changes), served(&server));
    }
    // Whoever comes anew and reads it in one go is told the same, in the same order.
    let whole = follow(&server, &mut String::new(), 10_000);
    assert_eq!(whole, changes);
    let mut cursors: Vec<&str> = whole.iter().map(|change| change["cursor"].as_str().unwrap()).collect();
    cursors.sort_unstable();
    cursors.dedup();
    assert_eq!(cursors.len(), whole.len());
    // From within.
    let middle = whole.len() / 2;
    let mut cursor = whole[middle]["cursor"].as_str().unwrap().to_owned();
    assert_eq!(follow(&server, &mut cursor, 11), whole[middle + 1..]);
    // The page of quotas says where to go on.
    let mut end = server.get("/v1/quotas?limit=1").json()["changes"].as_str().unwrap().to_owned();
    assert_eq!(follow(&server, &mut end, 10), Vec::<Value>::new());
    // Once a replaced publication has been cleaned up, the rest still comes down to what is shown.
    tool.run(&["lake", "maintain"]).succeeded();
    drop(server);
    let server = Server::start(&tool);
    assert_eq!(applied(&follow(&server, &mut String::new(), 10_000)), served(&server));
}

#[test]
fn a_stream_tells_the_same_and_goes_on_where_it_was_left() {
    let tool = world();
    let server = Server::start(&tool);
    let listen = |extra: &str| {
        let mut stream = server.connect();
        write!(stream, "GET /v1/stream HTTP/1.1\r\nhost: {}\r\n{extra}\r\n", server.address).unwrap();
        BufReader::new(stream)
    };
    let read = |from: &mut BufReader<std::net::TcpStream>, n: usize| -> Vec<(String, Value)> {
        let (mut events, mut id, mut line) = (Vec::new(), String::new(), String::new());
        while events.len() < n {
            line.clear();
            assert_ne!(from.read_line(&mut line).unwrap(), 0, "the stream ended");
            if let Some(text) = line.trim().strip_prefix("id: ") {
                text.clone_into(&mut id);
            } else if let Some(data) = line.trim().strip_prefix("data: ") {
                events.push((id.clone(), serde_json::from_str(data).unwrap()));
            }
        }
        events
    };
    // Connected before anything happens, so it hears of the second day only.
    let mut early = listen("");
    let mut head = String::new();
    early.read_line(&mut head).unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let mut since = String::new();
    let first_day = follow(&server, &mut since, 10_000);
    publish(&tool, DAYS[1]);
    server.until("/readyz", |answer| answer.json()["as_of"] == DAYS[1]);
    let second_day = follow(&server, &mut since, 10_000);
    let told = read(&mut early, second_day.len());
    assert_eq!(
        told.iter().map(|(_, change)| change).collect::<Vec<_>>(),
        second_day.iter().collect::<Vec<_>>()
    );
    assert!(told.iter().all(|(id, change)| change["cursor"] == id.as_str()));
    let all: Vec<&Value> = first_day.iter().chain(&second_day).collect();
    let from = all.len() / 3;
    let mut late = listen(&format!("last-event-id: {}\r\n", all[from]["cursor"].as_str().unwrap()));
    let told = read(&mut late, all.len() - from - 1);
    assert_eq!(told.iter().map(|(_, change)| change).collect::<Vec<_>>(), all[from + 1..]);
    // Stopping ends the streams, and doesn't wait for them.
    let begun = std::time::Instant::now();
    assert_eq!(server.stop().0, 0);
    assert!(begun.elapsed().as_secs() < 8);
}
