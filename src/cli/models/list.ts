/** `eta-vlm models list`. */

import { EtaError } from '../../errors.js';
import { fitMemory, resolveDecision, thisMachine } from '../../loading/index.js';
import { modelShapes, type PublishedSet, type ResolvedModels, readBytes } from '../../models/index.js';
import { EXIT } from '../../terminal/failure.js';
import { fitLine } from '../../terminal/fit.js';
import { columnsOf, createPaint, labelled, type Paint } from '../../terminal/paint.js';
import { print } from '../../terminal/print.js';
import { size } from '../../terminal/size.js';
import { visibleName } from '../../visible.js';
import { chosenModels } from '../chosen-models.js';
import { modelSets, type Part, type PartFacts, partFacts, shown } from '../model-facts.js';
import { calibrationText } from '../verdict-text.js';

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
  guard: 'guard',
  'guard-projector': 'guard projector',
} as const;
export const partName = (kind: Part['kind']): string => NAMES[kind];
export const LABEL_WIDTH = 16;

/** Prints what is known to stdout; exit code 3 when a part cannot be read. */
export async function listModels(names: readonly string[], options: ListOptions): Promise<number> {
  const sets = [];
  const inUse = chosenModels().name ?? 'miniature';
  for (const { name, description, parts, published, models, problem } of await modelSets(names)) {
    const facts: (PartFacts | Problem)[] = [];
    for (const part of parts) {
      facts.push(
        await factsIn(part, models).catch((error: unknown) => ({
          ...part,
          problem: error instanceof Error ? error.message : String(error),
        })),
      );
    }
    const isHere = models !== null || parts.length > 0;
    sets.push({
      name,
      description,
      isInUse: name === inUse,
      isHere,
      problem,
      parts: facts,
      published: published && { ...published, aboutBytes: readBytes(published) },
      memory: models === null ? null : await memoryOf(models),
    });
  }
  const paint = createPaint(process.stdout);
  const columns = columnsOf(process.stdout);
  const text = options.json
    ? JSON.stringify({ models: sets })
    : sets
        .map(({ name, description, parts, ...set }) =>
          [
            `${paint('bold', visibleName(name))}${set.isInUse ? ' (in use)' : ''}`,
            ...(description === null ? [] : labelled('', description, { labelWidth: 2, columns })),
            ...parts
              .flatMap((part) => partLines(part, paint))
              .flatMap((line) => fitLine(line, columns, LABEL_WIDTH + 2)),
            ...aboutLines(set).flatMap((line) => fitLine(line, columns, LABEL_WIDTH + 2)),
          ].join('\n'),
        )
        .join('\n\n');
  print(`${text}\n`);
  return sets.some(({ problem, parts }) => problem !== null || parts.some((part) => 'problem' in part))
    ? EXIT.someFailed
    : EXIT.ok;
}

/** A CLIP whose files name no threshold has that of its set. */
async function factsIn(part: Part, models: ResolvedModels | null): Promise<PartFacts> {
  const facts = await partFacts(part);
  const named = part.kind === 'clip' && facts.threshold?.value === null ? models?.published?.unsafeClipScore : null;
  if (!named) return facts;
  const { value, source, isCalibrated } = named;
  return {
    ...facts,
    threshold: { field: 'unsafeClipScore', value, source, calibratedOn: isCalibrated ? 'both' : null },
  };
}

interface Memory {
  readonly addedBytes: number;
  readonly fits: boolean;
}

/** What they take once they answer; null where their form or the addon does not tell. */
async function memoryOf(models: ResolvedModels): Promise<Memory | null> {
  try {
    const decision = await resolveDecision(undefined, { ofSet: models.published?.guard });
    const shapes = await modelShapes(models, decision?.files);
    const { addedBytes, fits } = fitMemory(shapes, { guardMaxTokens: decision?.form.maxTokens }, thisMachine());
    return { addedBytes, fits };
  } catch (error) {
    if (error instanceof EtaError) return null;
    throw error;
  }
}

interface About {
  readonly isHere: boolean;
  readonly published: (PublishedSet & { readonly aboutBytes: number }) | null;
  readonly memory: Memory | null;
  readonly problem: string | null;
}

/** Beside the parts: what is to be fetched, what it takes, under which terms, what it lacks. */
function aboutLines({ isHere, published, memory, problem }: About): string[] {
  const say = (label: string, text: string) => `  ${label}`.padEnd(LABEL_WIDTH + 2) + text;
  const licences = published?.published.map(({ licence }) => licence.name) ?? [];
  return [
    ...(problem === null ? [] : [say('cannot be used', visibleName(problem))]),
    ...(published === null || isHere
      ? []
      : [
          say('not here', `about ${size(published.aboutBytes)} to fetch: eta-vlm models pull ${published.name}`),
          say(
            'memory',
            `about ${size(published.aboutBytes + published.workingBytes)}, ${size(process.availableMemory())} free`,
          ),
        ]),
    ...(memory === null
      ? []
      : [say('memory', `${size(memory.addedBytes)}, ${memory.fits ? 'fits' : 'does not fit now'}`)]),
    ...(licences.length === 0 ? [] : [say('licence', [...new Set(licences)].join(', '))]),
    ...(published?.lacks === undefined ? [] : [say('lacks', published.lacks)]),
  ];
}

/** One part: its name and size, where it lies, and its threshold. */
export function partLines(part: PartFacts | Problem, paint: Paint): string[] {
  const label = `  ${partName(part.kind)}`.padEnd(LABEL_WIDTH + 2);
  const rest = ' '.repeat(LABEL_WIDTH + 2);
  if ('problem' in part) return [`${label}${paint('red', 'cannot be used')}`, `${rest}${visibleName(part.problem)}`];
  const weights = part.weights === null ? '' : `, ${part.weights}`;
  const lines = [
    `${label}${visibleName(part.name)}, ${size(part.sizeBytes)}${weights}`,
    `${rest}${paint('dim', shown(part.path))}`,
  ];
  const { threshold } = part;
  if (threshold === null) return lines;
  const rule =
    threshold.field === 'unsafeClipScore' ? `unsafe from ${threshold.value} on` : `safe above ${threshold.value}`;
  return [
    ...lines,
    threshold.value === null
      ? `${rest}${paint('yellow', 'no threshold')}: find one with eta-vlm calibrate`
      : `${rest}${rule} (${threshold.source}${calibrationText(threshold)})`,
  ];
}
