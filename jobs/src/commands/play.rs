//! `tideline generate --kafka`: the generated streams into topics, for demonstrations and load tests.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use data_samples::{Format, Scale};
use engine::contract::Stream;
use engine::kafka::{Player, PlayerOptions};

use super::generate::generate;
use crate::cli::GenerateArgs;
use crate::context::Context;
use crate::output;
use crate::report::words::count;

/// The ids that records are keyed by: what happens to one of them stays in order.
const KEYS: [&str; 5] =
    ["\"customer_id\":\"", "\"lead_id\":\"", "\"rep_id\":\"", "\"region_id\":\"", "\"factor\":\""];
/// Records between two looks at the display.
const RECORDS_PER_LOOK: u64 = 1_000;

pub(crate) async fn run(args: &GenerateArgs, scale: &Scale, context: &Context) -> anyhow::Result<()> {
    let kafka = &context.config.kafka;
    let (mut topics, _) = kafka.topics(&args.topic)?;
    // Whom events are about is known before what they do.
    topics.sort_by_key(|(stream, _)| *stream == Stream::Behaviour);
    let options = PlayerOptions {
        brokers: args.kafka.clone().unwrap_or_default(),
        properties: kafka.properties()?,
        connect: Duration::from_secs(kafka.connect_seconds),
        rate: args.rate,
        kafka_partitions: args.partitions,
    };
    let names: Vec<String> = topics.iter().map(|(_, topic)| topic.clone()).collect();
    let mut player = Player::connect(&options, &names).await?;
    let folder = Folder::new(context)?;
    generate(scale, &folder.0, Format::Ndjson, context)?;
    let context = context.clone();
    let sending = tokio::task::spawn_blocking(move || {
        let started = Instant::now();
        let progress = context.progress("generate");
        progress.stage("playing");
        for (stream, topic) in &topics {
            for file in files(&folder.0, *stream)? {
                play(&mut player, &file, topic, &mut |sent| {
                    progress.detail(|| format!("{} records of {}", count(sent), stream.name()));
                })?;
            }
        }
        anyhow::Ok((player.finish()?, started.elapsed().as_secs_f64()))
    });
    let (records, seconds) = sending.await??;
    output::print(&format!("{} records played in {seconds:.1} s", count(records)))
}

/// A folder for the files between, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(context: &Context) -> anyhow::Result<Self> {
        let name = format!("tideline-play-{}-{}", context.now, std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).with_context(|| format!("making the folder {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "the folder for the files between stays");
        }
    }
}

/// The generated files of a stream, oldest first; none where the generator has no such stream.
fn files(folder: &Path, stream: Stream) -> anyhow::Result<Vec<PathBuf>> {
    if stream != Stream::Behaviour {
        let file = folder.join(format!("{}.ndjson", stream.name()));
        return Ok(if file.exists() { vec![file] } else { Vec::new() });
    }
    let entries = std::fs::read_dir(folder.join(stream.name()))?;
    let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    files.sort();
    Ok(files)
}

fn play(player: &mut Player, file: &Path, topic: &str, told: &mut dyn FnMut(u64)) -> anyhow::Result<()> {
    let mut reader = BufReader::new(std::fs::File::open(file)?);
    let (mut line, mut sent) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let record = line.trim_ascii_end();
        player.play(topic, key(record), record)?;
        sent += 1;
        if sent.is_multiple_of(RECORDS_PER_LOOK) {
            told(sent);
        }
    }
}

/// The id of the first entity that a record names.
fn key(record: &[u8]) -> Option<&[u8]> {
    let text = std::str::from_utf8(record).ok()?;
    KEYS.iter().find_map(|mark| {
        let value = &text[text.find(mark)? + mark.len()..];
        value.find('"').map(|end| &value.as_bytes()[..end])
    })
}
