#!/usr/bin/env python3
"""From an event on a topic to its quota on another, at a steady rate: needs a broker, and nothing beside Python.

A company is generated, taken in and published up to a day; `tideline serve --kafka` follows the topic of events, into
which one more day is played. The latency is that of `tideline_live_latency_ms`: from the stamp that the producer gave
an event's message until the quotas that it changed were handed to the producer.

    benches/peers/live.py --tideline target/release/tideline --kafka 127.0.0.1:9092 --work /tmp/tideline-live
"""

import argparse
import os
import re
import shutil
import subprocess
import time
import urllib.request

DAY = "2026-03-31"
BEFORE = "2026-03-30"
STREAMS = ["behaviour", "market_factor", "crm.rep", "crm.customer", "crm.region", "crm.plan", "crm.calendar"]


def page(address):
    """The samples of the metrics page, by name and labels."""
    text = urllib.request.urlopen(f"http://{address}/metrics", timeout=5).read().decode()
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def latency(before, after, share):
    """The upper edge of the class that holds a share of the events between two pages, in milliseconds."""
    edges = [name for name in after if name.startswith("tideline_live_latency_ms_bucket")]
    count = "tideline_live_latency_ms_count"
    all_events = after[count] - before.get(count, 0)
    for name in edges:
        if all_events and after[name] - before.get(name, 0) >= share * all_events:
            return re.search('le="([^"]+)"', name).group(1)
    return "none"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tideline", required=True)
    parser.add_argument("--kafka", required=True, help="host:port of a broker")
    parser.add_argument("--work", required=True, help="a folder that is emptied")
    parser.add_argument("--reps", type=int, default=5000)
    parser.add_argument("--customers", type=int, default=50000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--events-per-day", type=int, default=50000)
    parser.add_argument("--rate", type=int, default=5000, help="events a second on the topic")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--metrics", default="127.0.0.1:9188")
    args = parser.parse_args()
    tideline = os.path.abspath(args.tideline)
    shutil.rmtree(args.work, ignore_errors=True)
    os.makedirs(args.work)

    def run(*arguments):
        subprocess.run([tideline, "--quiet", *arguments], cwd=args.work, check=True, stdout=subprocess.DEVNULL)

    size = ["--reps", str(args.reps), "--customers", str(args.customers)]
    run("generate", "--out", "data", *size, "--days", str(args.days), "--events-per-day",
        str(args.events_per_day), "--end", BEFORE, "--clean")
    for stream in STREAMS:
        path = os.path.join("data", stream)
        run("ingest", "--stream", stream, "--from",
            path if os.path.isdir(os.path.join(args.work, path)) else path + ".ndjson")
    run("daily", "--as-of", BEFORE)
    name = f"live-{os.getpid()}"
    variables = os.environ | {
        "TIDELINE_LIVE__QUOTA_TOPIC": name + ".quota",
        "TIDELINE_LIVE__ALERT_TOPIC": name + ".alert",
    }
    play = [tideline, "--quiet", "generate", "--kafka", args.kafka, "--topic", f"behaviour={name}", *size,
            "--days", "1", "--end", DAY, "--clean"]
    # The first events make the topic. They are others than those that follow: of two with one id, one counts.
    subprocess.run([*play, "--seed", "3", "--events-per-day", "100"], check=True, stdout=subprocess.DEVNULL)
    serve = subprocess.Popen(
        [tideline, "serve", "--kafka", args.kafka, "--topic", f"behaviour={name}", "--as-of", DAY,
         "--metrics", args.metrics], cwd=args.work, env=variables)
    try:
        while page_or_none(args.metrics).get("tideline_live_quotas_total", 0) < args.reps / 2:
            if serve.poll() is not None:
                raise SystemExit("serve has ended")
            time.sleep(1)
        before = page(args.metrics)
        started = time.time()
        subprocess.run([*play, "--seed", "2", "--events-per-day", str(args.rate * args.seconds), "--rate", str(args.rate)],
                       check=True, stdout=subprocess.DEVNULL)
        took = time.time() - started
        time.sleep(3)
        after = page(args.metrics)
    finally:
        serve.terminate()
        serve.wait()
    grown = lambda sample: after[sample] - before.get(sample, 0)
    applied = grown('tideline_live_events_total{kind="applied"}')
    print(f"{applied:.0f} events applied in {took:.0f} s, {grown('tideline_live_batches_total'):.0f} batches, "
          f"{grown('tideline_live_quotas_total'):.0f} quotas sent")
    print(f"latency: median within {latency(before, after, 0.5)} ms, p99 within {latency(before, after, 0.99)} ms")


def page_or_none(address):
    try:
        return page(address)
    except OSError:
        return {}


if __name__ == "__main__":
    main()
