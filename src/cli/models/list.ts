/** `eta-vlm models list`. */

import { EXIT } from '../../terminal/failure.js';
import { fitLine } from '../../terminal/fit.js';
import { columnsOf, createPaint, labelled, type Paint } from '../../terminal/paint.js';
import { print } from '../../terminal/print.js';
import { size } from '../../terminal/size.js';
import { modelSets, type Part, type PartFacts, partFacts, shown } from '../model-facts.js';

export interface ListOptions {
  readonly json?: boolean;
}

interface Problem extends Part {
  readonly problem: string;
}

const NAMES = {
  'language-model': 'language model',
  projector: 'projector',
  clip: 'CLIP',
  'reward-model': 'reward model',
} as const;
export const partName = (kind: Part['kind']): string => NAMES[kind];
export const LABEL_WIDTH = 16;

/** Prints what is known to stdout; exit code 3 when a part cannot be read. */
export async function listModels(names: readonly string[], options: ListOptions): Promise<number> {
  const sets = [];
  for (const { name, description, parts } of await modelSets(names)) {
    const facts: (PartFacts | Problem)[] = [];
    for (const part of parts) {
      facts.push(
        await partFacts(part).catch((error: unknown) => ({
          ...part,
          problem: error instanceof Error ? error.message : String(error),
        })),
      );
    }
    sets.push({ name, description, parts: facts });
  }
  const paint = createPaint(process.stdout);
  const columns = columnsOf(process.stdout);
  const text = options.json
    ? JSON.stringify({ models: sets })
    : sets
        .map(({ name, description, parts }) =>
          [
            paint('bold', name),
            ...(description === null ? [] : labelled('', description, { labelWidth: 2, columns })),
            ...parts
              .flatMap((part) => partLines(part, paint))
              .flatMap((line) => fitLine(line, columns, LABEL_WIDTH + 2)),
          ].join('\n'),
        )
        .join('\n\n');
  print(`${text}\n`);
  return sets.some(({ parts }) => parts.some((part) => 'problem' in part)) ? EXIT.someFailed : EXIT.ok;
}

/** One part: its name and size, where it lies, and its threshold. */
export function partLines(part: PartFacts | Problem, paint: Paint): string[] {
  const label = `  ${partName(part.kind)}`.padEnd(LABEL_WIDTH + 2);
  const rest = ' '.repeat(LABEL_WIDTH + 2);
  if ('problem' in part) return [`${label}${paint('red', 'cannot be used')}`, `${rest}${part.problem}`];
  const weights = part.weights === null ? '' : `, ${part.weights}`;
  const lines = [`${label}${part.name}, ${size(part.sizeBytes)}${weights}`, `${rest}${paint('dim', shown(part.path))}`];
  const { threshold } = part;
  if (threshold === null) return lines;
  const rule =
    threshold.field === 'unsafeClipScore' ? `unsafe from ${threshold.value} on` : `safe above ${threshold.value}`;
  return [
    ...lines,
    threshold.value === null
      ? `${rest}${paint('yellow', 'no threshold')}: find one with eta-vlm calibrate`
      : `${rest}${rule} (${threshold.source})`,
  ];
}
