//! What is answered: rows, pages, forms, validators, and what is wrong with a request.

use std::collections::BTreeSet;

use arrow::ipc::reader::StreamReader;
use serde_json::Value;

use super::client::Server;
use super::{DAYS, people, problem, publish, query, world};

const ARROW: &str = "application/vnd.apache.arrow.stream";

#[test]
fn what_is_served_is_what_sql_says() {
    let tool = world();
    publish(&tool, DAYS[1]);
    let (rep, _, manager) = people(&tool);
    let server = Server::start(&tool);
    let of_day = |day: &str, what: &str| query(&tool, &format!("{what} AND as_of = DATE '{day}'"));
    for (day, path) in [
        (DAYS[1], format!("/v1/reps/{rep}/quota")),
        (DAYS[0], format!("/v1/reps/{rep}/quota?as_of={}", DAYS[0])),
    ] {
        let answer = server.get(&path);
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        let body = answer.json();
        assert_eq!(body["as_of"], day);
        assert_eq!(answer.header("tideline-as-of"), day);
        assert_eq!(body["run_id"], answer.header("tideline-run"));
        assert!(answer.header("tideline-age-seconds").parse::<u64>().unwrap() < 3_600);
        let quota = of_day(day, &format!("SELECT quota FROM mart.quota WHERE rep_id = '{rep}'"));
        assert_eq!(body["quota"]["quota"].to_string(), quota.trim_end_matches('0').trim_end_matches('.'));
        let run = of_day(day, &format!("SELECT run_id FROM mart.quota WHERE rep_id = '{rep}'"));
        assert_eq!(body["run_id"], run.as_str());
    }
    let explained = server.get(&format!("/v1/reps/{rep}/quota/explanation")).json();
    // Amounts are written with two places: without the point they are cents.
    let cents = |value: &Value| -> i64 {
        format!("{:.2}", value.as_f64().unwrap()).replace('.', "").parse().unwrap()
    };
    let terms = |kind: &str| -> Vec<Value> { explained[kind].as_array().unwrap().clone() };
    let quota = server.get(&format!("/v1/reps/{rep}/quota")).json()["quota"].clone();
    let level: i64 = terms("level").iter().map(|term| cents(&term["amount"])).sum();
    assert_eq!(level, cents(&quota["quota"]));
    let change: i64 = terms("change").iter().map(|term| cents(&term["amount"])).sum();
    assert_eq!(change, cents(&quota["quota"]) - cents(&quota["previous_quota"]));
    let health = server.get(&format!("/v1/reps/{rep}/health")).json();
    assert_eq!(
        (&health["health"]["scope"], &health["health"]["scope_id"]),
        (&"rep".into(), &rep.as_str().into())
    );
    assert_eq!(problem(&server.get(&format!("/v1/reps/{manager}x/health"))).0, 404);
    let customer =
        query(&tool, "SELECT customer_id FROM mart.customer_health ORDER BY customer_id DESC LIMIT 1");
    let found = server.get(&format!("/v1/customers/{customer}/health")).json();
    assert_eq!(found["customer"]["customer_id"], customer.as_str());
    let runs = server.get("/v1/runs").json();
    assert_eq!(runs["items"].as_array().unwrap().len(), 2);
    assert_eq!(runs["items"][0]["as_of"], DAYS[1]);
}

#[test]
fn pages_hold_every_row_once_and_stay_on_their_run() {
    let tool = world();
    let server = Server::start(&tool);
    let all = query(&tool, "SELECT count(*) FROM mart.quota");
    let (mut path, mut seen, mut pages) = ("/v1/quotas?limit=3".to_owned(), BTreeSet::new(), 0);
    let run = server.get(&path).json()["run_id"].clone();
    loop {
        let page = server.get(&path).json();
        assert_eq!(page["run_id"], run);
        for row in page["items"].as_array().unwrap() {
            assert!(seen.insert(row["rep_id"].as_str().unwrap().to_owned()), "{row}");
        }
        pages += 1;
        if pages == 2 {
            publish(&tool, DAYS[1]);
            server.until("/readyz", |answer| answer.json()["as_of"] == DAYS[1]);
        }
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/quotas?limit=3&cursor={next}");
    }
    assert_eq!(seen.len().to_string(), all);
    let region =
        server.get("/v1/quotas?limit=1").json()["items"][0]["region_id"].as_str().unwrap().to_owned();
    let of_region = server.get(&format!("/v1/quotas?region={region}")).json();
    let expected =
        format!("SELECT count(*) FROM mart.quota WHERE region_id = '{region}' AND as_of = '{}'", DAYS[1]);
    assert_eq!(of_region["items"].as_array().unwrap().len().to_string(), query(&tool, &expected));
    assert_eq!(server.get("/v1/quotas?period=1999-01").json()["items"], Value::Array(Vec::new()));
    let alerts = server.get("/v1/alerts?severity=high&limit=10000").json();
    let expected =
        format!("SELECT count(*) FROM mart.alert WHERE severity = 'high' AND as_of = '{}'", DAYS[1]);
    assert_eq!(alerts["items"].as_array().unwrap().len().to_string(), query(&tool, &expected));
}

#[test]
fn rows_come_as_arrow_compressed_or_not_at_all_where_they_are_known() {
    let tool = world();
    let (rep, ..) = people(&tool);
    let server = Server::start(&tool);
    let answer = server.ask("GET", "/v1/quotas", &[("accept", ARROW)]);
    assert_eq!((answer.status, answer.header("content-type")), (200, ARROW));
    let batches: Vec<_> =
        StreamReader::try_new(answer.body.as_slice(), None).unwrap().map(Result::unwrap).collect();
    assert_eq!(batches[0].num_rows().to_string(), query(&tool, "SELECT count(*) FROM mart.quota"));
    assert!(batches[0].column_by_name("run_id").is_some());
    let path = format!("/v1/reps/{rep}/quota");
    let plain = server.get(&path);
    for (coding, header) in [("gzip", "gzip"), ("zstd", "zstd"), ("br", "")] {
        let answer = server.ask("GET", &path, &[("accept-encoding", coding)]);
        assert_eq!(answer.header("content-encoding"), header);
        let body = match coding {
            "gzip" => {
                let mut body = Vec::new();
                std::io::Read::read_to_end(
                    &mut flate2::read::GzDecoder::new(answer.body.as_slice()),
                    &mut body,
                )
                .unwrap();
                body
            }
            "zstd" => zstd::decode_all(answer.body.as_slice()).unwrap(),
            _ => answer.body,
        };
        assert_eq!(body, plain.body, "{coding}");
    }
    let etag = plain.header("etag").to_owned();
    let known = server.ask("GET", &path, &[("if-none-match", &etag)]);
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, etag.as_str()));
    let list = format!("\"x\", {etag}");
    assert_eq!(server.ask("GET", "/v1/quotas", &[("if-none-match", &list)]).status, 304);
    assert_eq!(server.ask("GET", &path, &[("if-none-match", &etag), ("accept", ARROW)]).status, 200);
    publish(&tool, DAYS[1]);
    server.until("/readyz", |answer| answer.json()["as_of"] == DAYS[1]);
    assert_eq!(server.ask("GET", &path, &[("if-none-match", &etag)]).status, 200);
    let head = server.ask("HEAD", &path, &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn what_is_wrong_with_a_request_is_said_in_one_form() {
    let tool = world();
    let (rep, ..) = people(&tool);
    let server = Server::start(&tool);
    let check = |method: &str, path: &str, headers: &[(&str, &str)], status: u16, detail: &str| {
        let answer = problem(&server.ask(method, path, headers));
        assert_eq!((answer.0, answer.2.as_str()), (status, detail), "{method} {path}");
    };
    let get = |path: &str, status, detail: &str| check("GET", path, &[], status, detail);
    get("/v2/quotas", 404, "there is nothing under this path; /docs lists the paths");
    get("/v1/../etc/passwd", 404, "there is nothing under this path; /docs lists the paths");
    get("/v1/reps/%2e%2e%2fops/quota", 404, "rep ../ops has no quota as of 2026-02-13");
    get("/v1/reps/nobody/quota", 404, "rep nobody has no quota as of 2026-02-13");
    get("/v1/reps/%ff/quota", 400, "the id can't be read: Invalid URL: Invalid UTF-8 in `id`");
    get("/v1/customers/nobody/health", 404, "there is no customer nobody as of 2026-02-13");
    get(&format!("/v1/reps/{}/quota", "x".repeat(65)), 400, "an id has at most 64 bytes, this one has 65");
    get("/v1/quotas?limit=0", 400, "limit must be a whole number from 1 to 2147483647, not '0'");
    get("/v1/quotas?limit=many", 400, "limit must be a whole number from 1 to 2147483647, not 'many'");
    get("/v1/quotas?regoin=R1", 400, "there is no parameter regoin; did you mean region?");
    get("/v1/quotas?rep=a&rep=b", 400, "rep is given twice; give it once");
    get("/v1/quotas?rep=", 400, "rep is empty; leave it out, or give it a value");
    get("/v1/quotas?as_of=31.3.2026", 400, "as_of must be a date like 2026-03-31, not '31.3.2026'");
    get("/v1/quotas?as_of=2020-01-01", 404, "2020-01-01 is not published; the newest day is 2026-02-13");
    get("/v1/quotas?cursor=1-x", 400, "cursor must be `next` of the page before, as it was given");
    get("/v1/changes?since=now", 400, "since must be a cursor as it was given, not 'now'");
    get(
        "/v1/changes?since=99999999999999999-0-61",
        400,
        "the cursor is of a later publication than any here; is it of another lake?",
    );
    check(
        "POST",
        &format!("/v1/reps/{rep}/quota"),
        &[],
        405,
        "the header Allow names what this path answers",
    );
    check(
        "GET",
        "/v1/quotas",
        &[("content-length", "2097152")],
        413,
        "the body has 2097152 bytes, at most 1048576 are taken",
    );
    check(
        "GET",
        "/v1/quotas",
        &[("transfer-encoding", "chunked")],
        415,
        "nothing is taken here; send no body",
    );
    let (status, kind, _) = problem(&server.get("/v1/quotas?limit=0"));
    assert_eq!((status, kind.as_str()), (400, "bad-parameter"));
    assert_eq!(server.get("/v1/quotas?limit=0").json()["parameter"], "limit");
    assert_eq!(server.ask("POST", "/v1/quotas", &[]).header("allow"), "GET,HEAD");
    let elsewhere = "without keys the server answers to localhost and 127.0.0.1 only, not to 'evil.example'";
    check("GET", "/v1/quotas", &[("host", "evil.example")], 403, elsewhere);
    let lead = problem(&server.get("/v1/leads/l1/score"));
    assert_eq!(lead.0, 404);
}

#[test]
fn the_description_is_complete_and_the_pages_stand_alone() {
    let tool = world();
    let server = Server::start(&tool);
    let document = server.get("/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    let fill = [("{id}", "nobody")];
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = fill.iter().fold(path.clone(), |path, (name, value)| path.replace(name, value));
        if path == "/v1/stream" {
            continue;
        }
        let status = server.get(&path).status;
        let Some(get) = methods.get("get") else {
            assert_eq!(status, 405, "{path}");
            continue;
        };
        let documented = get["responses"].as_object().unwrap();
        assert!(documented.contains_key(&status.to_string()), "{path} answers {status}");
        for parameter in methods["get"]["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            if parameter["in"] == "query" {
                let answer = server.get(&format!("{path}?{name}=%20"));
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                assert!(!text.contains("there is no parameter"), "{path} {name}: {text}");
            }
        }
    }
    for path in ["/", "/docs"] {
        let page = server.get(path);
        assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
        let text = String::from_utf8(page.body).unwrap();
        assert!(
            !text.contains("//cdn") && !text.contains("https://"),
            "the page needs nothing from elsewhere"
        );
    }
    server.get("/v1/quotas");
    let metrics = String::from_utf8(server.get("/metrics").body).unwrap();
    assert!(
        metrics.contains("tideline_http_answers_total{route=\"/v1/quotas\",status=\"200\"} "),
        "{metrics}"
    );
    assert!(metrics.contains("tideline_data_age_seconds "), "{metrics}");
}
