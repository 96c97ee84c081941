/** Loads one folder with a damaged file after the other, and works with those that load. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Clip } from '../../src/clip/index.js';
import { readForm } from '../../src/decision/index.js';
import { readThresholds, testPicture } from '../../src/manifest/index.js';
import { EvaluatorWorker } from '../../src/onnx/index.js';
import { RewardModel } from '../../src/reward/index.js';
import { TextTokenizer } from '../../src/tokenizer/index.js';
import { copied, FOLDERS, PUBLISHED, PUBLISHED_FILES, sound, THRESHOLDS } from './evaluator-folders.js';
import { answerSeeds } from './forked-child.js';
import { mutatedJsonFile } from './json-mutation.js';
import { mutatedOnnx } from './onnx-mutation.js';
import { withPattern } from './pattern-mutation.js';
import { Random } from './random.js';
import { RAW } from './tally.js';

/** What may stand in a tokenizer.json or a manifest where something else is expected. */
const WORDS = [
  ...[
    'BPE',
    'WordPiece',
    'Unigram',
    'WordLevel',
    'Sequence',
    'ByteLevel',
    'Split',
    'Metaspace',
    'Whitespace',
    'Digits',
  ],
  ...[
    'BertPreTokenizer',
    'BertNormalizer',
    'NFC',
    'NFKC',
    'Nmt',
    'Precompiled',
    'Lowercase',
    'Strip',
    'Replace',
    'Prepend',
  ],
  ...['FixedLength', 'UnicodeScripts', 'CharDelimiterSplit', 'Punctuation', 'TemplateProcessing', 'RobertaProcessing'],
  ...['BertProcessing', 'Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous', 'Regex', 'String'],
  ...[
    'first',
    'never',
    'always',
    'model.onnx',
    'tokenizer.json',
    'manifest.json',
    'causal',
    'encoder',
    'scalar',
    'gated',
  ],
  ...['input_ids', 'logits', 'attention_mask', 'squash', 'center', 'sigmoid', '[CLS]'],
];
const TEXTS = ['a photo of a red apple', "<|im_start|>Ünïcode 中文 😀\n\n  123 don't!", '', 'x'.repeat(300)];
/** That a pattern may match in many ways. */
const MATCHED = [`${'a'.repeat(1500)}c`, `${'ab '.repeat(500)}c`, `${'\u00e4 '.repeat(300)}:`];
const PROMPT = [{ role: 'user' as const, content: 'is the following response safe' }];

/** Which file is damaged, as often as there is something to find in it. */
const DAMAGED = [
  'graph',
  'graph',
  'graph',
  'tokenizer',
  'tokenizer',
  'tokenizer',
  'pattern',
  'manifest',
  'manifest',
  'beside',
] as const;

type Damaged = (typeof DAMAGED)[number];

interface Entry {
  readonly path: string;
  sizeBytes: number;
}

const worker = EvaluatorWorker.begin({ threadCount: 1 });

async function use(scratch: string, seed: number): Promise<string> {
  const random = new Random(seed);
  const damaged = random.of(DAMAGED);
  return damaged === 'beside' ? await readBeside(scratch, random) : await loadWith(scratch, damaged, random);
}

/** A folder of which the graph, the tokenizer or the manifest is damaged; sizes in the manifest are those of the files. */
async function loadWith(scratch: string, damaged: Exclude<Damaged, 'beside'>, random: Random): Promise<string> {
  const place = random.of(FOLDERS);
  const folder = copied(scratch, place);
  const manifestText = sound(place.from, 'manifest.json').toString();
  const manifest = JSON.parse(manifestText) as { files: Record<string, Entry | Entry[]> };
  const entries = Object.values(manifest.files).flat();
  const isMeant = ({ path }: Entry) => path.endsWith(damaged === 'graph' ? '.onnx' : 'tokenizer.json');
  const entry = damaged === 'manifest' ? undefined : random.of(entries.filter(isMeant));
  if (entry === undefined) {
    writeFileSync(join(folder, 'manifest.json'), mutated.manifest(Buffer.from(manifestText), random));
    return await load(place.kind, folder);
  }
  const whole = sound(place.from, entry.path);
  const bytes = mutated[damaged](whole, random);
  entry.sizeBytes = bytes.length;
  writeFileSync(join(folder, entry.path), bytes);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return damaged === 'pattern' ? await tokenized(join(folder, entry.path)) : await load(place.kind, folder);
}

/** Without its graph: the self-test would refuse nearly all tokenizers that part texts otherwise. */
async function tokenized(path: string): Promise<string> {
  const tokenizer = await TextTokenizer.load(path);
  for (const text of [...TEXTS, ...MATCHED]) await tokenizer.encode(text);
  return 'reads';
}

const mutated: Readonly<Record<Exclude<Damaged, 'beside'>, (whole: Buffer, random: Random) => Buffer>> = {
  graph: mutatedOnnx,
  tokenizer: (whole, random) => mutatedJsonFile(whole.toString(), random, WORDS),
  pattern: (whole, random) => withPattern(whole.toString(), random),
  manifest: (whole, random) => mutatedJsonFile(whole.toString(), random, WORDS),
};

/** What stands beside a published CLIP, thresholds, the form of a decision. */
async function readBeside(scratch: string, random: Random): Promise<string> {
  const name = random.of(['config.json', 'preprocessor_config.json', 'thresholds.json', 'form.json']);
  const place = join(scratch, name);
  if (name === 'thresholds.json') {
    writeFileSync(place, mutatedJsonFile(THRESHOLDS, random, WORDS));
    await readThresholds(place);
    return 'reads';
  }
  if (name === 'form.json') {
    writeFileSync(place, mutatedJsonFile(ownForm(), random, WORDS));
    await readForm(place);
    return 'reads';
  }
  const folder = copied(scratch, PUBLISHED);
  writeFileSync(join(folder, name), mutatedJsonFile(JSON.stringify(PUBLISHED_FILES[name]), random, WORDS));
  return await load('clip', join(folder, 'onnx/vision_model.onnx'));
}

/** A shipped one's name is refused. */
const ownForm = () => sound('models/decisions', 'shieldstral.json').toString().replaceAll('"shieldstral"', '"mine"');

async function load(kind: string, folder: string): Promise<string> {
  const numbers = kind === 'reward' ? await rewards(folder) : await scores(folder);
  return numbers.every(Number.isFinite) ? 'works' : `${RAW}numbers that are none: ${numbers}`;
}

async function scores(folder: string): Promise<number[]> {
  const clip = await Clip.load({ worker, folder, verifyHashes: false });
  try {
    const numbers = [...(await clip.embedImage(testPicture({ width: 40, height: 30 })))];
    for (const text of TEXTS) numbers.push(...(await clip.embedText(text)));
    return numbers;
  } finally {
    await clip.dispose();
  }
}

async function rewards(folder: string): Promise<number[]> {
  const model = await RewardModel.load({ worker, folder, verifyHashes: false });
  const session = model.open(PROMPT);
  try {
    const together = await session.score(TEXTS);
    session.accept('I cannot help.');
    return [...together, ...(await session.score([' Ask.']))];
  } finally {
    session.close();
    await model.dispose();
  }
}

answerSeeds(use, () => worker.dispose());
