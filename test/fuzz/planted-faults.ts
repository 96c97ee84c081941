/** Run by forked.test.ts: cases that go wrong in every way that is told. */
import { ModelError } from '../../src/errors.js';
import { answerSeeds } from './forked-child.js';

const CASES: readonly (() => Promise<string>)[] = [
  async () => 'works',
  async () => {
    throw new ModelError('ERR_MODEL_INVALID', 'Expected a file, received none. Fetch it again.');
  },
  async () => {
    throw new TypeError('planted');
  },
  async () => process.abort(),
  async () => process.exit(3),
  async () => {
    throw new ModelError('ERR_MODEL_INVALID', "Cannot read properties of undefined (reading 'x')");
  },
  async () => {
    process.exitCode = 4; // the process ends so, behind its last case
    return 'works';
  },
];

answerSeeds(async (_: null, seed) => (await CASES[seed]?.()) ?? '');
