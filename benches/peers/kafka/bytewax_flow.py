"""Kafka → typed columns → Parquet with Bytewax: a process a core, each with a file.

Started by ../kafka.py, as `python -m bytewax.testing -p 2 bytewax_flow`, with BROKERS, TOPIC and OUT in the environment.
"""

import os
import uuid
from pathlib import Path

import bytewax.operators as op
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from confluent_kafka import OFFSET_BEGINNING

TEXT = pa.string()
TYPES = {
    "event_id": TEXT, "event_time": pa.timestamp("us", "UTC"), "event_type": TEXT, "channel": TEXT, "rep_id": TEXT,
    "customer_id": TEXT, "lead_id": TEXT, "opportunity_id": TEXT, "amount": pa.decimal128(18, 2),
    "evidence_count": pa.int32(), "evidence": TEXT, "attributes": pa.map_(TEXT, TEXT),
}
TYPED = pa.schema(TYPES)
# As they stand in JSON: Arrow turns whole columns of text into instants and amounts.
RAW = pa.schema({name: TEXT if name in ("event_time", "amount") else kind for name, kind in TYPES.items()})


def record(message):
    row = orjson.loads(message.value)
    if row.get("attributes"):
        row["attributes"] = list(row["attributes"].items())
    if row.get("evidence"):
        row["evidence"] = orjson.dumps(row["evidence"]).decode()
    return row


def parse(messages):
    return [pa.Table.from_pylist([record(message) for message in messages], schema=RAW).cast(TYPED)]


class ParquetFile(StatelessSinkPartition):
    def __init__(self, path):
        self.writer = pq.ParquetWriter(path, TYPED, compression="snappy")

    def write_batch(self, tables):
        for table in tables:
            self.writer.write_table(table)

    def close(self):
        self.writer.close()


class ParquetSink(DynamicSink):
    def build(self, step_id, worker_index, worker_count):
        return ParquetFile(Path(os.environ["OUT"]) / f"{worker_index}-{uuid.uuid4()}.parquet")


flow = Dataflow("events")
brokers, topics = [os.environ["BROKERS"]], [os.environ["TOPIC"]]
source = KafkaSource(brokers, topics, tail=False, starting_offset=OFFSET_BEGINNING, batch_size=10_000)
messages = op.input("messages", flow, source)
tables = op.flat_map_batch("parse", messages, parse)
op.output("parquet", tables, ParquetSink())
