"""The second world. What it shares with the first (fonts, the first request wordings) is read from models/recipe."""

from pathlib import Path

__path__.append(str(Path(__file__).resolve().parents[2] / "recipe" / "world"))
