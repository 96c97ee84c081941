/** `eta-vlm ask`: one question, one answer. The text goes to stdout, the verdict to stderr. */
import { UsageError } from '../errors.js';
import { type DecodeImageOptions, decodeImage } from '../image/index.js';
import type { Eta, LoadEtaOptions } from '../index.js';
import { describePath } from '../options.js';
import { checkApart, earlierAt, type FileEnds, picturePath } from '../outputs/index.js';
import { write } from '../terminal/output.js';
import { columnsOf, createPaint } from '../terminal/paint.js';
import { print } from '../terminal/print.js';
import { readStdin } from '../terminal/stdin.js';
import type { RgbImage } from '../types/picture.js';
import type { EtaResult, Timings } from '../types/result.js';
import { WorkGroup } from '../work-group.js';
import { reportLines } from './answer-report.js';
import { streamAnswer } from './answer-stream.js';
import { modelInputs } from './inputs.js';
import { checkWritable, writeJsonFile } from './json-file.js';
import { loadModels, sequenceCountFor } from './load-models.js';
import { loadOptions } from './load-options.js';
import { given, type ModelFlags } from './model-options.js';
import { Notices } from './notices.js';
import { type PolicyFlags, policyOptions } from './policy-options.js';

export interface AskOptions extends ModelFlags, PolicyFlags {
  readonly image?: readonly string[];
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly json?: boolean;
  readonly trace?: string;
  readonly verbose?: boolean;
}

/**
 * Answers, and writes what the options ask for. Pictures are decoded while the models load; a bad one ends that at once.
 *
 * @throws EtaError what loading and answering throw; AbortError
 */
export async function ask(question: string, options: AskOptions, signal: AbortSignal): Promise<void> {
  checkQuestion(question);
  const settings = given({
    ...loadOptions(options),
    ...policyOptions(options),
    sequenceCount: sequenceCountFor(options.n),
  });
  if (options.trace !== undefined) await checkTrace(options.trace, options);
  const prompt = question === '-' ? await readPrompt(signal) : question;
  const notices = new Notices();
  const { eta: loaded, pictures } = await sideBySide(
    { ...settings, onNotice: notices.add },
    options.image ?? [],
    signal,
  );
  await using eta = loaded;
  const { images, imageDecodeMs } = pictures;
  notices.tell(); // what is known before the answer
  const request = given({ prompt, images, seed: options.seed, stop: options.stop, signal });
  const answered = options.json ? await eta.respond(request) : await streamAnswer(eta, request);
  const result = { ...answered, timings: begunEarlier(answered.timings, imageDecodeMs) };
  if (options.json) print(`${JSON.stringify(answerObject(result))}\n`);
  else writeVerdict(result, options.verbose === true);
  notices.tell();
  if (options.trace !== undefined) await writeJsonFile(options.trace, result);
}

interface DecodedPictures {
  readonly images: readonly RgbImage[];
  readonly imageDecodeMs: number;
}

/** Models and pictures; when either fails, the other is stopped, and what was loaded is freed. */
async function sideBySide(
  settings: LoadEtaOptions,
  files: readonly string[],
  outer: AbortSignal,
): Promise<{ readonly eta: Eta; readonly pictures: DecodedPictures }> {
  const group = new WorkGroup(outer);
  const { maxPixels } = settings;
  const first = { hasImages: files.length > 0 };
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const loading = group.start((signal) => loadModels({ ...settings, onProgress: begin, signal }, first));
  loading.then(begin, begin);
  // What decodes is loaded on this thread: others have something to do by then.
  const decoding = group.start((signal) => begun.then(() => decoded(files, { signal, maxPixels })));
  try {
    const pictures = await group.result(decoding);
    return { eta: await group.result(loading), pictures };
  } catch (error) {
    await group.close();
    await loading.then((eta) => eta.dispose()).catch(() => undefined); // the first failure is the one to tell
    throw error;
  } finally {
    await group.close();
  }
}

async function decoded(files: readonly string[], options: DecodeImageOptions): Promise<DecodedPictures> {
  const startedAt = performance.now();
  const images: RgbImage[] = [];
  for (const file of files) images.push(await decodeImage(file, options));
  return { images, imageDecodeMs: performance.now() - startedAt };
}

function checkQuestion(question: string): void {
  if (question.trim() !== '') return;
  throw new UsageError(
    'ERR_INVALID_REQUEST',
    'Expected a question, received an empty text. Ask something, such as "What is this?", or give \'-\' to read it from stdin.',
  );
}

/** Refuses early a trace that could not be written after a long run, or would take the place of something else. */
async function checkTrace(trace: string, options: AskOptions): Promise<void> {
  if (trace === '') throw new UsageError('ERR_INVALID_OPTION', '--trace: expected a file name, received "".');
  const pictures = (options.image ?? []).flatMap((image) => picturePath(image) ?? []);
  await checkApart(
    [{ path: trace, name: 'The trace (--trace)' }],
    [...pictures.map((path) => ({ path, name: 'the picture of --image' })), ...(await modelInputs(options))],
  );
  await checkWritable(trace, '--trace');
  await checkOwnTrace(trace);
}

/** What is there may be replaced if it is an earlier trace, or empty. @throws UsageError ERR_INVALID_OPTION */
async function checkOwnTrace(path: string): Promise<void> {
  if ((await earlierAt(path, isTrace)) !== 'other') return;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `--trace: expected a new file, or the trace of an earlier answer, received ${describePath(path)}, which holds something else. Name another, or take the file away.`,
  );
}

/** An {@link EtaResult} as {@link writeJsonFile} writes it: its first field, and its last three. */
const isTrace = ({ head, tail }: FileEnds) =>
  head.startsWith('{\n  "text": "') &&
  /\n {2}"timings": \{[^{}]*\},\n {2}"model": ".*",\n {2}"seed": \d+\n\}\n$/.test(tail);

/**
 * The times of a request whose pictures were decoded before it, as if it had begun with them. Loading is not counted, but
 * for an evaluator that the answer had to wait for.
 */
function begunEarlier(timings: Timings, imageDecodeMs: number): Timings {
  const { firstTextMs, totalMs } = timings;
  return { ...timings, imageDecodeMs, firstTextMs: firstTextMs + imageDecodeMs, totalMs: totalMs + imageDecodeMs };
}

/** What `--json` prints: the result without its trace. */
function answerObject(result: EtaResult) {
  const { trace: _trace, ...answer } = result;
  return answer;
}

function writeVerdict(result: EtaResult, showsRounds: boolean): void {
  const form = { showsRounds, paint: createPaint(process.stderr), columns: columnsOf(process.stderr) };
  write(process.stderr, `\n${reportLines(result, form).join('\n')}\n`);
}

async function readPrompt(signal: AbortSignal): Promise<string> {
  const prompt = (await readStdin(signal)).trimEnd();
  if (prompt !== '') return prompt;
  throw new UsageError(
    'ERR_INVALID_REQUEST',
    "Expected the question on stdin, because '-' was given, received nothing.",
  );
}
