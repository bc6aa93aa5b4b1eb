//! A lake with the sample's records, for tests of what acts on quotas.

use crate::tool::Tool;

const STREAMS: [&str; 7] =
    ["behaviour", "market_factor", "crm.rep", "crm.customer", "crm.region", "crm.plan", "crm.calendar"];

/// The sample taken in.
pub(crate) fn world() -> Tool {
    world_of(&data_samples::sample_scale())
}

/// What the generator makes at some scale, taken in.
pub(crate) fn world_of(scale: &data_samples::Scale) -> Tool {
    let tool = Tool::new();
    data_samples::generate(scale, &tool.path("data"), data_samples::Format::Ndjson, &mut |_| {}).unwrap();
    for stream in STREAMS {
        let path = tool.path("data").join(stream);
        let from = if path.is_dir() { path } else { tool.path("data").join(format!("{stream}.ndjson")) };
        tool.run(&["ingest", "--stream", stream, "--from", from.to_str().unwrap()]).succeeded();
    }
    tool
}

/// The rows of an answer.
pub(crate) fn ask(tool: &Tool, query: &str) -> Vec<Vec<String>> {
    let out = tool.run(&["sql", "--format", "csv", "-c", query]).succeeded().out;
    out.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// The one cell of an answer.
pub(crate) fn one(tool: &Tool, query: &str) -> String {
    ask(tool, query)[0][0].clone()
}

/// Levels add up to quotas and changes to their differences, at every rep.
pub(crate) fn everything_adds_up(tool: &Tool) {
    let level = "SELECT count(*) FROM (
         SELECT q.quota - sum(e.amount) AS rest FROM mart.quota q
         JOIN mart.quota_explanation e ON e.as_of = q.as_of AND e.rep_id = q.rep_id AND e.kind = 'level'
         GROUP BY q.as_of, q.rep_id, q.quota) WHERE rest <> 0";
    let change = "SELECT count(*) FROM (
         SELECT q.quota - q.previous_quota - sum(e.amount) AS rest FROM mart.quota q
         JOIN mart.quota_explanation e ON e.as_of = q.as_of AND e.rep_id = q.rep_id AND e.kind = 'change'
         GROUP BY q.as_of, q.rep_id, q.quota, q.previous_quota) WHERE rest <> 0";
    assert_eq!((one(tool, level).as_str(), one(tool, change).as_str()), ("0", "0"));
}
