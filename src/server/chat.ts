/** POST /v1/chat/completions: an answer, or several, whole or as they come. */
import { randomUUID } from 'node:crypto';
import type { Told } from './answer.js';
import { answersOf, type Listener } from './answers.js';
import { completionOf, type Heading } from './chat-answer.js';
import { type ChatRequest, readChatRequest } from './chat-request.js';
import { ChunkWriter } from './chat-stream.js';
import { bodyOf } from './failure.js';
import type { RequestRecord } from './log.js';
import type { Service, Visit } from './service.js';
import { EVENT_STREAM, EventSender } from './sse.js';

/** Of an answer that is told as a whole. */
const NOBODY: Listener = { onNotice: () => undefined, onEvent: () => undefined, onTold: () => undefined };

/** @throws what reading the request and the library throw, while nothing has been sent */
export async function chatCompletion(service: Service, request: Request, record: RequestRecord): Promise<Response> {
  const visit = await service.open(request, record);
  try {
    const chat = readChatRequest(visit.fields, service);
    const created = Math.floor(Date.now() / 1000);
    const heading = { id: `chatcmpl-${randomUUID()}`, created, model: service.model };
    record.id = heading.id;
    if (chat.isStreamed) return await streamed(service, chat, heading, visit);
    const answers = await answersOf(service, chat, visit, NOBODY);
    note(service, chat, visit, answers);
    visit.close();
    return Response.json(completionOf(heading, answers, chat));
  } catch (error) {
    visit.close();
    throw visit.deadline.told(error);
  }
}

/** The response begins with the first thing that happens, so that what fails before has a status of its own. */
async function streamed(service: Service, chat: ChatRequest, heading: Heading, visit: Visit): Promise<Response> {
  const { deadline, record } = visit;
  const sender = new EventSender(() => deadline.leave());
  const writer = new ChunkWriter(chat, heading, sender);
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const work = answersOf(service, chat, visit, {
    onNotice: (index, notice) => writer.onNotice(index, notice), // which waits for what begins it
    onEvent: (index, event) => {
      begin();
      writer.onEvent(index, event);
    },
    onTold: (index, told) => writer.onTold(index, told),
  });
  await Promise.race([begun, work]);
  record.keepOpen();
  const ended = (error?: unknown) => {
    record.fail(error);
    if (error !== undefined) sender.send(bodyOf(error));
    sender.end();
    visit.close();
    record.end(200);
  };
  work
    .then((answers) => {
      note(service, chat, visit, answers);
      writer.end(answers);
    })
    .then(() => ended(), ended)
    .catch((error: unknown) => record.fail(error));
  return new Response(sender.stream, { headers: EVENT_STREAM });
}

/** For whoever counts and logs. */
function note({ settings }: Service, { turns }: ChatRequest, { record }: Visit, answers: readonly Told[]): void {
  record.actions = answers.map(({ verdict }) => verdict.action);
  record.usages = answers.flatMap(({ result }) => (result === null ? [] : [result.usage]));
  if (!settings.logContent) return;
  record.content = { asked: turns.at(-1)?.text ?? '', answers: answers.map(({ text }) => text) };
}
