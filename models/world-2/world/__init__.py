"""The second world. What it shares with the first (fonts, the first request wordings) is read from models/recipe."""

import sys
from pathlib import Path

sys.modules[__name__].__path__.append(str(Path(__file__).resolve().parents[2] / "recipe" / "world"))
