/**
 * `eta-vlm ask` about a picture on the miniature, whole process: against a Node process that imports sharp, which is below
 * what it can come to, and beside llama-mtmd-cli with the same model and question.
 *
 *     npm run build && node --import tsx bench/peers/ask.ts [--tokens 24] [--repeat 11]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inTurn, ratioRow, report } from './comparison.js';
import { peer } from './programs.js';
import { DRAWN } from './questions.js';
import { described, filesOf, settings } from './settings.js';

const PROMPT = 'What is shown here?';
const root = fileURLToPath(new URL('../..', import.meta.url));
const options = settings({ model: 'miniature', tokens: 24, repeat: 11 });
const { repeat } = options;
const tokens = String(options.tokens);
const { languageModel, projector } = await filesOf(options);

function elapsed(program: string, args: readonly string[]): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - startedAt;
}

const ask = ['dist/cli/main.js', 'ask', '--json', '--seed', '1', '--max-tokens', tokens, '--image', DRAWN, PROMPT];
const theirs = ['-m', languageModel, '--mmproj', projector, '--image', DRAWN, '-p', PROMPT, '-n', tokens];
const times = await inTurn(
  {
    ask: async () => elapsed(process.execPath, ask),
    vanilla: async () => elapsed(process.execPath, [...ask, '--method', 'vanilla']),
    sharp: async () => elapsed(process.execPath, ['-e', "import('sharp')"]),
    mtmd: async () => elapsed(peer('llama-mtmd-cli'), [...theirs, '--temp', '0', '--jinja', '--offline']),
  },
  repeat,
);
const what = '`ask` on the miniature';
report(described(options), [
  ratioRow({ what, ours: times.ask, theirs: times.sharp, against: '`import("sharp")` in Node', atMost: 1.6 }),
  ratioRow({ what, ours: times.ask, theirs: times.mtmd, against: "llama-mtmd-cli's" }),
  ratioRow({
    what: '`ask --method vanilla` on the miniature',
    ours: times.vanilla,
    theirs: times.mtmd,
    against: "llama-mtmd-cli's",
  }),
]);
