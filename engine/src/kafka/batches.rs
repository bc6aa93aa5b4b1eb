//! Messages by the batch.
//!
//! A poll hands over one message as an event of its own, and costs a quarter of what it takes to decode, check and write
//! it. librdkafka's batches cost half of that, but not on the queue that events of the group come through. So partitions
//! get a queue of their own here, before they are assigned; events stay where they were, and are still polled for.
//!
//! librdkafka: `rd_kafka_queue_new`, `rd_kafka_queue_get_partition`, `rd_kafka_queue_forward` and
//! `rd_kafka_consume_batch_queue` in `rdkafka.h`. A queue that the application forwards stays so when fetching starts.
#![expect(unsafe_code, reason = "rdkafka has no safe way to librdkafka's batches")]

use std::ffi::{CStr, CString};
use std::ptr::{NonNull, null_mut};
use std::time::Duration;

use rdkafka::bindings;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{IsError, KafkaError};
use rdkafka::topic_partition_list::TopicPartitionList;

/// Messages of one batch, at most.
const BATCH: usize = 1_000;

/// A message, as long as the batch that it came in is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken<'m> {
    pub(super) topic: &'m str,
    pub(super) kafka_partition: i32,
    pub(super) offset: i64,
    /// None for a tombstone.
    pub(super) value: Option<&'m [u8]>,
}

/// A queue for the messages of the partitions that are [forwarded](Self::forward) to it. It must go before its consumer.
#[derive(Debug)]
pub(super) struct Batches {
    queue: NonNull<bindings::rd_kafka_queue_t>,
    batch: Vec<*mut bindings::rd_kafka_message_t>,
}

// SAFETY: librdkafka's queues may be used from any thread; the pointers in `batch` are only followed within a call.
unsafe impl Send for Batches {}

impl Batches {
    /// A queue without partitions; none where librdkafka can't make one.
    pub(super) fn new<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<Self> {
        // SAFETY: the client lives as long as the consumer.
        let queue = unsafe { bindings::rd_kafka_queue_new(consumer.client().native_ptr()) };
        Some(Self { queue: NonNull::new(queue)?, batch: vec![null_mut(); BATCH] })
    }

    /// Has the messages of partitions come here; to be called before they are assigned.
    pub(super) fn forward<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        partitions: &TopicPartitionList,
    ) {
        let client = consumer.client().native_ptr();
        for partition in partitions.elements() {
            // A name that came from the broker has no zero in it.
            let Ok(topic) = CString::new(partition.topic()) else { continue };
            // SAFETY: client, name and queue live here; the partition's queue is ours to destroy, which leaves it
            // forwarded.
            unsafe {
                let own =
                    bindings::rd_kafka_queue_get_partition(client, topic.as_ptr(), partition.partition());
                if !own.is_null() {
                    bindings::rd_kafka_queue_forward(own, self.queue.as_ptr());
                    bindings::rd_kafka_queue_destroy(own);
                }
            }
        }
    }

    /// Takes what is there, or comes within `wait`, and `limit` messages at most (at least 1). Each is shown to
    /// `message`. Returns the first error among them.
    pub(super) fn take(
        &mut self,
        wait: Duration,
        limit: u64,
        mut message: impl FnMut(Taken<'_>),
    ) -> Option<KafkaError> {
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let limit = usize::try_from(limit).unwrap_or(BATCH).clamp(1, self.batch.len());
        // SAFETY: the batch has room for as many messages as are asked for.
        let came = unsafe {
            bindings::rd_kafka_consume_batch_queue(self.queue.as_ptr(), wait, self.batch.as_mut_ptr(), limit)
        };
        let came = usize::try_from(came).unwrap_or(0).min(limit);
        let mut failure = None;
        for raw in &self.batch[..came] {
            // SAFETY: librdkafka has filled in so many.
            match unsafe { read(*raw) } {
                Ok(taken) => message(taken),
                Err(error) => failure = failure.or(Some(error)),
            }
            // SAFETY: it is ours to destroy, and nothing of it is used any more.
            unsafe { bindings::rd_kafka_message_destroy(*raw) };
        }
        failure
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        // SAFETY: it was made by us, and nobody else has it.
        unsafe { bindings::rd_kafka_queue_destroy(self.queue.as_ptr()) }
    }
}

/// What librdkafka says of a message.
///
/// # Safety
/// `raw` points to a message of librdkafka's that isn't destroyed as long as what is returned is used.
unsafe fn read<'m>(raw: *const bindings::rd_kafka_message_t) -> Result<Taken<'m>, KafkaError> {
    // SAFETY: as the caller says.
    let message = unsafe { &*raw };
    if message.err.is_error() {
        return Err(KafkaError::MessageConsumption(message.err.into()));
    }
    // SAFETY: a message without an error has a topic, whose name lives as long as it; and `len` bytes at `payload`,
    // unless that is null.
    let (name, value) = unsafe {
        let name = CStr::from_ptr(bindings::rd_kafka_topic_name(message.rkt));
        let value = (!message.payload.is_null())
            .then(|| std::slice::from_raw_parts(message.payload.cast::<u8>(), message.len));
        (name, value)
    };
    // Kafka's names are ASCII; no partition that is held has an empty one.
    let topic = name.to_str().unwrap_or_default();
    Ok(Taken { topic, kafka_partition: message.partition, offset: message.offset, value })
}
