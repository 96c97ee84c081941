"""Makes shapes/: graphs that take what an encoder takes and return outputs of shapes that are no reward. Needs onnx.

two-label-encoder/ is not made here: it is an input that failed once, a classifier whose first column was taken for the reward.

    python test/golden/evaluators/make_shapes.py
"""

from __future__ import annotations

from pathlib import Path

from onnx import TensorProto, checker, helper, save

OUT = Path(__file__).resolve().parent / "shapes"


def graph(name: str, nodes: list, shape: list) -> None:
    inputs = [helper.make_tensor_value_info(key, TensorProto.INT64, ["batch", "tokens"]) for key in ("input_ids", "attention_mask")]
    model = helper.make_model(
        helper.make_graph([helper.make_node("Mul", ["input_ids", "attention_mask"], ["kept"]), helper.make_node("Cast", ["kept"], ["values"], to=TensorProto.FLOAT), *nodes],
                          name, inputs, [helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)],
                          [helper.make_tensor("last", TensorProto.INT64, [1], [2]), helper.make_tensor("tokens", TensorProto.INT64, [1], [1])]),
        opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    save(model, OUT / f"{name}.onnx")


OUT.mkdir(exist_ok=True)
mean = helper.make_node("ReduceMean", ["values"], ["logits"], axes=[1], keepdims=1)
graph("one", [mean], ["batch", 1])  # as it should be
graph("squeezed", [helper.make_node("ReduceMean", ["values"], ["logits"], axes=[1], keepdims=0)], ["batch"])  # one number, of lower rank
graph("tokens", [helper.make_node("Unsqueeze", ["values", "last"], ["logits"])], ["batch", "tokens", 1])  # a number a token
graph("pairs", [helper.make_node("Unsqueeze", ["values", "last"], ["each"]), helper.make_node("Concat", ["each", "each"], ["logits"], axis=2)], ["batch", "tokens", 2])
graph("flat", [helper.make_node("Identity", ["values"], ["logits"])], ["batch", "tokens"])  # a number a token, without a last axis
