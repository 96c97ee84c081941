"""models/recipe/clip/evaluate.py as a module: its name is taken by the package evaluate."""

import runpy
from pathlib import Path

_found = runpy.run_path(str(Path(__file__).resolve().parents[2] / "recipe" / "clip" / "evaluate.py"))
Graphs = _found["Graphs"]
