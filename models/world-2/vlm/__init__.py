"""Tower, projector and language model: what is not here (model, tokenizer, preprocess, fast, ...) is models/recipe's."""

import sys
from pathlib import Path

_RECIPE = Path(__file__).resolve().parents[2] / "recipe"
sys.modules[__name__].__path__.append(str(_RECIPE / "vlm"))
if str(_RECIPE) not in sys.path:
    sys.path.append(str(_RECIPE))  # steps.py
