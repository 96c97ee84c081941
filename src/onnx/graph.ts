/** Opening a graph, and whether it is the one its manifest describes: onnxruntime ignores inputs it does not know. */
import { EvaluatorError, ModelError } from '../errors.js';
import type { EvaluatorWorker, GraphPlace } from './worker.js';
import type { OpenReply } from './worker-messages.js';

export interface OpenGraph extends OpenReply {
  readonly session: number;
  readonly path: string;
}

/** @throws ModelError ERR_MODEL_INVALID when onnxruntime cannot read the file; AbortError, with the graph closed again */
export async function openGraph(worker: EvaluatorWorker, graph: GraphPlace, signal?: AbortSignal): Promise<OpenGraph> {
  const { path, provider } = graph;
  const session = worker.nextId();
  try {
    return { session, path, ...(await worker.open(session, graph, signal)) };
  } catch (cause) {
    if (!(cause instanceof EvaluatorError)) throw cause;
    await worker.ready; // a thread that never came up says why, and the file is not to blame
    const remedy = provider === 'cpu' ? 'Export the model again.' : "Load it with evaluatorDevice: 'cpu'.";
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `${path}: expected an ONNX graph, but it does not load: ${cause.message} ${remedy}`,
      { cause },
    );
  }
}

/**
 * @param inputs element type by name: all that the graph asks for, no more
 * @throws ModelError ERR_MODEL_INVALID that names the first difference
 */
export function checkGraph(
  graph: OpenGraph,
  inputs: Readonly<Record<string, string>>,
  outputs: readonly string[],
): void {
  const wrong = (what: string) =>
    new ModelError(
      'ERR_MODEL_INVALID',
      `${graph.path}: ${what}. The graph and its manifest do not belong together: export the model again.`,
    );
  for (const { name, type } of graph.inputs) {
    const expected = inputs[name];
    if (expected === undefined)
      throw wrong(`expected the inputs ${Object.keys(inputs).join(', ')}, received one more, '${name}'`);
    if (expected !== type) throw wrong(`expected the input '${name}' as ${expected}, received ${type}`);
  }
  const known = new Set(graph.inputs.map((input) => input.name));
  const missing = Object.keys(inputs).find((name) => !known.has(name));
  if (missing !== undefined) throw wrong(`expected an input '${missing}', received ${[...known].join(', ')}`);
  for (const name of outputs) {
    const found = graph.outputs.find((output) => output.name === name);
    if (found === undefined)
      throw wrong(`expected an output '${name}', received ${graph.outputs.map((output) => output.name).join(', ')}`);
  }
}
