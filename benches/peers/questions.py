#!/usr/bin/env python3
"""The twenty questions of sql/examples, in tideline and in DuckDB over the same Parquet files.

Needs `duckdb`; with `psycopg` installed, the questions are asked over the PostgreSQL wire too. In-process figures of
tideline are those of one process that answers a question several times, without its start. Prints milliseconds, the
least of the rounds, and the geometric means of the ratios.

    benches/peers/questions.py --lake LAKE --tideline target/release/tideline [--rounds 20] [--threads 2]
"""

import argparse
import json
import math
import os
import pathlib
import re
import subprocess
import time

import duckdb

QUESTIONS = pathlib.Path(__file__).resolve().parents[2] / "sql" / "examples"
TABLE = re.compile(r"\b(raw|crm|tile|mart|ops|catalogue)\.([a-z_]+)\b")


def active_files(table: pathlib.Path) -> list[dict]:
    """The `add` actions that are in force, from the table's log."""
    files: dict[str, dict] = {}
    log = table / "_delta_log"
    first = 0
    last = log / "_last_checkpoint"
    if last.exists():
        first = json.loads(last.read_text())["version"] + 1
        checkpoint = log / f"{first - 1:020}.checkpoint.parquet"
        rows = duckdb.sql(
            f"SELECT add.path, add.partitionValues FROM '{checkpoint}' WHERE add.path IS NOT NULL"
        ).fetchall()
        files = {path: dict(values) for path, values in rows}
    for commit in sorted(log.glob("*.json")):
        if int(commit.stem) < first:
            continue
        for line in commit.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                files[action["add"]["path"]] = action["add"].get("partitionValues", {})
            elif "remove" in action:
                files.pop(action["remove"]["path"], None)
    return [{"path": table / path, "partition": values} for path, values in sorted(files.items())]


def offer(db: duckdb.DuckDBPyConnection, lake: pathlib.Path, name: str, shown: set[tuple[str, str]]) -> None:
    """A view over the files that tideline's session would read under this name."""
    schema, table = name.split(".")
    files = active_files(lake / schema / table)
    if schema == "mart":
        files = [f for f in files if (f["partition"]["as_of"], f["partition"]["run_id"]) in shown]
    db.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    paths = ", ".join(f"'{f['path']}'" for f in files)
    if not files:
        raise SystemExit(f"{name} has no files: publish a day first")
    partitioned = {"as_of": "DATE", "event_date": "DATE", "run_id": "VARCHAR"}
    types = {column: partitioned[column] for column in files[0]["partition"]}
    given = f", hive_partitioning = true, hive_types = {types}" if types else ""
    db.sql(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet([{paths}]{given}, union_by_name = true)")


def prepare(lake: pathlib.Path, tideline: str, threads: int) -> duckdb.DuckDBPyConnection:
    """DuckDB with the tables and functions that the questions use."""
    db = duckdb.connect()
    db.sql(f"SET threads = {threads}")
    runs = ", ".join(f"'{f['path']}'" for f in active_files(lake / "ops" / "run"))
    shown = db.sql(
        f"SELECT CAST(as_of AS VARCHAR), arg_max(run_id, (finished_at, run_id)) FROM read_parquet([{runs}]) "
        "WHERE status = 'published' GROUP BY 1"
    ).fetchall()
    names = {f"{s}.{t}" for q in QUESTIONS.glob("*.sql") for s, t in TABLE.findall(code(q))}
    for name in sorted(names - {"catalogue.event"} | {"tile.rep_day"}):
        offer(db, lake, name, set(shown))
    events = subprocess.run(
        [tideline, "--lake", str(lake), "sql", "--format", "csv", "-c", "SELECT * FROM catalogue.event"],
        check=True, capture_output=True, text=True,
    ).stdout
    path = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"tideline-events-{os.getpid()}.csv"
    path.write_text(events)
    db.sql("CREATE SCHEMA IF NOT EXISTS catalogue")
    db.sql(f"CREATE TABLE catalogue.event AS SELECT * FROM read_csv('{path}', header = true)")
    path.unlink()
    db.sql("CREATE MACRO health_color(x) AS CASE WHEN x < 15 THEN 'red' WHEN x < 25 THEN 'amber' ELSE 'green' END")
    db.sql("CREATE MACRO period_of(day) AS strftime(day, '%Y-%m')")
    sums = ["touches", "effective_touches", "quotes_sent", "deals_signed", "amount_signed"]
    db.sql(
        "CREATE MACRO rep_window(day, days) AS TABLE SELECT rep_id, "
        + ", ".join(f"sum({c}) AS {c}" for c in sums)
        + " FROM tile.rep_day WHERE event_date BETWEEN day - CAST(days - 1 AS INTEGER) AND day GROUP BY rep_id"
    )
    return db


def code(question: pathlib.Path) -> str:
    """The question without its comments."""
    return "\n".join(line for line in question.read_text().splitlines() if not line.startswith("--"))


def least_ms(rounds: int, ask) -> float:
    times = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begun) * 1000)
    return min(times[1:])


def process_ms(tideline: str, lake: pathlib.Path, question: pathlib.Path, rounds: int) -> float:
    """The time of one answer inside a process: that of many in one process less that of one, over the difference."""
    text = code(question).strip().rstrip(";")

    def seconds(times: int) -> float:
        asked = ";\n".join([text] * times)
        begun = time.perf_counter()
        command = [tideline, "--lake", str(lake), "sql", "--format", "csv", "-c", asked]
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - begun

    one = min(seconds(1) for _ in range(3))
    many = min(seconds(rounds + 1) for _ in range(3))
    return max((many - one) / rounds * 1000, 0.01)


def mean(ratios: list[float]) -> float:
    return math.exp(sum(math.log(r) for r in ratios) / len(ratios))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lake", type=pathlib.Path, required=True)
    parser.add_argument("--tideline", default="target/release/tideline")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    lake = given.lake.resolve()
    db = prepare(lake, given.tideline, given.threads)
    try:
        import psycopg
    except ImportError:
        psycopg = None
        print("psycopg isn't installed: the wire is left out")
    server = wire = None
    if psycopg is not None:
        server = subprocess.Popen(
            [given.tideline, "--lake", str(lake), "serve", "--pg", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
        )
        address = server.stdout.readline().split("//")[1].split("/")[0]
        host, port = address.rsplit(":", 1)
        wire = psycopg.connect(host=host, port=port, user="bench", dbname="tideline", autocommit=True)
    print(f"{'question':34} {'rows':>6} {'duckdb':>9} {'process':>9} {'wire':>9} {'to duckdb':>10} {'wire to process':>16}")
    to_duckdb, to_process = [], []
    try:
        for question in sorted(QUESTIONS.glob("*.sql")):
            text = code(question).strip().rstrip(";")
            rows = len(db.sql(text).fetchall())
            duck = least_ms(given.rounds, lambda: db.sql(text).fetchall())
            process = process_ms(given.tideline, lake, question, given.rounds)
            to_duckdb.append(process / duck)
            over = float("nan")
            if wire is not None:
                answer = wire.execute(text).fetchall()
                if len(answer) != rows:
                    raise SystemExit(f"{question.name}: {len(answer)} rows here, {rows} in DuckDB")
                over = least_ms(given.rounds, lambda: wire.execute(text).fetchall())
                to_process.append(over / process)
            print(
                f"{question.stem:34} {rows:6} {duck:9.2f} {process:9.2f} {over:9.2f} {process / duck:10.2f} "
                f"{over / process:16.2f}"
            )
    finally:
        if server is not None:
            wire.close()
            server.terminate()
            server.wait()
    print(f"geometric mean to DuckDB {mean(to_duckdb):.2f}, largest {max(to_duckdb):.2f}")
    if to_process:
        print(f"geometric mean of the wire to the process {mean(to_process):.2f}, largest {max(to_process):.2f}")


if __name__ == "__main__":
    main()
