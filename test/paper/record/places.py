"""Files that traces are recorded from, and the folder that they are written to. The evaluators, the projector and the
pictures are copies: those of the other tests may be made anew, and then these traces would be of other models."""

from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
TINY = GOLDEN / "engine" / "tiny.gguf"
TRACES = GOLDEN / "paper"
LANGUAGE_MODEL = TRACES / "model.gguf"
PROJECTOR = TRACES / "projector.gguf"
EMBEDDINGS = TRACES / "embeddings.json"
PICTURES = [TRACES / "pictures" / f"{name}.png" for name in ("square", "wide", "tall", "photo", "same-size")]
