/**
 * Numbers that the paper prints (Ding, Li, Zhang, ICLR 2025, arXiv 2410.06625: tables 1, 2, 3, 5), and those that GuardAlign
 * prints of ETA on other models (arXiv 2602.24027). Shown beside ours where the language model is the same.
 */
import type { PublishedFigure } from '../report/index.js';
import type { MeasuredRate } from './rates.js';

const PAPER = 'ETA, arXiv 2410.06625';
const GUARD_ALIGN = 'GuardAlign, arXiv 2602.24027';

interface Backbone {
  readonly name: string;
  /** Of the model's name in its file, in lower case with "-", "_" and spaces taken out. */
  readonly pattern: RegExp;
  readonly source: string;
  /** Unsafe rates in %, vanilla and ETA: SPA-VL Harm, MM-SafetyBench SD+TYPO, FigStep, with suffix, adversarial image. */
  readonly unsafe: readonly (readonly [vanilla: number, eta: number])[];
}

const UNSAFE_SETS: readonly { readonly benchmark: string; readonly variants: readonly string[] }[] = [
  { benchmark: 'spa-vl-harm', variants: [''] },
  { benchmark: 'mm-safetybench', variants: ['sd-typo'] },
  { benchmark: 'figstep', variants: ['plain'] },
  { benchmark: 'figstep', variants: ['suffix'] },
  // The picture that the reference code names, or the only one there is.
  { benchmark: 'cross-modality', variants: ['prompt_unconstrained', '<picture>'] },
];

const BACKBONES: readonly Backbone[] = [
  {
    name: 'LLaVA-1.5-7B',
    pattern: /llava.*1\.?5.*7b/,
    source: PAPER,
    unsafe: [
      [46.04, 16.98],
      [40.46, 15.83],
      [58.6, 7.8],
      [62.0, 22.6],
      [97.5, 22.5],
    ],
  },
  {
    name: 'LLaVA-1.5-13B',
    pattern: /llava.*1\.?5.*13b/,
    source: PAPER,
    unsafe: [
      [40.75, 15.09],
      [41.01, 11.67],
      [61.6, 22.6],
      [66.4, 20.8],
      [100, 12.5],
    ],
  },
  {
    name: 'InternVL-Chat-1.0-7B',
    pattern: /internvlchat.*1\.?0.*7b/,
    source: PAPER,
    unsafe: [
      [46.79, 16.98],
      [37.2, 13.81],
      [47.4, 17.4],
      [52.8, 10.8],
      [97.5, 25],
    ],
  },
  {
    name: 'InternLM-XComposer-2.5-7B',
    pattern: /xcomposer.*2\.?5/,
    source: PAPER,
    unsafe: [
      [27.55, 13.96],
      [21.79, 7.32],
      [22.6, 6.0],
      [50.8, 7.2],
      [7.5, 5],
    ],
  },
  {
    name: 'LLaVA-NeXT-8B',
    pattern: /llava.*(next|1\.?6).*8b/,
    source: GUARD_ALIGN,
    unsafe: [
      [23.02, 11.32],
      [30.18, 10.48],
      [49.4, 20.6],
      [63.4, 19.6],
      [62.5, 17.5],
    ],
  },
  {
    name: 'LLaVA-OneVision-7B-Chat',
    pattern: /llava.*onevision.*7b/,
    source: GUARD_ALIGN,
    unsafe: [
      [15.85, 6.79],
      [29.76, 10.6],
      [45.2, 16.8],
      [40.4, 19.4],
      [70, 20],
    ],
  },
  {
    name: 'Llama-3.2-11B-Vision',
    pattern: /llama3\.?2.*11b.*vision/,
    source: GUARD_ALIGN,
    unsafe: [
      [7.17, 2.64],
      [19.17, 3.99],
      [41.6, 8.2],
      [44.0, 3.2],
      [15, 7.5],
    ],
  },
];

interface OneFigure {
  readonly benchmark: string;
  /** Where the set has several ways of asking: the one that was published. */
  readonly variant?: string;
  readonly measure: string;
  readonly method: string;
  readonly published: number;
}

/** Of LLaVA-1.5-7B alone: the ablation, helpfulness and general ability. */
const LLAVA_7B: readonly OneFigure[] = [
  { benchmark: 'spa-vl-harm', measure: 'unsafe', method: 'deep', published: 32.08 },
  { benchmark: 'spa-vl-harm', measure: 'unsafe', method: 'shallow', published: 30.94 },
  { benchmark: 'spa-vl-help', measure: 'preferred', method: 'eta', published: 96.6 },
  { benchmark: 'scienceqa', measure: 'right', method: 'vanilla', published: 69.51 },
  { benchmark: 'scienceqa', measure: 'right', method: 'eta', published: 69.51 },
  { benchmark: 'textvqa', measure: 'right', method: 'vanilla', published: 58.2 },
  { benchmark: 'textvqa', measure: 'right', method: 'eta', published: 58.15 },
  { benchmark: 'mmbench', variant: 'circular', measure: 'right', method: 'vanilla', published: 64.6 },
  { benchmark: 'mmbench', variant: 'circular', measure: 'right', method: 'eta', published: 64.69 },
];

export interface Measured {
  readonly benchmark: string;
  /** "" where the set has one way of asking. */
  readonly variant: string;
  /** Name of the language model, as its file says. */
  readonly model: string;
  readonly rates: readonly MeasuredRate[];
}

/** What is printed about this set on this model, ours beside it; nothing where the model is another. */
export function published({ benchmark, variant, model, rates }: Measured): PublishedFigure[] {
  const plainName = model.toLowerCase().replace(/[-_\s]/g, '');
  const backbone = BACKBONES.find(({ pattern }) => pattern.test(plainName));
  if (backbone === undefined) return [];
  const place = UNSAFE_SETS.findIndex(
    ({ benchmark: name, variants }) => name === benchmark && variants.includes(variant),
  );
  const [vanilla, eta] = backbone.unsafe[place] ?? [];
  const unsafe = [
    ['vanilla', vanilla],
    ['eta', eta],
  ] as const;
  const figures: OneFigure[] = unsafe.flatMap(([method, value]) =>
    value === undefined ? [] : [{ benchmark, measure: 'unsafe', method, published: value }],
  );
  if (backbone.name === 'LLaVA-1.5-7B')
    figures.push(
      ...LLAVA_7B.filter((figure) => figure.benchmark === benchmark && (figure.variant ?? variant) === variant),
    );
  return figures.map(({ measure, method, published: value }) => ({
    measure,
    benchmark,
    backbone: backbone.name,
    method,
    published: Number((value / 100).toFixed(4)),
    ours: rates.find((row) => row.measure === measure && row.run === method && row.category === null)?.estimate ?? null,
    unit: 'percent',
    source: backbone.source,
  }));
}
