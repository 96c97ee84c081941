"""The test split as items: what is not here is models/recipe's."""

from pathlib import Path

__path__.append(str(Path(__file__).resolve().parents[2] / "recipe" / "evaluate"))
