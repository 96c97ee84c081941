/** The evaluator thread: onnxruntime's graphs, and the preprocessing of their pictures, run beside the event loop. */
export { cacheNames } from './cache-layout.js';
export { checkGraph, type OpenGraph, openGraph } from './graph.js';
export { type EvaluatorLoadOptions, evaluatorLoadSchema } from './load-options.js';
export { misfitOf } from './misfit.js';
export {
  EVALUATOR_DEVICES,
  type EvaluatorDevice,
  type Provider,
  providersToTry,
  publishedProviders,
} from './provider.js';
export { runtimeFacts } from './runtime-facts.js';
export { telemetryState } from './telemetry.js';
export { EvaluatorWorker } from './worker.js';
export type { Feed, OutputTensor, RunMessage } from './worker-messages.js';
