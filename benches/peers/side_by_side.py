#!/usr/bin/env python3
"""Tideline beside DuckDB on the same Parquet files, in one run; prints a Markdown table.

    pip install duckdb
    cargo build --release
    benches/peers/side_by_side.py --tideline target/release/tideline --work /tmp/tideline-bench

Steps (default: ingest,daily,history):
  ingest   contract Parquet and NDJSON into a lake: events and bytes a second
  daily    the whole daily run for one new day, beside DuckDB's customer health and touch density of 30 raw days
  history  that same day in a lake with 30 and in one with 365 days of history
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

try:
    import duckdb
except ImportError:
    sys.exit("this script needs DuckDB: pip install duckdb")

END = date(2026, 3, 31)
STREAMS = ["crm.region", "crm.rep", "crm.customer", "crm.plan", "crm.calendar", "market_factor"]


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tideline", type=Path, required=True, help="the release binary")
    parser.add_argument("--work", type=Path, required=True, help="folder for data and lakes; kept, and reused")
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--events-per-day", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=500_000)
    parser.add_argument("--reps", type=int, default=5_000)
    parser.add_argument("--history-events-per-day", type=int, default=100_000, help="scale of the step history")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each timed query; the median counts")
    parser.add_argument("--pairs", type=int, default=24, help="pairs of runs of the step history")
    parser.add_argument("--steps", default="ingest,daily,history")
    parser.add_argument("--clean", action="store_true", help="data without duplicates, late and broken records")
    return parser.parse_args()


class Tideline:
    """The command, timed, with the peak memory of each run."""

    def __init__(self, binary, lake):
        self.binary, self.lake = binary.resolve(), lake

    def __call__(self, *arguments):
        command = [self.binary, "--quiet", "--lake", self.lake, *arguments]
        started = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status != 0:
            sys.exit(f"failed: {' '.join(map(str, command))}\n{output}")
        return seconds, usage.ru_maxrss * 1024, output


def row(what, figure):
    print(f"| {what} | {figure} |", flush=True)


def generate(args, out, days, events_per_day, customers, reps, form="parquet"):
    """Makes the data unless it is there; returns the seconds, or None."""
    if (out / "done").exists():
        return None
    shutil.rmtree(out, ignore_errors=True)
    extra = ["--clean"] if args.clean else []
    run = Tideline(args.tideline, out)
    seconds, _, _ = run(
        "generate", "--out", out, "--days", days, "--events-per-day", events_per_day, "--customers", customers,
        "--reps", reps, "--end", END, "--format", form, *extra,
    )
    (out / "done").touch()
    return seconds


def ingest_crm(run, data):
    for stream in STREAMS:
        if (data / f"{stream}.ndjson").exists():
            run("ingest", "--stream", stream, "--from", data / f"{stream}.ndjson")


def behaviour_files(data):
    return sorted(path for path in (data / "behaviour").iterdir() if path.is_file())


def ingest_step(args, data):
    ndjson = args.work / "ndjson"
    days = 4
    seconds = generate(args, ndjson, days, args.events_per_day, args.customers, args.reps, "ndjson")
    if seconds:
        row("generate, NDJSON", f"{days * args.events_per_day / seconds / 1e6:.2f} M events/s")
    size = sum(path.stat().st_size for path in behaviour_files(ndjson))
    some = behaviour_files(data)[:20]
    rows = duckdb.sql(f"SELECT count(*) FROM read_parquet({[str(p) for p in some]})").fetchall()[0][0]
    parquet, text, memory = [], [], 0
    for _ in range(args.repeat):
        for files, times in ((some, parquet), (behaviour_files(ndjson), text)):
            lake = args.work / "scratch-lake"
            shutil.rmtree(lake, ignore_errors=True)
            seconds, peak, _ = Tideline(args.tideline, lake)("ingest", "--stream", "behaviour", "--from", *files)
            times.append(seconds)
            memory = max(memory, peak)
            shutil.rmtree(lake)
    row("(a) ingest of Parquet", f"{rows / statistics.median(parquet) / 1e6:.2f} M events/s ({rows:,} rows)")
    row("(a) ingest of NDJSON", f"{size / statistics.median(text) / 1e6:.0f} MB/s ({size / 1e6:,.0f} MB)")
    row("peak memory of ingest", f"{memory / 2**20:,.0f} MiB")


def prepare_lake(args, name, data, days):
    """A lake that has published the day before the last, was maintained, and then took in the last day's file."""
    lake = args.work / name
    run = Tideline(args.tideline, lake)
    if not (lake / "ready").exists():
        shutil.rmtree(lake, ignore_errors=True)
        ingest_crm(run, data)
        files = behaviour_files(data)[-days:]
        seconds, _, _ = run("ingest", "--stream", "behaviour", "--from", *files[:-1])
        first, _, _ = run("daily", "--as-of", END - timedelta(days=1))
        run("lake", "maintain")
        run("ingest", "--stream", "behaviour", "--from", files[-1])
        (lake / "ready").touch()
        row(f"{name}: ingest of all days but the last; first daily run", f"{seconds:.1f} s; {first:.1f} s")
    return lake


def daily(args, lakes, rounds):
    """Runs of the last day, each from a fresh copy of a prepared lake, the lakes by turns and in changing order: seconds
    of each lake's runs by round, peak bytes of all, and the last output."""
    times, peak, output = [[0.0] * rounds for _ in lakes], 0, ""
    turns = list(enumerate(lakes))
    jobs = []
    for n in range(rounds):
        jobs += [(which, n, lake.with_name(f"{lake.name}-copy-{n}")) for which, lake in turns[:: 1 - n % 2 * 2]]
    for which, _, copy in jobs:
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-al", lakes[which], copy], check=True)
    os.sync()
    # For some seconds, ext4 searches longer for room where many files have just been deleted.
    time.sleep(6)
    for which, n, copy in jobs:
        times[which][n], memory, output = Tideline(args.tideline, copy)("daily", "--as-of", END)
        peak = max(peak, memory)
    for _, _, copy in jobs:
        shutil.rmtree(copy)
    return times, peak, output


def duckdb_times(args, lake, once):
    """Seconds for customer health and touch density as of END from 30 days of raw files, into memory."""
    flags = Tideline(args.tideline, lake)(
        "sql", "--format", "csv", "-c", "SELECT code, touch, effective_touch FROM catalogue.event"
    )[2]
    (args.work / "flags.csv").write_text(flags)
    first = END - timedelta(days=29)
    days = [str(first + timedelta(days=n)) for n in range(30)]
    files = [str(p) for d in days for p in (lake / "raw/behaviour" / f"event_date={d}").glob("*.parquet")]
    customers = [str(p) for p in (lake / "crm/customer").glob("*.parquet")]
    reps = [str(p) for p in (lake / "crm/rep").glob("*.parquet")]
    source = f"read_parquet({files}, hive_partitioning = true)"
    columns = "event_id, event_time, event_type, customer_id, evidence_count"
    if once:
        source = f"(SELECT DISTINCT ON (event_date, event_id) {columns} FROM {source})"
    query = f"""
        CREATE OR REPLACE TEMP TABLE health AS
        WITH customer AS (
            SELECT DISTINCT ON (customer_id) customer_id, owner_rep_id, region_id, created_on
            FROM read_parquet({customers}) ORDER BY customer_id, updated_at DESC NULLS LAST
        ), sums AS (
            SELECT customer_id, count(*) AS touches, sum(evidence_count) AS evidence,
                   count(*) FILTER (WHERE f.effective_touch) AS effective,
                   count(*) FILTER (WHERE f.effective_touch AND evidence_count > 0) AS evidenced,
                   max(event_time) AS last_touch
            FROM {source} JOIN flags f ON f.code = event_type
            WHERE f.touch AND customer_id IS NOT NULL
            GROUP BY customer_id
        ), scored AS (
            SELECT c.*, coalesce(touches, 0) AS touches_30d, coalesce(evidence, 0) AS evidence_30d,
                   greatest(0, least(30, floor((epoch(TIMESTAMPTZ '{END + timedelta(days=1)} 00:00:00+08')
                       - epoch(coalesce(last_touch, created_on::TIMESTAMP)) - 259200) / 86400)))::BIGINT AS overdue,
                   coalesce(effective >= 2 AND evidenced >= 1, false) AS dense
            FROM customer c LEFT JOIN sums USING (customer_id)
        )
        SELECT *, 2 * touches_30d + 5 * evidence_30d - 3 * overdue AS customer_health FROM scored;
        CREATE OR REPLACE TEMP TABLE density AS
        SELECT owner_rep_id, manager_id, h.region_id, count(*), count(*) FILTER (WHERE dense)
        FROM health h LEFT JOIN read_parquet({reps}) r ON r.rep_id = h.owner_rep_id
        GROUP BY GROUPING SETS ((owner_rep_id), (manager_id), (h.region_id), ());
    """
    connection = duckdb.connect(config={"threads": os.cpu_count()})
    connection.execute(f"CREATE TABLE flags AS FROM read_csv('{args.work / 'flags.csv'}')")
    times = []
    for _ in range(args.repeat):
        started = time.perf_counter()
        connection.execute(query)
        times.append(time.perf_counter() - started)
    return times


def daily_step(args, data):
    lake = prepare_lake(args, f"lake-{args.days}", data, args.days)
    (ours,), peak, output = daily(args, [lake], args.repeat)
    plain, once = duckdb_times(args, lake, once=False), duckdb_times(args, lake, once=True)
    mid = statistics.median
    seconds = lambda times: f"{mid(times):.2f} s (of {', '.join(f'{t:.2f}' for t in times)})"
    row("(b) daily run, whole, one new day", seconds(ours))
    row("(b) DuckDB, health and density of 30 raw days, copies counted twice", seconds(plain))
    row("(b) DuckDB, the same, each event once", seconds(once))
    row("(b) ratio: ours ÷ DuckDB", f"{mid(ours) / mid(plain):.2f} (each event once: {mid(ours) / mid(once):.2f})")
    row("(e) peak memory of the daily run", f"{peak / 2**20:,.0f} MiB")
    print(output, file=sys.stderr)


def history_step(args):
    data = args.work / "history"
    scale = args.history_events_per_day / args.events_per_day
    generate(args, data, 365, args.history_events_per_day, int(args.customers * scale), int(args.reps * scale))
    short = prepare_lake(args, "lake-history-30", data, 30)
    long = prepare_lake(args, "lake-history-365", data, 365)
    few, many = daily(args, [short, long], args.pairs)[0]
    ratios = sorted(b / a for a, b in zip(few, many))
    row(
        f"(c) the same day with 30 and with 365 days of history, {args.pairs} pairs of runs",
        f"{statistics.median(few):.2f} s, {statistics.median(many):.2f} s; ratios of the pairs {ratios[0]:.2f} to "
        f"{ratios[-1]:.2f}, in the middle {statistics.median(ratios):.2f}",
    )


def main():
    args = parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    print(f"| {os.cpu_count()} cores, DuckDB {duckdb.__version__} | figure |\n|---|---|")
    steps = args.steps.split(",")
    data = args.work / "data"
    if "ingest" in steps or "daily" in steps:
        seconds = generate(args, data, args.days, args.events_per_day, args.customers, args.reps)
        if seconds:
            row("generate, Parquet", f"{args.days * args.events_per_day / seconds / 1e6:.2f} M events/s")
    if "ingest" in steps:
        ingest_step(args, data)
    if "daily" in steps:
        daily_step(args, data)
    if "history" in steps:
        history_step(args)


if __name__ == "__main__":
    main()
