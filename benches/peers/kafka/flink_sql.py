"""Kafka → typed columns → Parquet with Flink SQL, two slots: flink_sql.py BROKERS TOPIC OUT JARS.

Prints the seconds that the job took, without the start of Python and the gateway. Hadoop's and Parquet's jars are those
that come with Spark.
"""

import sys
import time
from pathlib import Path

import pyspark
from pyflink.table import EnvironmentSettings, TableEnvironment

TYPES = """
    event_id STRING, event_time TIMESTAMP(6), event_type STRING, channel STRING, rep_id STRING, customer_id STRING,
    lead_id STRING, opportunity_id STRING, amount DECIMAL(18, 2), evidence_count INT, evidence STRING,
    attributes MAP<STRING, STRING>
"""

brokers, topic, out, jars = sys.argv[1:]
bundled = Path(pyspark.__file__).parent / "jars"
paths = [path for name in ("parquet-*", "hadoop-client-*", "snappy-java*") for path in bundled.glob(name + ".jar")]
paths += Path(jars).glob("flink-*.jar")
table = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
table.get_config().set("pipeline.jars", ";".join(path.resolve().as_uri() for path in paths))
table.get_config().set("parallelism.default", "2")
# Files are finished at checkpoints.
table.get_config().set("execution.checkpointing.interval", "5 s")
table.get_config().set("pipeline.object-reuse", "true")
# Its ISO-8601 knows no offset from UTC, so the instant is read as text.
table.execute_sql(f"""
    CREATE TABLE topic ({TYPES.replace("event_time TIMESTAMP(6)", "event_time STRING")}) WITH (
        'connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{brokers}',
        'properties.group.id' = 'flink', 'scan.startup.mode' = 'earliest-offset',
        'scan.bounded.mode' = 'latest-offset', 'format' = 'json'
    )
""")
table.execute_sql(f"""
    CREATE TABLE files ({TYPES}) WITH ('connector' = 'filesystem', 'path' = '{out}', 'format' = 'parquet')
""")
started = time.perf_counter()
table.execute_sql("""
    INSERT INTO files
    SELECT event_id, CAST(REPLACE(SUBSTRING(event_time, 1, 26), 'T', ' ') AS TIMESTAMP(6)), event_type, channel, rep_id,
           customer_id, lead_id, opportunity_id, amount, evidence_count, evidence, attributes
    FROM topic
""").wait()
print(f"seconds {time.perf_counter() - started:.3f}")
