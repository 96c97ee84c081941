/** POST /v1/moderations: pictures and answers judged by the evaluators alone. */
import { randomUUID } from 'node:crypto';
import { EtaError } from '../errors.js';
import type { EvaluateRequest } from '../index.js';
import { parseOptions } from '../options.js';
import type { Turn } from '../types/turn.js';
import { checkCharacters } from './characters.js';
import type { RequestRecord } from './log.js';
import {
  type ModerationError,
  type ModerationResult,
  moderationError,
  moderationResult,
  nothingToJudge,
} from './moderation.js';
import { type ModerationBody, moderationSchema } from './moderation-schema.js';
import { checkPictures } from './pictures.js';
import { checkUnlocked } from './policy-lock.js';
import type { Service } from './service.js';

/** @throws what taking the request in throws; what judging one input throws stands in its place */
export async function moderations(service: Service, request: Request, record: RequestRecord): Promise<Response> {
  return await service.answer(request, record, {
    read: (fields) => {
      const body = parseOptions(moderationSchema, fields as ModerationBody, 'request');
      checkUnlocked(body.eta, service);
      const inputs = inputsOf(body.input);
      checkPictures(inputs, service.settings);
      checkCharacters(inputs, service.settings.maxCharacters);
      return { body, inputs };
    },
    work: async ({ body, inputs }, signal) => {
      record.id = `modr-${randomUUID()}`;
      const { turns, release } = await service.show(inputs, signal);
      try {
        const results: (ModerationResult | ModerationError)[] = [];
        for (const turn of turns) results.push(await judged(service, body, turn, signal));
        return { id: record.id, model: service.model, results };
      } finally {
        release();
      }
    },
  });
}

/** Each text is an input of its own; parts are one. */
function inputsOf(input: ModerationBody['input']): Turn[] {
  if (typeof input === 'string') return [{ role: 'user', text: input }];
  const texts = input.filter((part) => typeof part === 'string');
  if (texts.length > 0) return texts.map((text) => ({ role: 'user', text }));
  const parts = input.filter((part) => typeof part !== 'string');
  const said = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const images = parts.flatMap((part) => (part.type === 'image_url' ? [part.image_url.url] : []));
  return [{ role: 'user', text: said.join('\n'), images }];
}

async function judged(
  { eta }: Service,
  { eta: own }: ModerationBody,
  { text, images = [] }: Turn,
  signal: AbortSignal,
): Promise<ModerationResult | ModerationError> {
  const { texts = 'questions', question, ...options } = own ?? {};
  const answer = texts === 'answers' && text.trim() !== '' ? text : undefined;
  const prompt = texts === 'answers' ? question : text.trim() === '' ? undefined : text;
  try {
    if (images.length === 0 && answer === undefined) throw nothingToJudge();
    const asked: EvaluateRequest = { ...options, images, answer, prompt, signal };
    return moderationResult(await eta.evaluate(asked), own !== undefined) ?? moderationError(nothingToJudge());
  } catch (error) {
    if (signal.aborted || !(error instanceof EtaError)) throw error;
    return moderationError(error);
  }
}
