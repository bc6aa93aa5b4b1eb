#!/usr/bin/env python3
"""How fast a topic becomes a table, beside a bare consumer and other engines; prints a Markdown table.

A topic of 8 partitions is filled with made-up behaviour events, and read by librdkafka with nothing behind it, by
`tideline ingest --kafka` into Delta, and by others into Parquet, all with two threads or processes. The time of Spark
and of Flink is counted without their start, tideline's with it. Needs a broker. pip complains that Flink and Spark want
other versions of py4j: Spark's serves both.

    pip install duckdb bytewax confluent-kafka orjson pyarrow apache-flink==1.20.3 pyspark==4.0.1
    pip install py4j==0.10.9.9
    mvn dependency:copy -f benches/peers/kafka/pom.xml -DoutputDirectory=/tmp/tideline-jars
    cargo build --release && cargo bench -p jobs --bench consume --no-run
    benches/peers/kafka.py --tideline target/release/tideline --consumer target/release/deps/consume-HASH \\
        --kafka 127.0.0.1:9092 --jars /tmp/tideline-jars --work /tmp/tideline-kafka
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

try:
    import duckdb
    import orjson
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError as missing:
    sys.exit(f"{missing}; what this script needs is named in its head")

FLOWS = Path(__file__).resolve().parent / "kafka"
KAFKA_PARTITIONS = 8
DAYS = 10
# What makes events of the generator as long as those of a company's web shop.
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 " * 20
# What engine/src/kafka/client.rs sets for 512 MiB.
AS_TIDELINE = [
    "queued.max.messages.kbytes=65536", "queued.min.messages=50000", "fetch.max.bytes=52428800",
    "max.partition.fetch.bytes=1048576", "fetch.queue.backoff.ms=5", "isolation.level=read_committed",
]
BARE = {
    "librdkafka, batches, its defaults": [],
    "librdkafka, batches": AS_TIDELINE,
    "librdkafka, message by message": ["--each", *AS_TIDELINE],
}


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tideline", type=Path, required=True, help="the release binary")
    parser.add_argument("--consumer", type=Path, required=True, help="the bench `consume`, built")
    parser.add_argument("--kafka", required=True, help="host:port of a broker")
    parser.add_argument("--work", type=Path, required=True, help="a folder that is emptied")
    parser.add_argument("--jars", type=Path, help="folder of the jars that kafka/pom.xml names")
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--bytes", type=int, default=350, help="of a message, at least what an event takes")
    parser.add_argument("--topic", help="one that was filled before, and holds nothing else")
    parser.add_argument("--repeat", type=int, default=3, help="runs of tideline and of the bare consumer, in turn")
    parser.add_argument("--peers", default="bytewax,spark,flink", help="run once each")
    return parser.parse_args()


def run(*command, **options):
    """Runs a command; returns its seconds, CPU seconds, peak bytes and output."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )
    # Others than Spark write little there, and Spark's progress is drawn on a terminal only.
    output = process.stdout.read()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{output}{errors}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


class Table:
    """The rows of the printed table: median rates of what read the same topic."""

    def __init__(self, events, size):
        self.events, self.size = events, size

    def add(self, what, times, note=""):
        middle = statistics.median(times)
        runs = ", ".join(f"{seconds:.2f}" for seconds in times)
        rates = f"{self.events / middle / 1e3:,.0f} k | {self.size / middle / 1e6:,.0f} | {runs}"
        print(f"| {what} | {rates} | {note} |", flush=True)
        return self.events / middle


def fill(args):
    """Plays events of so many bytes into a topic, unless one is given; returns its name."""
    if args.topic:
        return args.topic
    name, events = f"bench-{os.getpid()}", fresh(args.work / "events")
    run(
        args.tideline, "--quiet", "generate", "--out", events, "--format", "ndjson", "--days", DAYS, "--events-per-day",
        args.events // DAYS, "--reps", 2000, "--customers", 50000, "--clean", cwd=args.work,
    )
    brokers = {"bootstrap.servers": args.kafka}
    admin = AdminClient(brokers)
    admin.create_topics([NewTopic(name, KAFKA_PARTITIONS, 1)])[name].result()
    producer = Producer(brokers | {"linger.ms": 50, "batch.size": 1 << 20, "queue.buffering.max.kbytes": 1 << 18})
    lines = (line for path in sorted((events / "behaviour").iterdir()) for line in path.open("rb"))
    for number, line in enumerate(lines):
        event = orjson.loads(line)
        attributes = event.setdefault("attributes", {})
        attributes["agent"] = ""
        attributes["agent"] = AGENT[: max(args.bytes - len(orjson.dumps(event)), 0)]
        while True:
            try:
                producer.produce(name, orjson.dumps(event), partition=number % KAFKA_PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()
    shutil.rmtree(events)
    return name


def consume(args, topic, options):
    """Messages, bytes and seconds of the bare consumer, and its CPU seconds."""
    _, cpu, _, output = run(args.consumer, args.kafka, topic, *options)
    messages, size, seconds = output.split()
    return int(messages), int(size), float(seconds), cpu


def ingest(args, topic, events):
    lake = args.work / "lake"
    shutil.rmtree(lake, ignore_errors=True)
    tideline = [args.tideline, "--quiet", "--lake", lake]
    seconds, cpu, peak, _ = run(
        *tideline, "ingest", "--kafka", args.kafka, "--topic", f"behaviour={topic}", "--until-end", cwd=args.work
    )
    counted = run(*tideline, "sql", "--format", "csv", "-c", "SELECT count(*) FROM raw.behaviour", cwd=args.work)[3]
    check("tideline", int(counted.split()[-1]), events)
    shutil.rmtree(lake)
    return seconds, cpu, peak


def check(what, rows, events):
    if rows != events:
        sys.exit(f"{what} wrote {rows:,} rows of {events:,}")


def peer(name, args, topic, events):
    """Seconds until another engine has written the topic to Parquet: what it says itself, else of the whole command."""
    out = fresh(args.work / name)
    if name == "bytewax":
        variables = os.environ | {"BROKERS": args.kafka, "TOPIC": topic, "OUT": str(out)}
        command = ["-B", "-m", "bytewax.testing", "-p", 2, "bytewax_flow"]
        seconds, _, _, output = run(sys.executable, *command, cwd=FLOWS, env=variables)
    else:
        flow = {"spark": "spark_stream.py", "flink": "flink_sql.py"}[name]
        command = [FLOWS / flow, args.kafka, topic, out, args.jars]
        seconds, _, _, output = run(sys.executable, *command, cwd=args.work)
    own = re.search(r"^seconds ([0-9.]+)$", output, re.MULTILINE)
    files = [str(path) for path in out.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"PAR1"]
    rows = duckdb.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [files]).fetchone()[0]
    check(name, rows, events)
    shutil.rmtree(out)
    return float(own.group(1)) if own else seconds, seconds


def main():
    args = parse_args()
    for name in ("tideline", "consumer", "work", "jars"):
        if path := getattr(args, name):
            setattr(args, name, path.resolve())
    fresh(args.work)
    topic = fill(args)
    events, size, _, _ = consume(args, topic, AS_TIDELINE)
    bare = {what: [] for what in BARE}
    ours, spent, peaks = [], [], []
    for _ in range(args.repeat):
        for what, options in BARE.items():
            bare[what].append(consume(args, topic, options)[2:])
        seconds, cpu, peak = ingest(args, topic, events)
        ours.append(seconds)
        spent.append(cpu)
        peaks.append(peak)
    print(f"{events:,} events, {size / events:.0f} bytes each, {KAFKA_PARTITIONS} partitions, {os.cpu_count()} cores\n")
    print("| what | events/s | MB/s | seconds | |\n|---|---|---|---|---|")
    table = Table(events, size)
    cpu = lambda times: f"{statistics.median(times):.1f} s of CPU"
    ceilings = {what: table.add(what, [t[0] for t in runs], cpu([t[1] for t in runs])) for what, runs in bare.items()}
    rate = table.add("**tideline**, into Delta", ours, f"{cpu(spent)}, peak {max(peaks) / 2**20:,.0f} MiB")
    others = {}
    for name in filter(None, args.peers.split(",")):
        seconds, whole = peer(name, args, topic, events)
        others[name] = table.add(f"{name}, into Parquet", [seconds], f"{whole:.1f} s with its start")
    print()
    for what, ceiling in ceilings.items():
        print(f"tideline ÷ {what}: {rate / ceiling:.2f} (wanted: 0.60)")
    if others:
        fastest = max(others, key=others.get)
        print(f"tideline ÷ {fastest}, the fastest other: {rate / others[fastest]:.1f} (wanted: 3)")


if __name__ == "__main__":
    main()
