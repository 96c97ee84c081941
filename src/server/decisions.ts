/** POST /v1/decisions: questions about one conversation, each answered by the probabilities of one token. */
import { randomUUID } from 'node:crypto';
import { turnsOf, usageFields } from '../chat-form/index.js';
import { checkCounts } from '../eta/index.js';
import type { DecideRequest } from '../index.js';
import { parseOptions } from '../options.js';
import { checkCharacters } from './characters.js';
import { type DecisionsBody, decisionsSchema } from './decisions-schema.js';
import type { RequestRecord } from './log.js';
import { checkPictures } from './pictures.js';
import type { Service } from './service.js';

/** @throws what taking the request in, and `decide`, throw */
export async function decisions(service: Service, request: Request, record: RequestRecord): Promise<Response> {
  const { eta, settings } = service;
  return await service.answer(request, record, {
    read: (fields) => {
      const body = parseOptions(decisionsSchema, fields as DecisionsBody, 'request');
      checkCounts({ turns: body.messages });
      const turns = turnsOf(body.messages);
      checkPictures(turns, settings);
      checkCharacters(turns, settings.maxCharacters);
      return { turns, questions: body.questions, own: body.eta };
    },
    work: async ({ turns, questions, own }, signal) => {
      record.id = `decn-${randomUUID()}`;
      const shown = await service.show(turns, signal);
      try {
        const asked = { turns: shown.turns, questions, ...own, signal } as unknown as DecideRequest; // the rest it checks
        const { decisions: made, usage, timings } = await eta.decide(asked);
        record.usages = [usage];
        return {
          id: record.id,
          object: 'decisions',
          model: service.model,
          decisions: made,
          usage: usageFields([usage]),
          ...(own !== undefined && { eta: { usage, timings } }),
        };
      } finally {
        shown.release();
      }
    },
  });
}
