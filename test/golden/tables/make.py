"""
Writes the tables of test/tables and test/batch as the programs of others write them (pandas 3.1.1, pyarrow 26.0.1,
datasets 5.2.0, duckdb 2.0.1 made those that are here), and their sums: python make.py
"""
import json
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
from datasets import Dataset, DatasetDict, Features, Image, Value

HERE = Path(__file__).resolve().parent
DRAWINGS = HERE.parents[2] / "models/miniature/pictures"
# A PNG of one red pixel, and one of a blue one.
HEAD = "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63"
RED, BLUE = (
    bytes.fromhex(f"{HEAD}{end}0000000049454e44ae426082")
    for end in ("f8cfc0000003010100c9fe92ef", "6060f80f00010301000889c2ec")
)
PICTURES = [
    (DRAWINGS / "clean-01.jpg").read_bytes(),
    RED,
    None,
    BLUE,
    (DRAWINGS / "clean-04.png").read_bytes(),
    RED,
]
QUESTIONS = [f"What is this? ({i}) „ganz“" for i in range(len(PICTURES))]

# As datasets saves pictures: { bytes, path }, in row groups of two rows.
features = Features({"key": Value("string"), "question": Value("string"), "img": Image(), "category": Value("string")})
dataset = Dataset.from_dict(
    {
        "key": [f"p{i}" for i in range(len(PICTURES))],
        "question": QUESTIONS,
        "img": [None if b is None else {"bytes": b, "path": f"{i}.png"} for i, b in enumerate(PICTURES)],
        "category": ["a"] * len(PICTURES),
    },
    features=features,
)
dataset.to_parquet(HERE / "pictures.parquet", batch_size=2)

# As save_to_disk does, in two files.
with tempfile.TemporaryDirectory() as folder:
    DatasetDict({"test": dataset}).save_to_disk(folder, num_shards={"test": 2})
    saved = Path(folder)
    shutil.copy(saved / "dataset_dict.json", HERE / "saved-dataset_dict.json")
    for name in ("state.json", "dataset_info.json"):
        shutil.copy(saved / "test" / name, HERE / f"saved-{name}")
    for index, name in enumerate(sorted((saved / "test").glob("*.arrow"))):
        shutil.copy(name, HERE / f"saved-{index}.arrow")

# Every kind of value that a request has.
structs = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
turns = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
typed = pa.table(
    {
        "id": pa.array([10, 11, 12], pa.int64()),
        "prompt": pa.array(["one", None, "three"]),
        "image": pa.array([{"bytes": None, "path": "a.png"}, None, {"bytes": RED, "path": None}], structs),
        "images": pa.array([None, None, []], pa.list_(structs)),
        "messages": pa.array([None, [{"role": "user", "content": "two"}], None], turns),
        "method": pa.array(["vanilla", "eta", None]).dictionary_encode(),
        "seed": pa.array([7, None, 2**32 - 1], pa.uint32()),
        "temperature": pa.array([0.5, None, None], pa.float32()),
        "flag": pa.array([True, False, None]),
    }
)
pq.write_table(typed, HERE / "typed.parquet")
with pa.ipc.new_file(HERE / "typed.arrow", typed.schema) as writer:
    writer.write_table(typed)
with pa.ipc.new_file(HERE / "compressed.arrow", typed.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
    writer.write_table(typed)

# Many pages: rows that begin in one and end in the next, values that a dictionary holds, nulls.
COUNT = 3000
pages = pa.table(
    {
        "number": pa.array(range(COUNT), pa.int32()),
        "text": pa.array([None if i % 7 == 0 else f"What is {i}?" for i in range(COUNT)]),
        "kind": pa.array([f"kind {i % 5}" for i in range(COUNT)]),
        "words": pa.array([None if i % 11 == 0 else [f"w{i}-{j}" for j in range(i % 6)] for i in range(COUNT)]),
        "nested": pa.array(
            [None if i % 13 == 0 else [[i, j] if j % 2 else None for j in range(i % 4)] for i in range(COUNT)],
            pa.list_(pa.list_(pa.int32())),
        ),
        "picture": pa.array(
            [None if i % 3 == 0 else {"bytes": None if i % 3 == 1 else RED, "path": f"{i}.png"} for i in range(COUNT)],
            structs,
        ),
    }
)
small = {"data_page_size": 512, "write_batch_size": 16, "row_group_size": 2048}
pq.write_table(pages, HERE / "pages-1.parquet", data_page_version="1.0", compression="snappy", **small)
pq.write_table(pages, HERE / "pages-2.parquet", data_page_version="2.0", compression="zstd", **small)
duckdb.sql(
    f"COPY (SELECT i AS number, 'What is ' || i || '?' AS prompt, {{'bytes': 'ab'::BLOB, 'path': i || '.png'}} AS image"
    f" FROM range({COUNT}) t(i)) TO '{HERE / 'duckdb.parquet'}' (FORMAT parquet)"
)

# As pandas writes text: quotes, separators and line breaks in fields, empty ones.
frame = pd.DataFrame(
    {
        "id": ["a", "b", "c"],
        "prompt": ['Say "no",\nor yes', "Größe; 大きさ", "plain"],
        "image": [None, "b.png", "c.png"],
        "seed": pd.array([1, None, 3], dtype="Int64"),
    }
)
frame.to_csv(HERE / "pandas.csv", index=False)
frame.to_csv(HERE / "pandas.tsv", index=False, sep="\t")
# As a spreadsheet saves it where commas are decimal.
frame.to_csv(HERE / "spreadsheet.csv", index=False, sep=";", encoding="utf-8-sig", lineterminator="\r\n")

binary = sorted(path for path in HERE.iterdir() if path.suffix in (".parquet", ".arrow"))
(HERE / "SHA256SUMS").write_text("".join(f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in binary))
(HERE / "expected.json").write_text(json.dumps({"pages": pages.slice(0, 40).drop_columns("picture").to_pylist()}))
