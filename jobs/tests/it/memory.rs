//! What happened long ago is still known, although no run reads so far back.

use data_samples::build::{Event, ndjson};

use crate::tool::Tool;

/// Orders and calls of four customers, the oldest more than a year before the day asked for.
fn long_story() -> Tool {
    let order = |customer: &str, at: &str| {
        Event::new("order.placed").rep("r1").customer(customer).amount("100.00").at(at)
    };
    let call = |customer: &str, at: &str| Event::new("call.connected").rep("r1").customer(customer).at(at);
    let events = [
        order("c1", "2024-11-01T10:00:00+08:00"),
        call("c1", "2024-11-02T10:00:00+08:00"),
        order("c2", "2024-12-15T10:00:00+08:00"),
        order("c2", "2026-01-20T10:00:00+08:00"),
        call("c3", "2025-12-17T10:00:00+08:00"),
        call("c4", "2025-10-23T10:00:00+08:00"),
        call("c4", "2025-09-01T10:00:00+08:00"),
    ];
    let customers: Vec<String> = (1..=4)
        .map(|n| {
            format!(
                r#"{{"customer_id":"c{n}","owner_rep_id":"r1","created_on":"2024-10-01","updated_at":"2024-10-01T00:00:00Z"}}"#
            )
        })
        .collect();
    let rep = r#"{"rep_id":"r1","hired_on":"2024-01-01","updated_at":"2024-01-01T00:00:00Z"}"#;
    let tool = Tool::new()
        .file("rep.ndjson", rep)
        .file("customer.ndjson", &customers.join("\n"))
        .file("events.ndjson", &ndjson(&events));
    for (stream, file) in
        [("crm.rep", "rep.ndjson"), ("crm.customer", "customer.ndjson"), ("behaviour", "events.ndjson")]
    {
        tool.run(&["ingest", "--stream", stream, "--from", file]).succeeded();
    }
    tool
}

#[test]
fn first_orders_and_last_touches_outlive_every_window() {
    let query = "SELECT customer_id, lifecycle_stage, CAST(last_touch AS DATE) AS touched, orders_365d \
                 FROM mart.customer_health WHERE as_of = DATE '2026-01-31' ORDER BY customer_id";
    let expected = "customer_id,lifecycle_stage,touched,orders_365d\n\
                    c1,lost,2024-11-02,0\n\
                    c2,growing,,1\n\
                    c3,prospect,2025-12-17,0\n\
                    c4,prospect,2025-10-23,0\n";
    // At once, and along days that each leave something to the next.
    for days in [&["2026-01-31"][..], &["2024-12-31", "2025-11-15", "2026-01-05", "2026-01-31"]] {
        let tool = long_story();
        for day in days {
            tool.run(&["daily", "--as-of", day]).succeeded();
        }
        assert_eq!(tool.run(&["sql", "--format", "csv", "-c", query]).succeeded().out, expected, "{days:?}");
    }
}
