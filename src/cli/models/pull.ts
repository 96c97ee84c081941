/** `eta-vlm models pull`: says what would be fetched, then fetches it. */
import { UsageError } from '../../errors.js';
import { type PullProgress, WholeProgress } from '../../hub/index.js';
import { carryOut, type PreparedPull, preparePull, termsOf } from '../../loading/index.js';
import { type ModelPlan, type PlannedPart, partPath, publishedSets } from '../../models/index.js';
import { canAsk, confirm } from '../../terminal/confirm.js';
import { EXIT } from '../../terminal/failure.js';
import { tell } from '../../terminal/output.js';
import { createPaint, type Paint } from '../../terminal/paint.js';
import { print } from '../../terminal/print.js';
import { Progress } from '../../terminal/progress.js';
import { size } from '../../terminal/size.js';
import { visibleName } from '../../visible.js';
import { changeConfig, readConfig } from '../config/config-file.js';
import { shown } from '../model-facts.js';
import { roleName } from './role-name.js';
import { tryGguf } from './try-gguf.js';

export interface PullOptions {
  readonly acceptLicence?: boolean;
  readonly json?: boolean;
}

/** Columns of a part's name. */
const LABEL_WIDTH = 16;
/** The line is drawn again after so long. */
const REDRAW_MS = 100;

/** Prints where the parts lie; all that happens on the way goes to stderr. @throws as {@link preparePull} and {@link tryGguf} */
export async function pull(name: string, options: PullOptions, signal: AbortSignal): Promise<number> {
  const progress = new Progress();
  progress.show(`asking what ${name} is ...`);
  const onCheck = (path: string) => progress.show(`checking ${path} ...`);
  const prepared = await preparePull(name, { signal, onCheck }).finally(() => progress.clear());
  tell(announcement(prepared, createPaint(process.stderr)).join('\n'));
  await agree(prepared.plan, options, signal);
  if (prepared.missingBytes > 0) await fetchShown(prepared, progress, signal);
  else await carryOut(prepared, { signal }); // what is here may lack its name
  const { plan, client } = prepared;
  const parts = plan.parts.map((part) => ({ role: part.role, path: partPath(part, client.settings.folder) }));
  await tryFetched(prepared, progress, signal);
  const lines = parts.map(({ role, path }) => `${roleName(role).padEnd(LABEL_WIDTH)}${shown(path)}`);
  await useFirst(plan);
  print(`${options.json ? JSON.stringify({ name: plan.name, parts }) : lines.join('\n')}\n`);
  tell(['', ...advice(plan)].join('\n'));
  return EXIT.ok;
}

/** What, how large, under which terms; whether disk and memory have room. */
function announcement({ plan, missingBytes, damaged, freeBytes, fit }: PreparedPull, paint: Paint): string[] {
  const parts = plan.parts.map((part) => {
    const bytes = part.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const file = visibleName(`${part.listing.repo}: ${part.files[0]?.path}`);
    return `${roleName(part.role).padEnd(LABEL_WIDTH)}${file}, ${size(bytes)}`;
  });
  const licences = new Set(plan.parts.map(licenceText));
  const free = freeBytes === null ? '' : `, ${size(freeBytes)} free on the disk`;
  return [
    ...parts,
    ...damaged.map(
      ({ path }) =>
        `${'damaged'.padEnd(LABEL_WIDTH)}${path}: its bytes are not those that the hub announced; fetched again`,
    ),
    ...[...licences].map((text, at) => `${(at === 0 ? 'licence' : '').padEnd(LABEL_WIDTH)}${text}`),
    `${'to fetch'.padEnd(LABEL_WIDTH)}${missingBytes === 0 ? 'nothing: all is here' : `${size(missingBytes)}${free}`}`,
    ...(fit === null ? [] : [`${'memory'.padEnd(LABEL_WIDTH)}${memoryText(fit, paint)}`]),
  ];
}

function licenceText({ licence, listing }: PlannedPart): string {
  const own = listing.licence?.name;
  const said = licence?.name ?? own ?? 'none is named: ask its authors before you pass anything on';
  const differs = own !== undefined && licence !== null && own.toLowerCase() !== licence.name.toLowerCase();
  return visibleName(`${said} (${listing.repo}${differs ? `; the hub says ${own}` : ''})`);
}

function memoryText({ addedBytes, machine, fits }: NonNullable<PreparedPull['fit']>, paint: Paint): string {
  const free = `${size(addedBytes)} once it answers, ${size(machine.ramFreeBytes)} free here`;
  return fits ? `${free}: it fits` : `${free}: ${paint('yellow', 'it does not fit now')}`;
}

async function agree(plan: ModelPlan, { acceptLicence = false }: PullOptions, signal: AbortSignal): Promise<void> {
  const terms = termsOf(plan.parts);
  if (acceptLicence || terms.length === 0) return;
  if (canAsk() && (await confirm(`Do you agree to the terms of ${terms.join(', ')}?`, signal))) return;
  throw new UsageError(
    'ERR_LICENCE',
    `Expected the terms of ${terms.join(', ')} to be agreed to, received no consent. Nothing was fetched: read them where the model is published, then add --accept-licence.`,
  );
}

async function fetchShown(prepared: PreparedPull, progress: Progress, signal: AbortSignal): Promise<void> {
  const whole = new WholeProgress(prepared.missingBytes);
  const startedAt = performance.now();
  let drawnAt = 0;
  try {
    await carryOut(prepared, {
      signal,
      onProgress: (at) => {
        const receivedBytes = whole.receivedBytes(at);
        const now = performance.now();
        if (now - drawnAt < REDRAW_MS) return;
        drawnAt = now;
        progress.show(progressText(at, { receivedBytes, wantedBytes: prepared.missingBytes, ms: now - startedAt }));
      },
    });
  } finally {
    progress.clear();
  }
}

/** Each GGUF in a process of its own, before a command loads it in its own. The files stay whatever comes of it. */
async function tryFetched({ plan, client }: PreparedPull, progress: Progress, signal: AbortSignal): Promise<void> {
  const pathOf = (role: PlannedPart['role']) => {
    const part = plan.parts.find((one) => one.role === role);
    return part === undefined ? null : partPath(part, client.settings.folder);
  };
  for (const [role, eye] of [
    ['languageModel', 'projector'],
    ['guard', 'guardProjector'],
  ] as const) {
    const modelPath = pathOf(role);
    if (modelPath === null) continue;
    const projectorPath = pathOf(eye);
    progress.show(`loading the ${roleName(role)} in a process of its own ...`);
    const untried = await tryGguf({ modelPath, projectorPath }, signal).finally(() => progress.clear());
    const names = [role, ...(projectorPath === null ? [] : [eye])].map(roleName).join(' and ');
    const said = untried === null ? `${names}: llama.cpp loads what was fetched` : `not ${names}: ${untried}`;
    tell(`${'tried'.padEnd(LABEL_WIDTH)}${said}`);
  }
}

/** In one line: what, how far, how fast, how long. */
export function progressText(
  { path, waitsFor }: PullProgress,
  {
    receivedBytes,
    wantedBytes,
    ms,
  }: { readonly receivedBytes: number; readonly wantedBytes: number; readonly ms: number },
): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (waitsFor !== null) return `waiting for process ${waitsFor}, which fetches ${name} ...`;
  const perSecond = receivedBytes / (ms / 1000);
  const leftSeconds = perSecond > 0 ? (wantedBytes - receivedBytes) / perSecond : Number.POSITIVE_INFINITY;
  const left = ms < 2000 || !Number.isFinite(leftSeconds) ? '' : `, ${duration(leftSeconds)} left`;
  const percent = Math.floor((100 * receivedBytes) / Math.max(1, wantedBytes));
  return `fetching ${name} ... ${percent} % of ${size(wantedBytes)}, ${size(perSecond)}/s${left}`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** A set that can judge its answers is what the command line takes from now on, where nothing was chosen before. */
async function useFirst({ name, parts }: ModelPlan): Promise<void> {
  const isWhole =
    (await publishedSets()).some((set) => set.name === name) && parts.some(({ role }) => role === 'guard');
  if (!isWhole || readConfig().models !== undefined) return;
  await changeConfig((config) => ({ ...config, models: name }));
  tell(
    `\n${name} is used from now on where nothing else is said (eta-vlm config; back: eta-vlm models use miniature).`,
  );
}

/** What to type next. */
function advice({ name, parts }: ModelPlan): string[] {
  const has = (role: PlannedPart['role']) => parts.some((part) => part.role === role);
  if (!has('languageModel'))
    return [`Name it as a part: ${has('clip') ? '--clip' : '--projector'} with the path above.`];
  if (has('guard')) {
    const { models } = readConfig();
    if (models === name) return [`Ask with: eta-vlm ask --image photo.jpg "What is this?"`];
    return [
      `Ask with: eta-vlm ask --models ${name} --image photo.jpg "What is this?"`,
      `From now on without --models: eta-vlm models use ${name}`,
    ];
  }
  return [
    `Ask with: eta-vlm ask --models ${name} --method vanilla --image photo.jpg "What is this?"`,
    'Nobody evaluates those answers: for the other methods name --clip and --reward-model too.',
    `From now on without --models: eta-vlm models use ${name}`,
  ];
}
