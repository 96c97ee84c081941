"""Makes formats/: tiny random models of the real architectures, converted by the command that users run, and what the
original classes (transformers; armorm.py; open_clip) say of the same weights. Needs the converter's requirements and those
of MobileCLIP.

    python test/golden/evaluators/make_formats.py [name ...]
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import torch

from tiny_models import OUT, precisions
from chat_formats import CONVERSATIONS, templates
from clip_formats import CLIPS
from reward_formats import REWARDS


def main() -> None:
    """With names: only those models, the others as they are."""
    wanted = sys.argv[1:]
    path = OUT / "golden.json"
    golden: dict = json.loads(path.read_text(encoding="utf-8")) if wanted else {"rewards": {}, "clips": {}}
    torch.manual_seed(11)
    golden["conversations"] = {title: [{"role": role, "content": content} for role, content in turns] for title, turns in CONVERSATIONS.items()}
    golden["templates"] = templates()
    for kind, makers in (("rewards", REWARDS), ("clips", CLIPS)):
        for name, make in makers.items():
            if wanted and name not in wanted:
                continue
            torch.manual_seed(11)
            for old in (OUT / name).glob("*"):
                old.unlink()
            with tempfile.TemporaryDirectory() as folder:
                golden.setdefault(kind, {})[name] = make(Path(folder))
                if kind == "rewards":
                    golden[kind][name]["precisions"] = precisions(Path(folder), name)
    path.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
