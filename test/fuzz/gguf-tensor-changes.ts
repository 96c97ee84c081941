/** Faults in what a GGUF file says of its tensors: shapes, types, places, names. */
import type { Change } from './gguf-key-changes.js';

const changeDim: Change = ({ tensors }, random) => {
  const tensor = random.of(tensors);
  const at = random.below(tensor.dims.length);
  const value = tensor.dims[at] ?? 1n;
  tensor.dims[at] = random.of([0n, 1n, value + 1n, value - 1n, value * 2n, value / 2n, 2n ** 31n, 2n ** 62n, -1n]);
};
const addDim: Change = ({ tensors }, random) => {
  const { dims } = random.of(tensors);
  if (random.below(2) === 0) dims.push(random.of([1n, 2n]));
  else dims.pop();
};
const swapDims: Change = ({ tensors }, random) => void random.of(tensors).dims.reverse();
const changeTensorType: Change = ({ tensors }, random) => {
  random.of(tensors).type = random.of([
    0,
    1,
    2,
    3,
    6,
    8,
    10,
    12,
    14,
    15,
    16,
    20,
    24,
    26,
    27,
    28,
    30,
    34,
    39,
    99,
    2 ** 31,
  ]);
};
const changeOffset: Change = ({ tensors }, random) => {
  const tensor = random.of(tensors);
  tensor.offset = random.of([0n, 1n, tensor.offset + 32n, tensor.offset - 32n, 2n ** 33n, 2n ** 63n]);
};
const dropTensor: Change = ({ tensors }, random) => void tensors.splice(random.below(tensors.length), 1);
const renameTensor: Change = ({ tensors }, random) => {
  const tensor = random.of(tensors);
  tensor.name = random.of([`${tensor.name}x`, '', random.of(tensors).name, tensor.name.replace(/\d+/, '7')]);
};
const swapTensors: Change = ({ tensors }, random) => {
  const [one, other] = [random.of(tensors), random.of(tensors)];
  [one.name, other.name] = [other.name, one.name];
};

/** The commonest more often. */
export const TENSOR_CHANGES: readonly Change[] = [
  changeDim,
  changeDim,
  addDim,
  swapDims,
  changeTensorType,
  changeOffset,
  dropTensor,
  renameTensor,
  swapTensors,
];
