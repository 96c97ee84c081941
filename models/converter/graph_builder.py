"""Builds an ONNX graph node by node. Weights are read when the file is written, one at a time, so that a graph of
32 GB takes the memory of its largest matrix. Beyond `external_above` bytes they go to a file beside the graph
(a protobuf ends at 2 GB in any case)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from weights import BLOCK, Blocks, pack_zeros, to_blocks

OPSET = 17
ACCURACY_LEVEL = 1  # of MatMulNBits: 1 computes in float32, 4 rounds the activations to 8 bits
EXTERNAL_ABOVE = 256_000_000  # smaller graphs are one file; a larger one would stand in memory several times over
ALIGNMENT = 4096  # of external data, so that the file can be mapped
INLINE = 1024  # smaller tensors stay in the graph


@dataclass(frozen=True)
class Weight:
    name: str
    dtype: type
    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]

    @property
    def size(self) -> int:
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize


class GraphBuilder:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, Weight] = {}
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, kind: int, shape: list) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, value: str, name: str, shape: list) -> None:
        self.op("Identity", value, out=name)
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def op(self, kind: str, *inputs: str, out: str | None = None, domain: str = "", **attributes) -> str:
        out = out or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], name=f"n{len(self.nodes)}", domain=domain, **attributes))
        return out

    def constant(self, values, dtype=np.float32) -> str:
        array = np.asarray(values, dtype)
        name = f"constant.{array.dtype.name}.{'x'.join(map(str, array.shape))}.{zlib.crc32(array.tobytes()):08x}"
        return self.weight(name, array.dtype.type, array.shape, lambda: array)

    def weight(self, name: str, dtype: type, shape, read: Callable[[], np.ndarray]) -> str:
        self.weights.setdefault(name, Weight(name, dtype, tuple(shape), read))
        return name

    def reshape(self, value: str, *shape: int) -> str:
        return self.op("Reshape", value, self.constant(shape, np.int64))

    def linear(self, value: str, name: str, shape: list[int], read: Callable[[], np.ndarray], kind: str) -> str:
        """value [.., in] times the matrix `name` [out, in], transposed, stored as `kind`."""
        rows, width = shape
        if kind in ("fp32", "fp16"):
            dtype = np.float32 if kind == "fp32" else np.float16
            matrix = self.weight(name, dtype, (width, rows), lambda: np.ascontiguousarray(read().T.astype(dtype)))
            return self.op("MatMul", value, matrix if kind == "fp32" else self.op("Cast", matrix, to=TensorProto.FLOAT))
        bits, count = (8 if kind == "int8" else 4), -(-width // BLOCK)
        kept: list[Blocks] = []  # the three tensors are written one after another: quantise once

        def blocks() -> Blocks:
            if not kept:
                kept.append(to_blocks(read(), bits))
            return kept[0]

        def last(values: np.ndarray) -> np.ndarray:
            kept.clear()
            return values

        inputs = [value, self.weight(f"{name}.blocks", np.uint8, (rows, count, BLOCK * bits // 8), lambda: blocks().packed)]
        if bits == 4:
            zeros_size = rows * -(-count // 2)
            inputs_zero = self.weight(f"{name}.zeros", np.uint8, (zeros_size,), lambda: pack_zeros(blocks().zeros).reshape(-1))
        inputs.append(self.weight(f"{name}.scales", np.float32, (rows * count,), lambda: last(blocks().scales.reshape(-1))))
        if bits == 4:
            inputs.append(inputs_zero)
        return self.op("MatMulNBits", *inputs, domain="com.microsoft", K=width, N=rows, bits=bits, block_size=BLOCK, accuracy_level=ACCURACY_LEVEL)

    @property
    def size(self) -> int:
        return sum(weight.size for weight in self.weights.values())

    def save(self, path: Path, external_above: int = EXTERNAL_ABOVE, progress: Callable[[int, int], None] = lambda done, total: None) -> list[Path]:
        """Writes `path`; returns the files of external data (none below `external_above` bytes)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        data = path.with_name(path.name + ".data")
        data.unlink(missing_ok=True)
        external = self.size > external_above
        tensors, done = [], 0
        stream = data.open("wb") if external else None
        for weight in self.weights.values():
            tensor = TensorProto(name=weight.name, dims=weight.shape, data_type=helper.np_dtype_to_tensor_dtype(np.dtype(weight.dtype)))
            values = weight.read()
            if values.shape != weight.shape or values.dtype != weight.dtype:
                raise ValueError(f"Expected {weight.name} as {weight.dtype.__name__} {weight.shape} but received {values.dtype} {values.shape}")
            if stream is None or weight.size < INLINE:
                tensor.raw_data = values.tobytes()
            else:
                stream.write(b"\0" * (-stream.tell() % ALIGNMENT))
                place = {"location": data.name, "offset": stream.tell(), "length": weight.size}
                tensor.data_location = TensorProto.EXTERNAL
                tensor.external_data.extend(onnx.StringStringEntryProto(key=key, value=str(value)) for key, value in place.items())
                stream.write(memoryview(np.ascontiguousarray(values)).cast("B"))
            tensors.append(tensor)
            done += weight.size
            progress(done, self.size)
        graph = helper.make_graph(self.nodes, "reward", self.inputs, self.outputs, tensors)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        path.write_bytes(helper.make_model(graph, producer_name="eta-vlm", opset_imports=opsets, ir_version=8).SerializeToString())
        if stream is None:
            return []
        stream.close()
        return [data]
