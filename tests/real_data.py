"""Real data sets, where a developer has them."""

import os
from pathlib import Path

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
FOLDER = Path(os.environ.get("NIGHTSHIFT_TEST_DATA") or _BESIDE)

COMMENTS = FOLDER / "reddit_comments.csv.gz"
"""Columns `clean_comment` and `category` (-1, 0, 1), 37,249 rows."""

FIRE = FOLDER / "fire_archive.csv.gz"
"""NASA's MODIS hot spots of 61 days, `type` 0, 2 or 3 (10 rows), 36,011 rows."""
