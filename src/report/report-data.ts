/**
 * What a report is made of: plain values that JSON can hold, filled by whoever measured. A part that is absent, or an
 * empty list, gives no section. NaN and null mean "not measured" and are shown as a dash.
 */
import type { Estimate } from '../statistics/index.js';
import type { Gate } from '../types/policy.js';
import type { StopReason } from '../types/stop-reason.js';
import type { RoundTrace } from '../types/trace.js';

export type { Estimate };

/** A setting or a fact of the machine as it is printed. */
export type Fact = string | number | boolean | null;

/**
 * Names of methods are free texts: those of `Method` ("vanilla", "eta", …) have one colour in every report; others,
 * such as "eta without CLIP utility", get the colours that are left.
 */
export interface ReportData {
  readonly title: string;
  /** What was measured on what, in one to three sentences. */
  readonly subject: string;
  /** The command line that makes this report again. */
  readonly command: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** Methods in the order in which they are shown. */
  readonly methods: readonly string[];
  readonly settings: Readonly<Record<string, Fact>>;
  /** Name to version: eta-vlm, llama.cpp (tag), onnxruntime, Node. */
  readonly versions: Readonly<Record<string, string>>;
  readonly files: readonly HashedFile[];
  readonly machine: Readonly<Record<string, Fact>>;
  /** What the reader should know before believing a figure, one sentence each. */
  readonly notes?: readonly string[];
  /** What to read first, in sentences; instead of those that are made of the rates over all items. */
  readonly headlines?: readonly string[];
  /** Items asked, those that failed, by error code, and answers that were cut, by method. */
  readonly items?: {
    readonly count: number;
    readonly failed: Readonly<Record<string, number>>;
    readonly cut?: Readonly<Record<string, number>>;
  };
  /** The one table an experiment ends in, and any other; shown before all else. */
  readonly tables?: readonly DataTable[];
  readonly rates?: readonly RateTable[];
  readonly differences?: readonly PairedDifference[];
  readonly distributions?: readonly Distribution[];
  readonly gates?: readonly GateOutcome[];
  readonly times?: readonly PhaseTimes[];
  readonly curves?: readonly Curve[];
  readonly abilities?: readonly Ability[];
  readonly published?: readonly PublishedFigure[];
  readonly examples?: readonly Example[];
}

export interface HashedFile {
  /** Such as "language model". */
  readonly role: string;
  /** File name, or path as the user gave it. */
  readonly name: string;
  readonly sizeBytes?: number;
  readonly sha256: string;
}

/** A table of its own shape. Estimates are printed with their interval. */
export interface DataTable {
  readonly title: string;
  /** What the figures mean and their unit. */
  readonly caption: string;
  readonly columns: readonly string[];
  /** As many cells as there are columns; the first names the row. */
  readonly rows: readonly (readonly Cell[])[];
  /** How numbers are printed; `percent` takes shares of 1. @default 'number' */
  readonly format?: 'number' | 'percent';
}

export type Cell = string | number | null | Estimate;

/** A share by method and category: unsafe rate, attack success, accuracy. */
export interface RateTable {
  /** Such as "unsafe rate". */
  readonly measure: string;
  readonly better: 'lower' | 'higher';
  /** What was judged, by whom. */
  readonly caption: string;
  readonly rows: readonly RateRow[];
}

export interface RateRow {
  readonly method: string;
  /** null: all items. */
  readonly category: string | null;
  /** A share from 0 to 1; `count` is the judged items. */
  readonly estimate: Estimate;
  /** Items without a judgement; they are not in `estimate`. */
  readonly unjudgedCount: number;
}

/** Two methods on the same items. */
export interface PairedDifference {
  readonly measure: string;
  readonly category: string | null;
  readonly one: string;
  readonly other: string;
  /** Share of `one` minus share of `other`, from -1 to 1; `count` is the pairs. */
  readonly difference: Estimate;
  /** Pairs in which `one` alone, and `other` alone, has the property. */
  readonly onlyOneCount: number;
  readonly onlyOtherCount: number;
  /** McNemar, two-sided; null when there is no pair that differs. */
  readonly pValue: number | null;
  /** Which form of the test: "exact", "mid-p", "chi-squared". */
  readonly test: string;
}

/** Scores of several groups over one axis. */
export interface Distribution {
  readonly title: string;
  /** Name and unit of the axis, such as "CLIP score (cosine)". */
  readonly axis: string;
  readonly threshold: { readonly name: string; readonly value: number } | null;
  readonly groups: readonly ScoreGroup[];
  /** How well the score tells safe from unsafe. */
  readonly auc?: Estimate;
}

export interface ScoreGroup {
  readonly name: string;
  readonly kind: 'safe' | 'unsafe' | 'other';
  readonly values: readonly number[];
}

/** What the gate saw: the cells of "picture unsafe" and "answer unsafe". */
export interface GateOutcome {
  readonly method: string;
  /** Who has to distrust; null where the answers do not tell. */
  readonly gate: Gate | null;
  /** Class of the items, such as "harmful" or "harmless". */
  readonly group: string;
  /** null: that side was not asked. Cells that are absent count 0. */
  readonly cells: readonly {
    readonly imageIsUnsafe: boolean | null;
    readonly answerIsUnsafe: boolean | null;
    readonly count: number;
  }[];
  readonly actions: Readonly<Record<'answered' | 'aligned' | 'refused', number>>;
}

/** Milliseconds of an answer. Phases may overlap, so they need not add up to the total. */
export interface PhaseTimes {
  readonly method: string;
  readonly count: number;
  /** Mean by phase, in the order in which they are drawn, such as { "CLIP": 3.1, "prefill": 20 }. */
  readonly meanMs: Readonly<Record<string, number>>;
  readonly totalMs: Quantiles;
  readonly firstTextMs?: Quantiles;
}

export interface Quantiles {
  readonly median: number;
  readonly p90: number;
  readonly mean: number;
}

/** y over x: cost over N, unsafe rate over the strength of a change. */
export interface Curve {
  readonly title: string;
  readonly caption: string;
  readonly x: string;
  readonly y: string;
  /** Print and draw y as a share in %. @default false */
  readonly isShare?: boolean;
  /** A horizontal line, such as 1 for "as dear as vanilla". */
  readonly reference?: { readonly name: string; readonly value: number };
  readonly series: readonly {
    /** A method, or what else tells the lines apart. */
    readonly name: string;
    readonly points: readonly {
      readonly x: number;
      readonly y: number;
      readonly low?: number;
      readonly high?: number;
    }[];
  }[];
}

/** A figure of general ability under two methods, on the same items. */
export interface Ability {
  readonly benchmark: string;
  /** Such as "exact match". */
  readonly metric: string;
  readonly base: { readonly method: string; readonly estimate: Estimate };
  readonly other: { readonly method: string; readonly estimate: Estimate };
  /** `other` minus `base`, paired. */
  readonly difference: Estimate;
}

/** A number of the paper, and ours where it was measured on the same backbone. */
export interface PublishedFigure {
  readonly measure: string;
  readonly benchmark: string;
  readonly backbone: string;
  readonly method: string;
  /** In the unit of `unit`. */
  readonly published: number;
  readonly ours: Estimate | null;
  /** `percent`: both as shares from 0 to 1, printed in %. */
  readonly unit: 'percent' | 'number';
  /** Where it is printed. */
  readonly source: string;
}

/** One item under two or more methods, side by side. */
export interface Example {
  /** What it is an example of: "worst" stays or becomes unsafe, "best" was repaired. */
  readonly kind: 'worst' | 'best';
  /** Why it was picked, in words. */
  readonly reason: string;
  readonly id: string;
  readonly category: string | null;
  /** A `data:image/…` URL of a small picture; null without one. */
  readonly picture: string | null;
  readonly question: string;
  /** Shown only when the reader opens it. @default true */
  readonly isSensitive?: boolean;
  readonly answers: readonly ExampleAnswer[];
}

export interface ExampleAnswer {
  readonly method: string;
  /** What the user was shown. */
  readonly text: string;
  /** What was judged, where that is something else: the aligned answer behind a fixed refusal. @default the text */
  readonly judgedText?: string | null;
  readonly judgement: 'safe' | 'unsafe' | 'unjudged' | null;
  /** The judge's reason. */
  readonly reason: string | null;
  readonly action: 'answered' | 'aligned' | 'refused' | null;
  /** Why the text ends; that it was cut is printed. */
  readonly stopReason: StopReason | null;
  /** Of the pictures. */
  readonly clipScore: number | null;
  /** What that score is called. @default 'CLIP score' */
  readonly pictureScoreName?: string;
  /** Of the model's own answer. */
  readonly reward: number | null;
  readonly finalReward: number | null;
  /** What scores of answers are called. @default 'reward' */
  readonly answerScoreName?: string;
  readonly interferencePrefix: string;
  /** The search that led there, if there was one. */
  readonly rounds: readonly RoundTrace[];
}
