#!/usr/bin/env python3
"""Tideline's quota backtest beside LightGBM and AutoETS on the same periods; prints a Markdown table.

    pip install pandas pyarrow lightgbm statsforecast
    cargo build --release
    target/release/tideline backtest quota --from sales.csv --periods 6 --period 13w --out q.parquet
    benches/peers/backtest.py --table sales.csv --out q.parquet

Reads the rows of --out, and forecasts each of their periods again from what stands in the table before its start:

  last year              the same weeks a year before (364 days)
  last year × own growth times the rep's growth in the last 91 days
  LightGBM               one model for all reps on weekly sales by rep level: lags of 52 and 53 weeks, growth, means of the
                         last 4 and 13 weeks, week of the year, rep; the weeks ahead directly, no factor of the period itself
  AutoETS                each rep's weekly sales by statsforecast, season 52 where the history has two of them

Deviation: mean over regions and periods of |sum actual - sum forecast| / sum forecast. Error: sum |actual - forecast| / sum actual.
"""

import argparse
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
WEEK = pd.Timedelta(days=7)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", required=True, help="the table that the backtest read, .csv or .parquet")
    parser.add_argument("--out", required=True, help="the rows that it wrote")
    parser.add_argument("--without", default="", help="peers to leave out, e.g. AutoETS")
    return parser.parse_args()


def weekly(table, start):
    """Sales by rep and week counted back from the start; the newest week last."""
    before = table[table.date < start]
    week = (before.date - start).dt.days.floordiv(7)
    wide = before.assign(week=week).pivot_table(index="rep_id", columns="week", values="amount", aggfunc="sum")
    return wide.reindex(columns=range(int(week.min()), 0))


def window(table, start, end):
    rows = table[(table.date >= start) & (table.date < end)]
    return rows.groupby("rep_id").amount.sum()


def naive(table, start, end):
    year = pd.Timedelta(days=364)
    return window(table, start - year, end - year)


def own_growth(table, start, end):
    year, recent = pd.Timedelta(days=364), pd.Timedelta(days=91)
    last = naive(table, start, end)
    if table.date.min() > start - recent - year + WEEK:
        return last
    growth = window(table, start - recent, start) / window(table, start - recent - year, start - year)
    return last * growth.reindex(last.index).fillna(1).clip(0, 5)


def features(wide, origin, ahead):
    """Features of the week `ahead` weeks after `origin`, from columns before `origin` alone."""
    at = lambda week: wide[week] if week in wide.columns else pd.Series(np.nan, wide.index)
    mean = lambda n, back=0: wide[[w for w in range(origin - n - back, origin - back) if w in wide.columns]].mean(axis=1)
    level = mean(26)
    frame = pd.DataFrame({
        "lag52": at(origin + ahead - 52) / level,
        "lag53": at(origin + ahead - 53) / level,
        "lag51": (at(origin + ahead - 51) if ahead < 51 else np.nan) / level,
        "recent4": mean(4) / level,
        "recent13": mean(13) / level,
        "growth": mean(13) / mean(13, 52),
        "ahead": ahead,
    })
    frame["rep"] = np.arange(len(wide))
    return frame, level


def light_gbm(table, start, end):
    import lightgbm

    wide = weekly(table, start)
    first, n_ahead = wide.columns[0], -(-(end - start).days // 7)
    phase = lambda week: week % 52  # weeks before the start are negative
    xs, ys, weights = [], [], []
    for origin in range(first + 30, 0, 2):
        for ahead in range(0, min(n_ahead, -origin)):
            x, level = features(wide, origin, ahead)
            x["phase"] = phase(origin + ahead)
            y = wide[origin + ahead] / level
            keep = y.notna() & np.isfinite(y)
            xs.append(x[keep]), ys.append(y[keep])
    if not xs:
        return None
    params = dict(n_estimators=300, learning_rate=0.05, num_leaves=15, min_child_samples=20, verbose=-1, num_threads=1, seed=1)
    model = lightgbm.LGBMRegressor(**params).fit(pd.concat(xs), pd.concat(ys), categorical_feature=["rep"])
    total = pd.Series(0.0, wide.index)
    for ahead in range(n_ahead):
        x, level = features(wide, 0, ahead)
        x["phase"] = phase(ahead)
        share = min(1.0, ((end - start).days - 7 * ahead) / 7)
        total += share * model.predict(x) * level
    return total


def auto_ets(table, start, end):
    from statsforecast import StatsForecast
    from statsforecast.models import AutoETS

    wide = weekly(table, start)
    n_ahead = -(-(end - start).days // 7)
    season = 52 if wide.shape[1] >= 104 else 1
    long = wide.T.reset_index().melt(id_vars="week", var_name="unique_id", value_name="y").rename(columns={"week": "ds"})
    long["y"] = long.y.fillna(0)
    long["ds"] = long.ds - wide.columns[0]
    model = StatsForecast(models=[AutoETS(season_length=season)], freq=1, n_jobs=1)
    found = model.forecast(df=long, h=n_ahead).reset_index()
    step = found.groupby("unique_id").cumcount()
    share = np.minimum(1.0, ((end - start).days - 7 * step) / 7)
    return (found.AutoETS * share).groupby(found.unique_id).sum()


PEERS = {"last year": naive, "last year × own growth": own_growth, "LightGBM": light_gbm, "AutoETS": auto_ets}


def figures(rows, column):
    rows = rows[rows[column].notna()]
    sums = rows.groupby(["period_start", "region_id"])[["actual", column]].sum()
    deviation = ((sums.actual - sums[column]).abs() / sums[column]).mean()
    error = (rows.actual - rows[column]).abs().sum() / rows.actual.abs().sum()
    spread = (rows.actual / rows[column]).clip(0, 5).std()
    return f"{100 * deviation:.2f} %", f"{100 * error:.2f} %", f"{100 * spread:.2f} %", f"{100 * (rows.actual >= rows[column]).mean():.1f} %"


def main():
    args = parse_args()
    table = pd.read_parquet(args.table) if args.table.endswith(".parquet") else pd.read_csv(args.table)
    table = table[["date", "rep_id", "amount"]].assign(date=pd.to_datetime(table.date), rep_id=table.rep_id.astype(str))
    rows = pd.read_parquet(args.out)
    for column in ("period_start", "period_end"):
        rows[column] = pd.to_datetime(rows[column])
    peers = {name: peer for name, peer in PEERS.items() if name not in args.without.split(",")}
    for (start, end), group in rows.groupby(["period_start", "period_end"]):
        for name, peer in peers.items():
            found = peer(table, start, end)
            if found is not None:
                rows.loc[group.index, name] = group.rep_id.map(found).to_numpy(dtype=float)
    columns = ["quota", "expected", "static_quota"] + [name for name in peers if name in rows]
    common = rows.dropna(subset=columns)
    print(f"{len(common)} of {len(rows)} rep-periods have a forecast by every way\n")
    print("| way | deviation of regions | error per rep | spread of attainment | at quota |\n|---|---|---|---|---|")
    for column in columns:
        print(f"| {column} | {' | '.join(figures(common, column))} |")


if __name__ == "__main__":
    main()
