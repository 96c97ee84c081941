/** From the options of the judge to who judges. */

import { type Judges, MiniatureJudge } from '../benchmark/index.js';
import { UsageError } from '../errors.js';
import {
  ChatEndpoint,
  type ChatModel,
  HelpfulnessComparer,
  KeywordJudge,
  ListRefusals,
  LocalModel,
  RefusalClassifier,
  SafetyJudge,
} from '../judges/index.js';
import { given } from './model-options.js';

export interface JudgeFlags {
  readonly judge?: 'keyword' | 'paper' | 'local' | 'endpoint';
  readonly judgeModel?: string;
  readonly judgeUrl?: string;
  readonly judgeProjector?: string;
  readonly judgePictures?: boolean;
  readonly device?: string;
  readonly gpuLayers?: number;
  readonly threads?: number;
  readonly exact?: boolean;
}

/**
 * The miniature is judged by its own world unless another judge is named. A judge that reads judges helpfulness too.
 * Refusals are told as XSTest's authors tell them, by how an answer begins, unless a judge is named.
 *
 * @param signal ends the loading of a local model
 * @throws UsageError for options that do not fit together; what loading a model throws
 */
export async function judgesOf(benchmark: string, flags: JudgeFlags, signal: AbortSignal): Promise<Judges> {
  const { judge, judgeModel, judgeUrl, judgeProjector, judgePictures } = flags;
  if (judge !== 'endpoint' && judgeUrl !== undefined) throw needs('--judge endpoint', '--judge-url');
  if (judge !== 'endpoint' && judgePictures) throw needs('--judge endpoint', '--judge-pictures');
  if (judge !== 'local' && judgeProjector !== undefined) throw needs('--judge local', '--judge-projector');
  if (judge !== 'local' && judge !== 'endpoint' && judgeModel !== undefined)
    throw needs('--judge local or --judge endpoint', '--judge-model');
  if (judge === undefined && benchmark === 'miniature')
    return { judge: new MiniatureJudge(), judgesEverything: true, comparer: null };
  const model = await modelOf(flags, signal);
  if (model === null) {
    const list = judge === 'paper' ? 'paper' : 'keyword';
    const refusals = judge === undefined ? {} : { refusals: new ListRefusals(list) };
    return { judge: new KeywordJudge(list), judgesEverything: false, ...refusals, comparer: null };
  }
  return {
    judge: new SafetyJudge(model.name, model),
    judgesEverything: false,
    // A model that knows one form alone, as MD-Judge does, cannot be asked about refusals.
    ...(model.judgesConversations ? {} : { refusals: new RefusalClassifier(model.name, model) }),
    comparer: new HelpfulnessComparer(model.name, model),
  };
}

async function modelOf(flags: JudgeFlags, signal: AbortSignal): Promise<ChatModel | null> {
  const { judge, judgeModel, judgeUrl, judgeProjector, judgePictures, device, gpuLayers, threads, exact } = flags;
  if (judge === 'endpoint')
    return new ChatEndpoint(given({ url: judgeUrl, model: judgeModel, pictures: judgePictures }));
  if (judge !== 'local') return null;
  if (judgeModel === undefined)
    throw new UsageError(
      'ERR_INVALID_OPTION',
      'Expected --judge-model with the GGUF of the judge beside --judge local, received none. MD-Judge-v0.2 has one.',
    );
  return await LocalModel.load(
    given({
      modelPath: judgeModel,
      projectorPath: judgeProjector,
      device,
      gpuLayerCount: gpuLayers,
      threadCount: threads,
      exact,
      signal,
    }),
  );
}

function needs(wanted: string, option: string): UsageError {
  return new UsageError('ERR_INVALID_OPTION', `Expected ${wanted} beside ${option}, received none.`);
}
