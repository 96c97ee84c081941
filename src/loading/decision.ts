/** Which decision is asked, and of whom: what a caller names, checked before anything is loaded. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type DecisionForm, type GuardFiles, looseForm, readForm } from '../decision/index.js';
import { ModelError, UsageError } from '../errors.js';
import { hubSettings, isHubAddress } from '../hub/index.js';
import { type PublishedGuard, partPath, planHere, type ResolvedModels } from '../models/index.js';
import { describePath, parseOptions } from '../options.js';
import { type EvaluatorsInForce, evaluatorsAmong } from '../policy/index.js';
import type { Notice } from '../types/notice.js';

/** Who judges answers in the reward model's place, by a reply of one token. */
export interface DecisionChoice {
  /**
   * How it is asked: `qwen3guard`, `llama-guard-3`, `granite-guardian` or `shieldstral` of a guard, `self` of the language
   * model itself; or the path of a JSON file of one's own.
   */
  form: string;
  /**
   * GGUF of the guard, or an address of a hub ("hf:owner/name:Q4_K_M"). Not with `self`.
   * @default that of the set of models, where it has one for this form
   */
  guard?: string | undefined;
  /**
   * GGUF of its projector, for one that sees pictures. @default none: it reads text alone; of a guard of the set or of a hub,
   * the one beside it, where the form shows pictures
   */
  guardProjector?: string | undefined;
}

const path = z.string('expected a path').min(1, 'expected a path');

const decisionSchema = z.strictObject({
  form: z.string('expected a form').min(1, 'expected a form'),
  guard: path.optional(),
  guardProjector: path.optional(),
});

/** The decision that an Eta was loaded with. */
export interface DecisionFacts {
  /** Name of its form. */
  readonly form: string;
  /** Of whom or what it asks, in words. */
  readonly title: string;
  /** GGUF of the guard; null where the language model is asked. */
  readonly guard: string | null;
  /** GGUF of its projector; null where the guard sees no pictures. */
  readonly guardProjector: string | null;
  /** SHA-256 of the wording: what is asked, and how the reply is read. */
  readonly wordingSha256: string;
}

/** A form with the files that it is asked of. */
export interface ResolvedDecision {
  readonly form: DecisionForm;
  /** Null: the language model itself. */
  readonly files: GuardFiles | null;
}

interface DecisionPlaces {
  /** The guard of the set of models: asked where no decision is named, or one by its form alone. @default none */
  readonly ofSet?: PublishedGuard | null | undefined;
  /** The hub's cache. @default what the environment says */
  readonly modelsFolder?: string | undefined;
}

/**
 * @param wanted a form's name or path alone, or with the guard's files; undefined: the set's guard, if it has one
 * @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID, ERR_MODEL_MISMATCH; UsageError ERR_INVALID_OPTION
 */
export async function resolveDecision(
  wanted: string | DecisionChoice | undefined,
  { ofSet, modelsFolder }: DecisionPlaces = {},
): Promise<ResolvedDecision | null> {
  const choice = wanted ?? ofSet ?? undefined;
  if (choice === undefined) return null;
  const named: DecisionChoice = typeof choice === 'string' ? { form: choice } : choice;
  const { form: name, guard, guardProjector } = parseOptions(decisionSchema, named, 'decision');
  const form = await readForm(name);
  if (form.asks === 'self') {
    if (guard === undefined && guardProjector === undefined) return { form, files: null };
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `decision: expected no guard beside the form ${form.name}, which asks the language model itself, received one. Leave out decision.guard and decision.guardProjector.`,
    );
  }
  const isOfSet = guard === undefined && form.path === undefined && form.name === ofSet?.form;
  const found = isOfSet ? { guardProjector: undefined, ...ofSet } : await guardAt(guard, form, modelsFolder);
  if (found === null) {
    const other = ofSet ? ` The set's own guard is asked as ${ofSet.form}: leave out decision to take it.` : '';
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `decision: expected the GGUF of a guard for the form ${form.name} (${form.title}), received none. Name it in decision.guard.${other}`,
    );
  }
  const eye =
    guardProjector === undefined
      ? found.guardProjector
      : await placeOf(guardProjector, { role: 'projector', option: 'decision.guardProjector', modelsFolder });
  return { form, files: { guard: found.guard, guardProjector: eye ?? null } };
}

/** What of a guard is named, and what lies beside it on its hub. */
async function guardAt(
  guard: string | undefined,
  form: DecisionForm,
  modelsFolder: string | undefined,
): Promise<{ readonly guard: string; readonly guardProjector?: string | undefined } | null> {
  if (guard === undefined) return null;
  const place = { option: 'decision.guard', modelsFolder };
  const file = await placeOf(guard, { ...place, role: 'languageModel' });
  const seesPictures = [form.answer.prompt, form.picture?.prompt].some(
    (prompt) => prompt?.form === 'question' && prompt.seesPictures,
  );
  if (!isHubAddress(guard) || !seesPictures) return { guard: file };
  const { folder } = hubSettings(modelsFolder);
  const eye = (await planHere(guard, folder)).parts.find(({ role }) => role === 'projector');
  return { guard: file, guardProjector: eye && partPath(eye, folder) };
}

/** Addresses of a hub that a decision names: what is to be fetched. */
export function decisionAddresses(choice: string | DecisionChoice | undefined): string[] {
  if (choice === undefined || typeof choice === 'string') return [];
  return [choice.guard, choice.guardProjector].filter(
    (place) => typeof place === 'string' && isHubAddress(place),
  ) as string[];
}

interface Placed {
  readonly role: 'languageModel' | 'projector';
  readonly option: string;
  readonly modelsFolder: string | undefined;
}

/** The file at a path, or of an address. @throws ModelError ERR_MODEL_NOT_FOUND */
async function placeOf(place: string, { role, option, modelsFolder }: Placed): Promise<string> {
  if (!isHubAddress(place)) return await existing(place, option);
  const { folder } = hubSettings(modelsFolder);
  const part = (await planHere(place, folder)).parts.find((one) => one.role === role);
  if (part !== undefined) return partPath(part, folder);
  throw new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `${option}: expected the GGUF of ${role === 'projector' ? 'a projector' : 'a guard'} at ${place}, found none. Name another address.`,
  );
}

/** What is to be said of a form that takes more than the shipped ones do. */
export function decisionNotices(decision: ResolvedDecision | null): Notice[] {
  const message = decision === null ? null : looseForm(decision.form);
  return message === null ? [] : [{ code: 'ETA_DECISION_FORM', message }];
}

export function decisionFacts({ form, files }: ResolvedDecision): DecisionFacts {
  const { guard = null, guardProjector = null } = files ?? {};
  return { form: form.name, title: form.title, guard, guardProjector, wordingSha256: form.wordingSha256 };
}

/** Who judges pictures and answers, told by the files. */
export function evaluatorsOf(models: ResolvedModels, decision: ResolvedDecision | null): EvaluatorsInForce {
  return evaluatorsAmong({
    clip: models.clip !== null,
    rewardModel: models.rewardModel !== null,
    decision: decision && {
      seesPictures: decision.form.picture !== null && (decision.files?.guardProjector ?? null) !== null,
    },
  });
}

async function existing(file: string, option: string): Promise<string> {
  const found = resolve(file);
  const entry = await stat(found).catch(() => null);
  if (entry?.isFile()) return found;
  const received = entry === null ? 'nothing there' : entry.isDirectory() ? 'a folder' : 'a pipe or a device';
  throw new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `${option}: expected a GGUF at ${describePath(found)}, received ${received}. Name the file itself.`,
  );
}
