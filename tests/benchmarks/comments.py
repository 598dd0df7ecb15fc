"""Macro-F1 of the `comments` plan on a fifth of a labelled file that no night has seen.

`python tests/benchmarks/comments.py FILE [MINUTES]`: FILE has `clean_comment` and `category`;
without it `reddit_comments.csv.gz` of the folder NIGHTSHIFT_TEST_DATA is used, where there is one.
The baseline is scikit-learn alone on the same rows: TF-IDF of words and word
pairs, class-weighted logistic regression.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report, f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from tests.real_data import COMMENTS


def main() -> None:
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else COMMENTS
    minutes = sys.argv[2] if len(sys.argv) > 2 else "10"
    if not file.exists():
        print("comments: left out, since there is no labelled file; name one")
        return
    rows = pd.read_csv(file, keep_default_na=False)
    rows = rows[rows["clean_comment"].str.strip() != ""].drop_duplicates("clean_comment")
    train, test = train_test_split(rows, test_size=0.2, random_state=42, stratify=rows["category"])
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        place = Path(folder)
        (place / "drops").mkdir()
        train.to_csv(place / "drops" / "comments.csv", index=False)
        test[["clean_comment"]].to_csv(place / "new.csv", index=False)
        started = time.perf_counter()
        _nightshift(place, "train", "comments", "--source", "drops", "--budget-minutes", minutes)
        seconds = time.perf_counter() - started
        _nightshift(place, "predict", "comments", "--input", "new.csv", "--output", "answers.csv")
        answers = pd.read_csv(place / "answers.csv")["prediction"]
        print(f"comments: {len(train):,} rows, {minutes} minutes given, {seconds:.0f} s taken")
        truth = test["category"].to_numpy()
        print(classification_report(truth, answers.to_numpy(), digits=4))
        ours = f1_score(truth, answers.to_numpy(), average="macro")
        plain = f1_score(truth, _plain(train, test), average="macro")
        print(f"macro-F1 {ours:.4f}, {ours / plain:.3f} x the baseline's {plain:.4f}")


def _plain(train: pd.DataFrame, test: pd.DataFrame) -> Any:
    model = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2),
        LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000),
    )
    return model.fit(train["clean_comment"], train["category"]).predict(test["clean_comment"])


def _nightshift(place: Path, *words: str) -> None:
    environ = {**os.environ, "NIGHTSHIFT_HOME": str(place / "home")}
    command = [sys.executable, "-m", "nightshift.cli", *words]
    subprocess.run(command, cwd=place, env=environ, check=True)


if __name__ == "__main__":
    main()
