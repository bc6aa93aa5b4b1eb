//! A bare librdkafka consumer: reads a topic as far as it reaches at the start, and throws every message away.
//!
//! The ceiling of `tideline ingest --kafka` on the same machine; `benches/peers/kafka.py` runs both:
//! `cargo bench -p jobs --bench consume -- [--each] BROKERS TOPIC [PROPERTY=VALUE …]`, the properties librdkafka's.
//! Messages come in batches, as librdkafka hands them over fastest, or with `--each` one at a time, as `BaseConsumer`
//! polls. Prints messages, bytes and seconds. Partitions are assigned from their beginnings; no offsets are committed.

use std::time::{Duration, Instant};

use rdkafka::bindings;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

const CONNECT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_secs(10);
const BATCH: usize = 1_000;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[expect(clippy::print_stdout, reason = "the figures")]
fn main() -> Outcome<()> {
    let given = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (flags, given): (Vec<String>, Vec<String>) = given.partition(|argument| argument == "--each");
    let [brokers, topic, properties @ ..] = &given[..] else {
        println!("consume: give brokers and a topic, after --");
        return Ok(());
    };
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", "bare").set("enable.auto.commit", "false");
    for property in properties {
        let (name, value) = property.split_once('=').ok_or_else(|| format!("{property}: NAME=VALUE"))?;
        config.set(name, value);
    }
    let consumer: BaseConsumer = config.create()?;
    let messages = begin(&consumer, topic)?;
    let started = Instant::now();
    let bytes = if flags.is_empty() { batches(&consumer, messages)? } else { each(&consumer, messages)? };
    println!("{messages} {bytes} {:.3}", started.elapsed().as_secs_f64());
    Ok(())
}

/// Assigns every partition from its beginning; returns how many messages lie before the ends.
fn begin(consumer: &BaseConsumer, topic: &str) -> Outcome<usize> {
    let known = consumer.fetch_metadata(Some(topic), CONNECT)?;
    let partitions = known.topics().first().ok_or("no such topic")?.partitions();
    let (mut list, mut messages) = (TopicPartitionList::new(), 0);
    for partition in partitions {
        let (first, end) = consumer.fetch_watermarks(topic, partition.id(), CONNECT)?;
        list.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
        messages += usize::try_from(end - first)?;
    }
    consumer.assign(&list)?;
    Ok(messages)
}

fn each(consumer: &BaseConsumer, messages: usize) -> Outcome<usize> {
    let mut bytes = 0;
    for _ in 0..messages {
        bytes += consumer.poll(POLL).ok_or("no message came")??.payload_len();
    }
    Ok(bytes)
}

#[expect(unsafe_code, reason = "rdkafka has no safe way to librdkafka's batches")]
fn batches(consumer: &BaseConsumer, messages: usize) -> Outcome<usize> {
    let (mut bytes, mut left) = (0, messages);
    let mut batch = vec![std::ptr::null_mut(); BATCH];
    // SAFETY: the consumer outlives the queue, which is given back below.
    let queue = unsafe { bindings::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
    while left > 0 {
        let wait = i32::try_from(POLL.as_millis())?;
        // SAFETY: the batch has room for as many messages as it is said to.
        let got =
            unsafe { bindings::rd_kafka_consume_batch_queue(queue, wait, batch.as_mut_ptr(), batch.len()) };
        let got = usize::try_from(got)?;
        if got == 0 {
            return Err("no message came".into());
        }
        for message in &batch[..got] {
            // SAFETY: librdkafka has filled in so many, each ours to destroy, once.
            unsafe {
                bytes += (**message).len;
                bindings::rd_kafka_message_destroy(*message);
            }
        }
        left -= got.min(left);
    }
    // SAFETY: it was taken above, and nobody else has it.
    unsafe { bindings::rd_kafka_queue_destroy(queue) };
    Ok(bytes)
}
