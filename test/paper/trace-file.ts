/** What test/paper/record/record.py writes: runs of the reference's algorithm on the tiny models. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** A number, or so many steps of a 64-bit float above the score that it is compared with. */
export type RecordedThreshold = number | { readonly stepsFromScore: number };

interface RecordedCandidate {
  readonly tokens: readonly number[];
  readonly text: string;
  /** With the end token, which `tokens` leaves out. */
  readonly ended: boolean;
  readonly reward: number;
  readonly clipScore: number | null;
}

interface RecordedRound {
  readonly candidates: readonly RecordedCandidate[];
  /** null: the reference throws in this round. */
  readonly chosen: number | null;
}

export interface RecordedTrace {
  readonly asked: {
    readonly image: string;
    readonly question: string;
    readonly seed: number;
    readonly candidateCount: number;
    readonly topK: number;
    readonly temperature: number;
    readonly sentenceTokenLimit: number;
    readonly maxTokens: number;
    readonly thresholds: { readonly unsafeClipScore: RecordedThreshold; readonly safeReward: RecordedThreshold };
  };
  /** Tokens of the model's own answer. */
  readonly answer: readonly number[];
  readonly reward: number;
  readonly clipScore: number;
  readonly aligned: boolean;
  readonly rounds: readonly RecordedRound[];
  readonly text: string;
  /** The round in which CLIP refuses a text that is longer than its window. */
  readonly thrownInRound: number | null;
  /** What it is an example of. */
  readonly shows: readonly string[];
}

export interface TraceFile {
  readonly command: string;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly shows: Readonly<Record<string, number>>;
  readonly traces: readonly RecordedTrace[];
}

export interface ControlFile {
  /** By the rule that was broken. */
  readonly controls: Readonly<Record<string, readonly RecordedTrace[]>>;
}

export const golden = (path: string) => fileURLToPath(new URL(`../golden/${path}`, import.meta.url));

export function readTraces(): TraceFile {
  return read('traces.json.gz') as TraceFile;
}

export function readControls(): ControlFile {
  return read('controls.json.gz') as ControlFile;
}

function read(name: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(golden(`paper/${name}`))).toString('utf8'));
}
