/** The rooms in which faults are planted, and the tests that ought to see them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Room {
  /** Folders of sources, below the root. */
  readonly sources: readonly string[];
  /** Test files whose path below `test` begins so. */
  readonly tests: readonly string[];
}

/** A room's tests are those of its folder, of rooms made of little else, and single ones elsewhere about its files. */
export const ROOMS: Readonly<Record<string, Room>> = {
  eta: { sources: ['src/eta'], tests: ['eta/', 'decision/', 'paper/'] },
  search: { sources: ['src/search'], tests: ['search/', 'paper/'] },
  engine: { sources: ['src/engine'], tests: ['engine/'] },
  evaluators: {
    sources: ['src/clip', 'src/reward', 'src/manifest', 'src/tokenizer', 'src/onnx', 'src/decision', 'src/prefixes'],
    tests: ['evaluators/', 'decision/', 'calibration/histograms', 'calibration/thresholds'],
  },
  batch: { sources: ['src/batch'], tests: ['batch/'] },
  native: { sources: ['native/engine', 'native/js'], tests: ['native/', 'engine/'] },
  cli: { sources: ['src/cli', 'src/terminal'], tests: ['cli/'] },
  benchmark: { sources: ['src/benchmark'], tests: ['benchmark/'] },
  judges: { sources: ['src/judges'], tests: ['judges/'] },
  calibration: { sources: ['src/calibration'], tests: ['calibration/'] },
  statistics: { sources: ['src/statistics'], tests: ['statistics/'] },
};

/** Those of which figures are told. */
export const TOLD = ['eta', 'search', 'engine', 'evaluators', 'batch', 'native'];

/** Sources of a room below the root, with forward slashes. An index hands on, a header of C++ declares. */
export function sourcesOf(root: string, { sources }: Room): string[] {
  return sources
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
    .filter((name) => /\.(ts|cpp)$/.test(name) && !name.endsWith('/index.ts'))
    .sort();
}

/** Test files of a room, below the root. */
export function testsOf(root: string, { tests }: Room): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.test.ts') && tests.some((folder) => name.startsWith(folder)))
    .sort()
    .map((name) => `test/${name}`);
}
