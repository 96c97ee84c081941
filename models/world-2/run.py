"""Runs a script with this folder's world: python run.py clip/train.py ARGUMENT ...

The script is taken from this folder, or from models/recipe where this one has none. Modules are found in the same order.
"""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECIPE = HERE.parent / "recipe"


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit("Expected a script and its arguments, such as: python run.py clip/train.py --help")
    name = sys.argv[1]
    script = next((root / name for root in (HERE, RECIPE) if (root / name).exists()), None)
    if script is None:
        raise SystemExit(f"Expected a script of {HERE} or {RECIPE} but {name!r} is in neither")
    folder = Path(name).parent
    sys.path[:0] = [str(HERE / folder), str(HERE), str(RECIPE / folder), str(RECIPE), str(HERE.parent / "converter")]
    # Scripts of the recipe put their own root first: packages of both are bound to this folder's before that.
    import evaluate  # noqa: F401
    import vlm  # noqa: F401
    import world  # noqa: F401

    sys.argv = sys.argv[1:]
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
