/**
 * docs/compatibility.md, measured now: node --import tsx test/compatibility/table.ts [--write]. Without --write it is
 * printed.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXPECTATIONS, PICTURE_TOLERANCE, TEXT_TOLERANCE } from './expectations.js';
import { type CaseKind, readGolden } from './golden.js';
import { type CaseMeasure, type Measure, measure } from './measure.js';

const FILE = fileURLToPath(new URL('../../docs/compatibility.md', import.meta.url));
const HEAD = [
  'model',
  'converts',
  'loads',
  'tokens equal',
  'preprocessing, max difference',
  'picture rows, max difference',
  'first-token logits, max difference',
  'greedy 32 equal',
  'forks equal',
];

const KINDS: readonly CaseKind[] = ['text', 'exact', 'wide', 'both'];

function figure(value: number | string | undefined): string {
  if (value === undefined) return '–';
  if (typeof value === 'string') return 'other shape';
  if (value < 1e-6) return '0';
  return value < 0.01 ? value.toExponential(0) : value.toPrecision(2);
}

function yes(isTrue: boolean): string {
  return isTrue ? 'yes' : '**no**';
}

function worst(items: readonly CaseMeasure[]): number {
  return Math.max(...items.map((item) => item.fromOriginal));
}

export function row({ golden, loads, cases, forks }: Measure): string[] {
  const name = `${golden.title} (\`${golden.original}\`)`;
  const none = Array(6).fill('–') as string[];
  if (golden.converts !== 'yes') return [name, '**no**', '–', ...none];
  if (loads !== 'yes') return [name, 'yes', '**no**', ...none];
  const of = (kind: CaseKind) => cases.filter((item) => item.golden.kind === kind);
  const patched = EXPECTATIONS[golden.name]?.patched !== undefined;
  const recorded = (value: (item: CaseMeasure) => number | string | undefined) =>
    [...of('exact'), ...of('wide')].map((item) => figure(value(item))).join(' / ');
  const cells = (isRight: (item: CaseMeasure) => boolean) =>
    KINDS.map((kind) => yes(of(kind).every(isRight))).join(' / ');
  const forkCell = forks === undefined ? '–' : figure(Math.max(forks.fork, forks.batch));
  return [
    name,
    'yes',
    'yes',
    cells((item) => item.tokens === true),
    recorded((item) => item.golden.stock.pixelDifference),
    // Recorded from stock llama.cpp: under a patch they are others, and the logits tell.
    `${recorded((item) => item.golden.stock.embeddingDifference)}${patched ? ' (stock)' : ''}`,
    KINDS.map((kind) => figure(worst(of(kind)))).join(' / '),
    cells((item) => item.greedyEqual),
    `${yes(forks?.textsEqual ?? false)}, ${forkCell}${typeof forks?.trim === 'string' ? '; a cut inside is refused' : ''}`,
  ];
}

function notes({ golden, cases }: Measure): string {
  const { refused, tokens, exact, wide, patched, steadied } = EXPECTATIONS[golden.name] ?? {};
  const lines: string[] = [];
  if (refused !== undefined)
    lines.push(`${refused.at === 'converts' ? 'Not converted' : 'Refused when loaded'}. ${refused.why}`);
  else if (exact !== undefined) lines.push('Works, but reads pictures otherwise.');
  else lines.push(wide === undefined ? 'Works, resized pictures too.' : 'Works.');
  if (tokens !== undefined) lines.push(`Tokens: ${tokens}`);
  if (exact !== undefined) lines.push(`Pictures that are not resized: ${exact}`);
  if (wide !== undefined) lines.push(`Resized pictures: ${wide}`);
  if (steadied !== undefined) lines.push(`Corrected by us: ${steadied}`);
  const stock = Math.max(...cases.map((item) => item.fromStock ?? 0));
  if (patched !== undefined) {
    const before = cases.find((item) => item.golden.kind === 'exact')?.golden.stock.logitsDifference;
    lines.push(`Corrected by us: ${patched} Stock llama.cpp's logits of a picture are ${figure(before)} off.`);
  } else if (cases.length > 0) {
    lines.push(`Our logits are stock llama.cpp's: ${stock < 1e-6 ? 'bit for bit' : `${figure(stock)} apart`}.`);
  }
  return `- **${golden.title}.** ${lines.join(' ')}`;
}

function document(measures: readonly Measure[]): string {
  const versions = measures[0]?.golden.versions ?? {};
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return `# Compatibility

Which language models work here, and how exactly: look for [yours](#your-model). An architecture that is not in the list was not compared; most that \`llama-mtmd-cli\` takes run all the same. Try your own files, without a judge:

\`\`\`
npx eta-vlm ask --language-model model.gguf --projector mmproj.gguf --method vanilla --image photo.jpg "What is this?"
\`\`\`

## Your model

Each was compared with its original implementation: text, a picture of a size that needs no resizing, a picture that is resized, two pictures. What is not named agrees, [as nearly as floats do](#reading-the-figures).

${measures.map(notes).join('\n')}

## Measured

Nobody's weights were needed. For each architecture a tiny model of the original class (Hugging Face transformers: random weights, the original's special tokens, chat template and processor) is converted by llama.cpp's own converter, and compared, through \`eta-vlm/engine\`, with what the original computes. In a clone:

\`\`\`
npm run test:run -- compatibility                            # checks all of it
node --import tsx test/compatibility/table.ts --write        # makes this page
\`\`\`

transformers ${versions.transformers}, torch ${versions.torch}, llama.cpp ${versions['llama.cpp']} with the corrections of \`native/patches\`; F32 weights, F32 cache, no flash attention, CPU.

${line(HEAD)}
${line(HEAD.map(() => '---'))}
${measures.map((one) => line(row(one))).join('\n')}

- **Four values**: text; a picture of a size that needs no resizing; a picture that is resized; two pictures in one turn, of that first size. **Two values**: the two single pictures.
- **Tokens**: if they differ, the numbers behind are from the original's prompt, written out.
- **Preprocessing** is in normalised pixels (one of 256 steps is 0.008 to 0.018). It and the picture rows were recorded from stock libmtmd on the same files (\`test/compatibility/record/oracle.cpp\`); the engine calls the same code.
- **Forks**: whether two forks and their parent write the straight text; and the largest difference of logits of a fork, and of three decoded together, from a straight decode.

## Reading the figures

- **Text** agrees with PyTorch to ${TEXT_TOLERANCE} of the logits' spread: both add F32 numbers, in another order. Gemma 3 is at 1e-2, because ggml rounds to F16 and looks GELU up in a table on the CPU. For the same reason three of its sequences in one batch are up to 1e-3 from each alone.
- **Pictures** agree to ${PICTURE_TOLERANCE} of the spread, though pixels are equal. libmtmd's tower uses F16 keys and values (flash attention) and the same table, and random weights amplify what a trained model would damp. Real files hold F16 weights as well, which costs more.
- **Resizing** is the largest difference that is left. For Qwen and Gemma 3 the black bars are all of it: with libmtmd changed to stretch (\`image_resize_pad = PAD_NONE\`), the resized picture's logits are within 0.024 of the original's. That is a choice of llama.cpp's and no slip, so we keep it.
- **Tokenizers** are trained on a few lines, with the original's splits, special tokens and byte handling. The converter knows a byte-level vocabulary by a hash, which \`record/converter.py\` answers in its place. \`test/engine/real-vocabulary.test.ts\` has real vocabularies.
- **Not here**: audio, video, pictures in several turns, GPUs, quantised weights.

## Corrections to llama.cpp

\`native/patches\` is applied to the source before it is built, in both routes (\`--prebuilt\` compiles libmtmd itself). Each file says why. Each is proven by a line above, and drops out when the tag has it.

The stock programs (\`llama-mtmd-cli\`, \`llama-server\`) lack them. So they differ from us for LLaVA-1.5, LLaVA-NeXT and InternVL, where every patch of the picture gets its neighbour's position, and with Pixtral they lose a picture now and then. For the others they are equal.

A published LLaVA-1.5 projector needs two of them: with the class token alone its logits are 8.9 off, with the missing block alone 5.6, with both 0.016 (\`record/oracle.cpp\`, linked with libmtmd in each state).

## Making the files

\`python test/compatibility/record/make.py\` (its head says what it needs) writes \`test/golden/compatibility/NAME\`: the two GGUF files, two pictures, and \`golden.json\` with tokens, logits and greedy tokens of the original and of stock llama.cpp. Seeds are searched for so that greedy choices have a margin and the text varies.
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const measures: Measure[] = [];
  for (const name of Object.keys(EXPECTATIONS)) measures.push(await measure(readGolden(name)));
  const text = document(measures);
  if (process.argv.includes('--write')) writeFileSync(FILE, text);
  else process.stdout.write(text);
}
