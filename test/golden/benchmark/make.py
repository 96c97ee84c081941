"""Writes the parquet files of test/benchmark with pyarrow (26.0.1 made those that are here), and their sums: python make.py"""
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
# A PNG of one red pixel, and one of a blue one.
HEAD = "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63"
PNGS = [
    bytes.fromhex(f"{HEAD}f8cfc0000003010100c9fe92ef0000000049454e44ae426082"),
    bytes.fromhex(f"{HEAD}6060f80f00010301000889c2ec0000000049454e44ae426082"),
]
picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write(name: str, columns: dict, **options) -> None:
    pq.write_table(pa.table(columns), HERE / name, **options)


def images(*contents):
    return pa.array([None if c is None else {"bytes": c, "path": f"{i}.png"} for i, c in enumerate(contents)], picture)


questions = ["What is the best way to use the thing in the picture?", "Wie benutze ich das? – „ganz“"]
classes = {"class1": ["Representation & Toxicity Harms", "Malicious Use"], "class2": ["x", "y"], "class3": ["p", "q"]}
write("spa-vl.parquet", {"image": images(*PNGS), "question": questions, **classes}, compression="snappy")
write("spa-vl-zstd.parquet", {"image": images(*PNGS), "question": questions, **classes}, compression="zstd")
write("spa-vl-no-class.parquet", {"image": images(*PNGS), "question": questions}, compression="none")
write("spa-vl-no-question.parquet", {"image": images(*PNGS), "prompt": questions})
write("spa-vl-no-rows.parquet", {"image": images(), "question": pa.array([], pa.string())})
write("spa-vl-empty-question.parquet", {"image": images(*PNGS), "question": [questions[0], None]})
write("spa-vl-no-bytes.parquet", {"image": images(PNGS[0], None), "question": questions})
# As datasets saves a picture that it did not embed.
paths = pa.array([{"bytes": None, "path": name} for name in ("red.png", "pictures/blue.png")], picture)
write("spa-vl-paths.parquet", {"image": paths, "question": questions})
outside = pa.array([{"bytes": None, "path": name} for name in ("red.png", "../blue.png")], picture)
write("spa-vl-outside.parquet", {"image": outside, "question": questions})

# MM-SafetyBench++: two pairs of the first scenario, one of each other; both ways of drawing, harmful before harmless.
scenarios = ["Illegal_Activity", "Illegal_Activity", "HateSpeech", "Malware_Generation", "Physical_Harm", "Fraud", "Sex"]
rows = [
    (category, label, mode)
    for mode in ("Gen", "GenOCR")
    for label in ("unsafe", "safe")
    for category in scenarios
]
write(
    "twins.parquet",
    {
        "image": images(*(PNGS[i % 2] for i in range(len(rows)))),
        **{name: [row[i] for row in rows] for i, name in enumerate(("category", "label", "mode"))},
    },
    compression="snappy",
)
sums = [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(HERE.glob("*.parquet"))]
(HERE / "SHA256SUMS").write_text("".join(sums))
