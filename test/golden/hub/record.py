"""What Python's own client leaves in the cache: python-cache.json. By hand, with huggingface_hub installed:

    node --import tsx test/hub/serve.ts            # prints HF_ENDPOINT=...
    HF_ENDPOINT=... python test/golden/hub/record.py
"""

import base64
import hashlib
import json
import os
import tempfile
from pathlib import Path

import huggingface_hub

folder = Path(tempfile.mkdtemp())
huggingface_hub.snapshot_download("acme/small", cache_dir=folder)
entries = {}
for root, _, names in os.walk(folder):
    for name in names:
        path = Path(root, name)
        if path.is_symlink():
            held = f"-> {os.readlink(path)}"
        elif path.stat().st_size > 256:
            held = f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
        else:
            held = f"base64 {base64.b64encode(path.read_bytes()).decode()}"
        entries[str(path.relative_to(folder))] = held
record = {"client": f"huggingface_hub {huggingface_hub.__version__}", "entries": dict(sorted(entries.items()))}
Path(__file__).with_name("python-cache.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
