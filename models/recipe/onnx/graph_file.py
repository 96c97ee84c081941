"""Writes a PyTorch module as one ONNX file, optionally with its weights stored in half precision."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def write_graph(module: torch.nn.Module, path: Path, inputs: dict[str, torch.Tensor], outputs: list[str],
                axes: dict[str, dict[int, str]], half_weights: bool = False, external: bool = False) -> list[Path]:
    """Traces `module(*inputs)` and writes `path`; returns the external-data files (none unless `external`).

    `half_weights` stores the large weights as float16 followed by a Cast: half the size, float32 arithmetic,
    and the values of the weights rounded to float16 (round the module first where the two must agree).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    module = module.eval()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, tuple(inputs.values()), str(path), input_names=list(inputs), output_names=outputs,
                          dynamic_axes=axes, opset_version=OPSET, dynamo=False)
    model = onnx.load(str(path))
    model.producer_name, model.producer_version, model.doc_string = "eta-vlm", "", ""
    for node in model.graph.node:  # the exporter writes source lines here
        node.doc_string = ""
        if node.op_type == "Reshape":  # an empty cache has a dimension of zero
            del node.attribute[:]
            node.attribute.append(helper.make_attribute("allowzero", 1))
    if half_weights:
        store_half(model)
    if not external:
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
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < at_least or np.abs(values).max() > 60000:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + ".half"))
        casts.append(helper.make_node("Cast", [name + ".half"], [name], name=name + ".cast", to=TensorProto.FLOAT))
    for index, node in enumerate(casts):
        model.graph.node.insert(index, node)


def round_to_half(module: torch.nn.Module) -> None:
    """Rounds the weights in place to what `half_weights` will store."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.numel() >= 256:
                parameter.copy_(parameter.half().float())
