/** The proofs, in the order in which they run: what fails early is known early. */
import { FUZZERS } from '../fuzz/fuzzers.js';
import type { Proof } from './proof.js';

const bench = (name: string, shows: string, file: string, ...args: string[]): Proof => ({
  name,
  shows,
  command: ['node', '--expose-gc', '--import', 'tsx', `bench/${file}`, ...args],
});

const script = (name: string, shows: string, called: string, ...args: string[]): Proof => ({
  name,
  shows,
  command: ['npm', 'run', '--silent', called, ...(args.length === 0 ? [] : ['--', ...args])],
});

export const PROOFS: readonly Proof[] = [
  script('install', 'it installs and answers without a compiler', 'test:install'),
  bench('event-loop', 'no turn of the event loop takes 50 ms', 'event-loop.ts'),
  bench('addon-fuzz', 'calls of the addon that no type allows are refused', 'addon-fuzz.ts'),
  bench('storm', 'a step that fails takes nobody else down', 'storm.ts'),
  bench('kills', 'a batch that is killed loses nothing', 'batch-kills.ts'),
  bench('prefix-storm', 'answers do not depend on what is kept of others', 'prefix-storm.ts'),
  bench('prefix-bursts', 'the same where they begin at one moment', 'prefix-storm.ts', '--bursts'),
  bench('soak', 'the library lives for long, and its memory stays flat', 'soak.ts'),
  bench('serve-soak', 'the server likewise, though its clients leave', 'serve-soak.ts'),
  ...FUZZERS.map(({ name }) => script(`fuzz-${name}`, 'what nobody should give ends nothing', 'fuzz', name)),
  {
    name: 'tokenizers',
    shows: 'texts in parts have the tokens of whole ones, in every pre-tokenizer',
    command: ['env', 'ETA_VLM_EVERY_TOKENIZER=1', 'npm', 'run', '--silent', 'test:run', '--', 'engine/cuts'],
  },
  script('site', 'every link of the documents leads somewhere, and everything public has a comment', 'site'),
  script('vulkan', 'all layers answer on a Vulkan device', 'test:vulkan'),
  script('arm64', 'the addon for arm64 answers', 'test:arm64'),
  script('address', 'no memory is read that is not there', 'test:sanitized', 'address'),
  script('thread', 'no two threads race', 'test:sanitized', 'thread'),
  script('mutants', 'nine of ten planted faults are seen in every room', 'mutants', '--least', '90'),
  script('peers-build', "llama.cpp's own programs are built", 'bench:peers:build'),
  bench('peers', "as fast as llama.cpp's own programs", 'peers/all.ts'),
];
