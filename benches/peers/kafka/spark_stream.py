"""Kafka → typed columns → Parquet with Spark's Structured Streaming: spark_stream.py BROKERS TOPIC OUT JARS.

Prints the seconds that the query took, without the start of Spark.
"""

import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_json

SCHEMA = """
    event_id STRING, event_time TIMESTAMP, event_type STRING, channel STRING, rep_id STRING, customer_id STRING,
    lead_id STRING, opportunity_id STRING, amount DECIMAL(18, 2), evidence_count INT, evidence STRING,
    attributes MAP<STRING, STRING>
"""

brokers, topic, out, jars = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", ",".join(str(jar) for jar in Path(jars).glob("*.jar")))
    .config("spark.driver.memory", "4g")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
started = time.perf_counter()
events = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", brokers)
    .option("subscribe", topic)
    .option("startingOffsets", "earliest")
    .load()
    .select(from_json(col("value").cast("string"), SCHEMA).alias("event"))
    .select("event.*")
)
query = (
    events.writeStream.format("parquet")
    .option("path", f"{out}/events")
    .option("checkpointLocation", f"{out}/checkpoint")
    .trigger(availableNow=True)
    .start()
)
query.awaitTermination()
print(f"seconds {time.perf_counter() - started:.3f}")
