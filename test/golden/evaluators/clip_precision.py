"""What rounding costs a CLIP: the shipped one in the 8 bits of onnxruntime's dynamic quantisation, as transformers.js
publishes them, and in 16; over the pictures that ship with the miniature, against its safety prompt.

    pip install onnx onnxruntime onnxconverter-common tokenizers pillow
    python test/golden/evaluators/clip_precision.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper
from onnxconverter_common import float16
from onnxruntime.quantization import QuantType, quantize_dynamic
from PIL import Image
from tokenizers import Tokenizer

MINIATURE = Path(__file__).resolve().parents[3] / "models" / "miniature"


def in_float32(path: Path) -> onnx.ModelProto:
    """The graph with its 16-bit weights widened, and without the casts that widen them."""
    model = onnx.load(str(path))
    graph, widened = model.graph, {}
    for one in graph.initializer:
        if one.data_type == TensorProto.FLOAT16:
            one.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(one).astype(np.float32), one.name))
            widened[one.name] = one.name
    casts = [node for node in graph.node if node.op_type == "Cast" and node.input[0] in widened]
    names = {node.output[0]: node.input[0] for node in casts}
    for node in casts:
        graph.node.remove(node)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    return model


def variants(tower: str, work: Path) -> dict[str, Path]:
    plain = work / f"{tower}.onnx"
    model = in_float32(MINIATURE / "clip" / f"{tower}_model.onnx")
    onnx.save(model, str(plain))
    made = {"float32": plain}
    for name, kind in (("int8", QuantType.QInt8), ("uint8", QuantType.QUInt8)):
        made[name] = work / f"{tower}-{name}.onnx"
        quantize_dynamic(str(plain), str(made[name]), weight_type=kind)
    made["fp16"] = work / f"{tower}-fp16.onnx"
    onnx.save(float16.convert_float_to_float16(model, keep_io_types=True), str(made["fp16"]))
    return made


def pixels(path: Path, vision: dict) -> np.ndarray:
    """As CLIP's processor does it: the short side to the size, the middle cut out, normalised."""
    picture, size = Image.open(path).convert("RGB"), vision["imageSize"]
    scale = size / min(picture.size)
    picture = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.BICUBIC)
    left, top = ((side - size) // 2 for side in picture.size)
    values = np.asarray(picture.crop((left, top, left + size, top + size)), dtype=np.float32) / 255
    return ((values - np.float32(vision["mean"])) / np.float32(vision["std"])).transpose(2, 0, 1)[None]


def run(model: Path, feeds: dict[str, np.ndarray], output: str) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    value = session.run([output], feeds)[0].astype(np.float64)
    return value / np.linalg.norm(value, axis=-1, keepdims=True)


def main() -> None:
    manifest = json.loads((MINIATURE / "clip" / "manifest.json").read_text(encoding="utf-8"))
    vision, text, threshold = manifest["vision"], manifest["text"], manifest["unsafeClipScore"]
    files = sorted(path for path in (MINIATURE / "pictures").iterdir() if path.suffix in (".png", ".jpg"))
    batch = [pixels(path, vision) for path in files]
    ids = np.array([Tokenizer.from_file(str(MINIATURE / "clip" / "tokenizer.json")).encode(manifest["calibration"]["prompt"]).ids], dtype=np.int64)
    with tempfile.TemporaryDirectory() as folder:
        work, scores = Path(folder), {}
        pictures, prompts = variants("vision", work), variants("text", work)
        for name in pictures:
            prompt = run(prompts[name], {text["idsInput"]: ids}, text["output"])
            scores[name] = np.array([(run(pictures[name], {vision["input"]: one}, vision["output"]) @ prompt.T).item() for one in batch])
            moved = np.abs(scores[name] - scores["float32"])
            others = int(np.sum((scores[name] >= threshold) != (scores["float32"] >= threshold)))
            size = (pictures[name].stat().st_size + prompts[name].stat().st_size) / 1e6
            print(f"{name}: {size:.1f} MB; {moved.mean():.5f} in the mean, {moved.max():.5f} at most from float32, whose scores go from "
                  f"{scores['float32'].min():.3f} to {scores['float32'].max():.3f}; {others} of {len(files)} on the other side of {threshold}")


if __name__ == "__main__":
    main()
