/** Which models a command takes, and who said so: its options, the environment, the user's file, else the miniature. */
import type { ModelChoice } from '../models/index.js';
import { configPath, readConfig } from './config/config-file.js';

const MODELS_VARIABLE = 'ETA_VLM_MODELS';

/** A choice, and where it comes from. */
export interface Chosen {
  /** As it was said; undefined: nobody said any. */
  readonly name: string | undefined;
  /** Such as "--models", or the path of the file. */
  readonly source: string;
}

/** @param option what the command's own option says */
export function chosenModels(option?: string): Chosen {
  if (option !== undefined) return { name: option, source: '--models' };
  const variable = process.env[MODELS_VARIABLE]?.trim() ?? '';
  if (variable !== '') return { name: variable, source: MODELS_VARIABLE };
  const { models } = readConfig();
  return models === undefined ? { name: undefined, source: 'default' } : { name: models, source: configPath() };
}

/** What a name means: a set that was added has paths. */
export function choiceOf(name: string): ModelChoice {
  const { added } = readConfig();
  return Object.hasOwn(added, name) ? (added[name] ?? name) : name;
}

/** What loadEta is told; undefined: nobody said anything, and its default stands. */
export function modelChoice(option?: string): ModelChoice | undefined {
  const { name } = chosenModels(option);
  return name === undefined ? undefined : choiceOf(name);
}
