#!/usr/bin/env python3
"""`tideline model fit` beside logistic regression, LightGBM and XGBoost: one table, one split; prints a Markdown table.

    pip install pandas scikit-learn lightgbm xgboost
    benches/peers/tabular.py --tideline target/release/tideline --from leads.csv --label won --split random

The split is Tideline's: the last rows, or `numpy.random.RandomState(seed).permutation`; the first floor((1 - test) n) rows
train. Peers get standardised numbers and indicators (regression), or raw numbers and categories (trees), at their defaults,
and trees also at 200 rounds. Fitting times are wall time in this run, one after the other; Tideline's holds reading the file
and writing the model.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import lightgbm
import numpy
import pandas
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tideline", type=Path, required=True, help="the release binary")
    parser.add_argument("--from", dest="table", type=Path, required=True, help="a CSV file")
    parser.add_argument("--label", required=True)
    parser.add_argument("--drop", default="", help="columns to leave out, with commas between")
    parser.add_argument("--split", choices=["time", "random"], required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", type=float, default=0.3)
    return parser.parse_args()


def calibration_error(truth, p, bins=10):
    """Mean distance of share and mean probability over ten bins of equal width, by rows."""
    bin_of = numpy.clip((p * bins).astype(int), 0, bins - 1)
    parts = [(bin_of == b) for b in range(bins) if (bin_of == b).any()]
    return sum(abs(truth[part].mean() - p[part].mean()) * part.mean() for part in parts)


def tideline(args, truth):
    """Test probabilities, in the order of the test rows, and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        predictions = Path(folder) / "predictions.csv"
        command = [args.tideline, "--quiet", "model", "fit", "--from", args.table, "--label", args.label]
        command += ["--split", args.split, "--seed", args.seed, "--test", args.test, "--out", folder]
        command += ["--predictions", predictions] + (["--drop", args.drop] if args.drop else [])
        begun = time.perf_counter()
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - begun
        found = pandas.read_csv(predictions)
    assert len(found) == len(truth), "the splits differ"
    return found.probability.to_numpy(), seconds


def peers(numbers, categories):
    regression = ColumnTransformer(
        [("numbers", StandardScaler(), numbers), ("categories", OneHotEncoder(handle_unknown="ignore"), categories)]
    )
    yield "logistic regression", make_pipeline(regression, LogisticRegression(max_iter=1000)), False
    yield "LightGBM", lightgbm.LGBMClassifier(verbose=-1), True
    yield "LightGBM, 200 trees", lightgbm.LGBMClassifier(n_estimators=200, verbose=-1), True
    yield "XGBoost", xgboost.XGBClassifier(enable_categorical=True), True


def main():
    args = parse_args()
    table = pandas.read_csv(args.table, sep=None, engine="python")
    table = table.drop(columns=[name for name in args.drop.split(",") if name])
    labels = table.pop(args.label)
    truth = (labels == sorted(labels.unique())[-1]).astype(int).to_numpy()
    n = len(table)
    order = numpy.random.RandomState(args.seed).permutation(n) if args.split == "random" else numpy.arange(n)
    train, test = numpy.split(order, [int((1 - args.test) * n)])
    numbers = [name for name in table if pandas.api.types.is_numeric_dtype(table[name])]
    categories = [name for name in table if name not in numbers]
    as_categories = table.astype({name: "category" for name in categories})
    results = [("Tideline", *tideline(args, truth[test]))]
    for name, model, trees in peers(numbers, categories):
        x = as_categories if trees else table
        begun = time.perf_counter()
        model.fit(x.iloc[train], truth[train])
        seconds = time.perf_counter() - begun
        results.append((name, model.predict_proba(x.iloc[test])[:, 1], seconds))
    print(f"{args.table.name}, split {args.split}: {len(train)} rows train, {len(test)} test\n")
    print("| model | AUC | log loss | Brier | ECE | fit, s |\n|---|---|---|---|---|---|")
    for name, p, seconds in results:
        y = truth[test]
        figures = [roc_auc_score(y, p), log_loss(y, p), brier_score_loss(y, p), calibration_error(y, p)]
        print(f"| {name} | " + " | ".join(f"{figure:.4f}" for figure in figures) + f" | {seconds:.2f} |")


if __name__ == "__main__":
    main()
