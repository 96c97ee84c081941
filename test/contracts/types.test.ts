/** What consumers may write and what they may not, under the strictest compiler: each mistake on the line that says so. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Editor } from './consumer.js';

const editor = new Editor();
after(() => editor.close());

/** A line that ends with this is a mistake, and the compiler's message holds what stands in the slashes. */
const MARK = /\/\/ ✗ \/(.*)\/$/;

/** Checks that a program has the mistakes that it marks, and no others. */
function checkMarks(text: string): void {
  const expected = text.split('\n').flatMap((line, index) => {
    const pattern = MARK.exec(line)?.[1];
    return pattern === undefined ? [] : [{ line: index + 1, pattern }];
  });
  editor.open(text);
  const found = editor.mistakes();
  assert.deepEqual(
    found.map(({ line }) => line),
    expected.map(({ line }) => line),
    found.map(({ line, message }) => `${line}: ${message}`).join('\n'),
  );
  for (const [index, { line, pattern }] of expected.entries())
    assert.match(found[index]?.message ?? '', new RegExp(pattern), `line ${line}`);
}

test('requests', () => {
  checkMarks(`
    import type { ConversationRequest, Eta, EtaRequest, PicturesRequest, QuestionRequest, Turn } from 'eta-vlm';
    declare const eta: Eta;
    declare const turns: readonly Turn[];
    declare const path: string | undefined;
    declare const paths: readonly string[] | undefined;

    await eta.respond({ prompt: 'What?' });
    await eta.respond({ prompt: 'What?', image: 'a.png', seed: 1, signal: AbortSignal.timeout(9) });
    await eta.respond({ prompt: 'What?', image: new Uint8Array(9), method: 'pre', thresholds: { safeReward: 0.1 } });
    await eta.respond({ prompt: 'What?', images: ['a.png', new URL('file:///b.png')] });
    await eta.respond({ prompt: 'What?', images: [{ data: new Uint8Array(3), width: 1, height: 1 }] });
    await eta.respond({ turns });
    await eta.respond({ turns: [{ role: 'user', text: 'What?', images: ['a.png'] }], maxTokens: 9 });

    // what may be absent may be undefined
    await eta.respond({ prompt: 'What?', image: path, seed: undefined, thresholds: undefined, turns: undefined });
    await eta.respond({ prompt: 'What?', images: paths, image: undefined });
    await eta.respond({ turns, prompt: undefined });

    // built step by step, spread, passed on
    const built: EtaRequest = { prompt: 'What?' };
    built.image = 'a.png';
    built.seed = 1;
    await eta.respond(built);
    const question: QuestionRequest = { prompt: 'What?', ...(path !== undefined && { image: path }) };
    await eta.respond({ ...question, image: 'b.png', seed: 2 });
    const pictures: PicturesRequest = { ...question, image: undefined, images: ['a.png', 'b.png'] };
    const conversation: ConversationRequest = { turns };
    const all: EtaRequest[] = [question, pictures, conversation];
    for (const request of all) await eta.respond({ ...request, method: 'vanilla' });
    const ask = (request: EtaRequest) => eta.respond({ ...request, seed: 3 });
    await ask({ prompt: 'What?', images: [] });

    await eta.respond({}); // ✗ /'EtaRequest'/
    await eta.respond(); // ✗ /Expected 1 arguments/
    await eta.respond({ image: 'a.png' }); // ✗ /'prompt' is missing/
    await eta.respond({ images: ['a.png'] }); // ✗ /'prompt' is missing/
    await eta.respond({ prompt: 'What?', turns }); // ✗ /undefined/
    await eta.respond({ turns, image: 'a.png' }); // ✗ /undefined/
    await eta.respond({ turns, images: ['a.png'] }); // ✗ /undefined/
    await eta.respond({ prompt: 'What?', image: 'a.png', images: ['b.png'] }); // ✗ /undefined/
    await eta.respond({ seed: 1, method: 'eta' }); // ✗ /missing/
    await eta.respond({ prompt: 'What?', imge: 'a.png' }); // ✗ /'imge' does not exist.*Did you mean to write 'image'/
    await eta.respond({ prompt: 'What?', maxToken: 9 }); // ✗ /'maxToken' does not exist.*Did you mean to write 'maxTokens'/
    await eta.respond({ prompt: 'What?', policy: 'paper' }); // ✗ /'policy' does not exist/
    await eta.respond({ prompt: 'What?', method: 'etta' }); // ✗ /"etta"/
    await eta.respond({ prompt: 'What?', image: 9 }); // ✗ /number/
    await eta.respond({ turns: [{ role: 'tool', text: '' }] }); // ✗ /"tool"/
    await eta.respond({ turns: [{ role: 'user', content: '' }] }); // ✗ /'content' does not exist/
  `);
});

test('loading', () => {
  checkMarks(`
    import { decodeImage, type Eta, type LoadEtaOptions, loadEta, type ModelPaths } from 'eta-vlm';
    import type { ContextStatistics } from 'eta-vlm';

    await using eta = await loadEta();
    await using paper = await loadEta({ policy: 'paper', models: 'miniature', candidateCount: 3, thresholds: {} });
    const models: ModelPaths = { languageModel: 'a.gguf' };
    models.clip = 'clip';
    const options: LoadEtaOptions = { models, gpuLayerCount: 'auto', signal: undefined };
    options.contextSize = 8192;
    const facts: Eta['facts'] = eta.facts;
    const cells: number = facts.contextSize;
    const statistics: ContextStatistics = await eta.statistics();
    const score: number | null = facts.thresholds.unsafeClipScore;
    await loadEta({ ...options, onProgress: ({ part, fraction }) => console.log(part.length, fraction.toFixed(2)) });
    await decodeImage('a.png', { maxPixels: 9 });

    await loadEta({ policy: 'miniature' }); // ✗ /"miniature"/
    await loadEta({ preset: 'paper' }); // ✗ /'preset' does not exist/
    await loadEta({ model: 'miniature' }); // ✗ /'model' does not exist.*Did you mean to write 'models'/
    await loadEta({ models: { projector: 'a.gguf' } }); // ✗ /languageModel/
    await loadEta({ gpuLayerCount: 'all' }); // ✗ /"all"/
    await loadEta({ cacheType: 'q4_0' }); // ✗ /"q4_0"/
    await loadEta({ prompt: 'What?' }); // ✗ /'prompt' does not exist/
    await loadEta({ onNotice: (text: string) => console.log(text) }); // ✗ /Notice/
    await decodeImage('a.png', { maxPixel: 9 }); // ✗ /'maxPixel' does not exist/
    loadEta().respond({ prompt: 'What?' }); // ✗ /'respond' does not exist on type 'Promise<Eta>'/
    await using early = loadEta(); // ✗ /await using/
    facts.policy = paper.facts.policy; // ✗ /read-only/
    facts.policy.temperature = 0; // ✗ /read-only/
    const known: number = facts.thresholds.safeReward; // ✗ /null/
  `);
});

test('results and events', () => {
  checkMarks(`
    import type { AnswerEvent, Eta, EtaEvent, EtaResult, Judgement, PictureEvent, Verdict } from 'eta-vlm';
    declare const eta: Eta;
    declare const result: EtaResult;

    for await (const event of eta.stream({ prompt: 'What?' }, { signal: AbortSignal.timeout(9) })) {
      if (event.type === 'picture') {
        const { score, threshold, isUnsafe, isCalibrated, evaluator } = event.judgement;
        console.log(score > threshold, isUnsafe === isCalibrated, evaluator.length);
        event.text; // ✗ /'text' does not exist on type 'PictureEvent'/
      } else if (event.type === 'done') {
        console.log(event.result.text, event.result.stopReason === 'length');
      } else if (event.type === 'clip') { // ✗ /no overlap/
      }
    }
    function told(event: EtaEvent): string {
      switch (event.type) {
        case 'picture':
        case 'answer':
          return String(event.judgement.score);
        case 'vanilla':
          return event.stopReason;
        case 'sentence':
          return event.sentence.text ?? String(event.sentence.tokenCount);
        case 'round':
          return String(event.round.candidates[event.round.chosen]?.utility);
        case 'rung':
          return event.rung.text;
        case 'text':
          return event.text;
        case 'verdict':
          return event.verdict.action;
        case 'done':
          return event.result.text;
      }
    }
    const judged: (PictureEvent | AnswerEvent)['judgement'] | null = result.verdict.picture;
    const rounds: number = result.trace.rounds.length;

    result.text = ''; // ✗ /read-only/
    result.verdict.action = 'refused'; // ✗ /read-only/
    result.trace.rounds.push(); // ✗ /'push' does not exist/
    result.usage.promptTokenCount++; // ✗ /read-only/
    result.verdict.clipScore; // ✗ /'clipScore' does not exist on type 'Verdict'/
    result.verdict.answer.score; // ✗ /possibly 'null'/
    const judgement: Judgement = { evaluator: 'clip', score: 0, threshold: 0, isUnsafe: true }; // ✗ /isCalibrated/
    const other: Judgement['evaluator'] = 'llama-guard'; // ✗ /"llama-guard"/
    const verdict: Verdict = { action: 'answered', picture: null, answer: null, final: null, reward: 0 }; // ✗ /'reward'/
    eta.stream({ prompt: 'What?' }, { abort: true }); // ✗ /'abort' does not exist/
    eta.stream({}); // ✗ /not assignable|missing/
  `);
});

test('the engine', () => {
  checkMarks(`
    import { type Decoded, type DecodeOptions, Model, type SamplerOptions } from 'eta-vlm/engine';

    await using model = await Model.load({ modelPath: 'a.gguf', projectorPath: undefined, onProgress: console.log });
    await using context = await model.createContext({ contextSize: 512, output: 'logits' });
    const image = await model.encodeImage({ data: new Uint8Array(3), width: 1, height: 1 });
    const parts = await model.prompt([{ role: 'user', text: 'What?', images: [image] }], { variables: { a: 1 } });
    await using lease = await context.reserve({ cellCount: 9, sequenceCount: 2 });
    const sequence = await lease.createSequence();
    await sequence.prefill(parts, { signal: AbortSignal.timeout(9) });
    const sampler: SamplerOptions = { temperature: 1 };
    sampler.topK = 5;
    const set = await context.createTokenSet(await model.tokenize('.', { isContinued: true }));
    const options: DecodeOptions = { maxTokens: 9, sampler, pause: { set, accept: (text) => text.endsWith('.') } };
    const decoded: Decoded = await sequence.decode({ ...options, onText: (text) => console.log(text.length) });
    const reason: 'end' | 'length' | 'paused' = decoded.stopReason;

    await Model.load({}); // ✗ /modelPath/
    await Model.load({ modelPath: 'a.gguf', gpuLayers: 1 }); // ✗ /'gpuLayers' does not exist/
    await model.createContext({ cacheType: 'f64' }); // ✗ /"f64"/
    await sequence.decode({}); // ✗ /maxTokens/
    await sequence.decode({ maxTokens: 9, temperature: 1 }); // ✗ /'temperature' does not exist/
    await sequence.decode({ maxTokens: 9, sampler: { top_k: 5 } }); // ✗ /'top_k' does not exist/
    await sequence.decode({ maxTokens: 9, pause: { set } }); // ✗ /accept/
    await sequence.decode({ maxTokens: 9, onText: (tokens: number[]) => tokens }); // ✗ /number/
    await context.reserve({ cellCount: 9 }); // ✗ /sequenceCount/
    await model.prompt([{ role: 'user', text: 'What?', images: ['a.png'] }]); // ✗ /NativeImage/
    decoded.tokens.push(1); // ✗ /'push' does not exist/
  `);
});

test('batches', () => {
  checkMarks(`
    import type { ConversationRequest, Eta, EtaRequest, PicturesRequest, QuestionRequest } from 'eta-vlm';
    import { type BatchRequest, ResultsFile, readAnswers, readRequests, runBatch, settingsOf } from 'eta-vlm/batch';
    declare const eta: Eta;

    const settings = await settingsOf(eta.facts, { seed: 1 });
    await using results = await ResultsFile.open({ path: 'a.jsonl', settings, resume: true });
    const requests: BatchRequest[] = [
      { id: 'a', request: { prompt: 'What?', image: 'a.png' } },
      { id: 'b', request: { turns: [{ role: 'user', text: 'What?' }], seed: 1 } },
      { id: 'c', request: { prompt: 'What?', signal: AbortSignal.timeout(9) } },
    ];
    declare const question: QuestionRequest;
    declare const named: EtaRequest | PicturesRequest | ConversationRequest;
    requests.push({ id: 'd', request: question }, { id: 'e', request: { ...question, image: 'a.png' } });
    requests.push({ id: 'f', request: named });
    await runBatch({ eta, requests, results, concurrency: 8, signal: undefined, onProgress: ({ line }) => line?.text });
    await runBatch({ eta, requests: readRequests('a.jsonl', { shard: { index: 1, count: 2 } }), results });
    for await (const { verdict, error, usage } of readAnswers('a.jsonl')) {
      console.log(verdict?.picture?.score, error?.code === 'ERR_UNEXPECTED', usage?.rewardTokenCount);
      verdict.action; // ✗ /possibly 'null'/
    }

    const empty: BatchRequest = { id: 'a', request: {} }; // ✗ /not assignable|missing/
    const nameless: BatchRequest = { request: { prompt: 'What?' } }; // ✗ /'id' is missing/
    const both: BatchRequest = { id: 'a', request: { prompt: 'What?', image: 'a', images: ['b'] } }; // ✗ /undefined/
    await runBatch({ eta, requests, results, concurency: 8 }); // ✗ /'concurency' does not exist/
    await runBatch({ eta, requests: ['What?'], results }); // ✗ /string/
    await ResultsFile.open({ path: 'a.jsonl' }); // ✗ /settings/
    await settingsOf(eta.facts, { seed: 1, contextSize: 9 }); // ✗ /'contextSize' does not exist/
    await settingsOf(eta.facts, { seed: 1, ordered: true }); // ✗ /'ordered' does not exist/
  `);
});

test('the code of an error is one of those that there are', () => {
  checkMarks(`
    import { AbortError, EtaError, type EtaErrorCode, UsageError } from 'eta-vlm';
    try {
    } catch (error) {
      if (!(error instanceof EtaError)) throw error;
      switch (error.code) {
        case 'ERR_MEMORY':
          break;
        case 'ERR_MEMROY': // ✗ /not comparable/
          break;
      }
      const code: EtaErrorCode = error.code;
      if (error instanceof UsageError) {
        console.log(error.message, error.cause);
        switch (error.code) {
          case 'ERR_DISPOSED':
            break;
          case 'ERR_MEMORY': // ✗ /not comparable/
            break;
        }
      } else if (error instanceof AbortError) {
        const aborted: 'ERR_ABORTED' = error.code;
      }
      new UsageError('ERR_MEMORY', ''); // ✗ /not assignable/
      error.code = 'ERR_MEMORY'; // ✗ /read-only/
    }
  `);
  const text =
    "import { EtaError } from 'eta-vlm';\ndeclare const error: EtaError;\nswitch (error.code) {\n  case '';\n}\n";
  editor.open(text);
  const offered = editor.completions(text.indexOf("case '") + 6);
  for (const code of ['ERR_INVALID_OPTION', 'ERR_MEMORY', 'ERR_ABORTED'])
    assert.ok(offered.includes(code), `${code} is not among ${offered.join(', ')}`);
});

test('a mistake that nobody marks, and a mark without a mistake, are seen', () => {
  assert.throws(() => checkMarks("const text: string = 'a';\nconst count: number = text;"), assert.AssertionError);
  assert.throws(() => checkMarks("const text: string = 'a'; // ✗ /number/"), assert.AssertionError);
  assert.throws(() => checkMarks('const text: string = 9; // ✗ /boolean/'), assert.AssertionError);
});
