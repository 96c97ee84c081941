"""Writes a PyTorch module as an ONNX file, its weights stored as float32, float16, or blocks of integers."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from graph_builder import ACCURACY_LEVEL, EXTERNAL_ABOVE, OPSET
from weights import BLOCK, pack_zeros, to_blocks



def write_graph(module: torch.nn.Module, path: Path, inputs: dict[str, torch.Tensor], outputs: list[str],
                axes: dict[str, dict[int, str]], half_weights: bool = False, weights: str = "fp32",
                external_above: int = EXTERNAL_ABOVE) -> list[Path]:
    """Traces `module(*inputs)` and writes `path`; returns the external-data files (none below `external_above` bytes).

    `half_weights` or "fp16" stores the large weights as float16 followed by a Cast: half the size, float32 arithmetic,
    and the values of the weights rounded to float16 (round the module first where the two must agree).
    "int8" and "int4" store the matrices of products as blocks, the rest as "fp16".
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    module = module.eval()
    with warnings.catch_warnings(), torch.no_grad(), tempfile.TemporaryDirectory(dir=path.parent) as folder:
        warnings.simplefilter("ignore")
        torch.backends.mha.set_fastpath_enabled(False)  # an operator that ONNX does not have
        traced = Path(folder) / path.name  # beyond 2 GB the exporter puts a file for each weight beside it
        torch.onnx.export(module, tuple(inputs.values()), str(traced), input_names=list(inputs), output_names=outputs,
                          dynamic_axes=axes, opset_version=OPSET, dynamo=False)
        model = onnx.load(str(traced))
    model.producer_name, model.producer_version, model.doc_string = "eta-vlm", "", ""
    for node in model.graph.node:  # the exporter writes source lines here
        node.doc_string = ""
        if node.op_type == "Reshape":  # an empty cache has a dimension of zero
            del node.attribute[:]
            node.attribute.append(helper.make_attribute("allowzero", 1))
    if weights in ("int8", "int4"):
        store_blocks(model, 8 if weights == "int8" else 4)
    if half_weights or weights != "fp32":
        store_half(model)
    if sum(len(tensor.raw_data) for tensor in model.graph.initializer) <= external_above:
        onnx.save(model, str(path))
        onnx.checker.check_model(str(path))
        return []
    data = path.with_name(path.name + ".data")
    data.unlink(missing_ok=True)
    onnx.save(model, str(path), save_as_external_data=True, all_tensors_to_one_file=True, location=data.name)
    return [data]


def store_half(model: onnx.ModelProto, at_least: int = 256) -> None:
    """Replaces every float32 initializer of `at_least` values by a float16 one and a Cast."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or tensor.name.endswith(".scales"):
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < at_least or np.abs(values).max() > 60000:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + ".half"))
        casts.append(helper.make_node("Cast", [name + ".half"], [name], name=name + ".cast", to=TensorProto.FLOAT))
    for index, node in enumerate(casts):
        model.graph.node.insert(index, node)


def store_blocks(model: onnx.ModelProto, bits: int) -> None:
    """Every product with a constant matrix becomes MatMulNBits."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    # A matrix that two products share reaches the second through an Identity.
    aliases = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Identity" and node.input[0] in constants}
    for node in model.graph.node:
        tensor = constants.get(aliases.get(node.input[1], node.input[1])) if node.op_type == "MatMul" else None
        if tensor is None or tensor.data_type != TensorProto.FLOAT or len(tensor.dims) != 2:
            continue
        width, rows = tensor.dims
        blocks = to_blocks(numpy_helper.to_array(tensor).T, bits)
        parts = {"blocks": blocks.packed, "scales": blocks.scales.reshape(-1)}
        if blocks.zeros is not None:
            parts["zeros"] = pack_zeros(blocks.zeros).reshape(-1)
        names = [f"{tensor.name}.{part}" for part in parts]
        if names[0] not in constants:
            added = [numpy_helper.from_array(values, name) for name, values in zip(names, parts.values())]
            constants |= {one.name: one for one in added}
            model.graph.initializer.extend(added)
        product = helper.make_node("MatMulNBits", [node.input[0], *names], list(node.output), name=node.name, domain="com.microsoft",
                                   K=width, N=rows, bits=bits, block_size=BLOCK, accuracy_level=ACCURACY_LEVEL)
        node.CopyFrom(product)
    read = {name for node in model.graph.node for name in node.input}
    for node in [one for one in model.graph.node if one.op_type == "Identity" and one.output[0] in aliases and one.output[0] not in read]:
        model.graph.node.remove(node)
    read = {name for node in model.graph.node for name in node.input}
    for tensor in [one for one in model.graph.initializer if one.name not in read]:
        model.graph.initializer.remove(tensor)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def round_to_half(module: torch.nn.Module) -> None:
    """Rounds the weights in place to what `half_weights` will store."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.numel() >= 256:
                parameter.copy_(parameter.half().float())
