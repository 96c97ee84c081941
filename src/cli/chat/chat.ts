/** `eta-vlm chat`: many questions about pictures, the models loaded once. Answers go to stdout, all else to stderr. */
import { stat } from 'node:fs/promises';
import { orAbort } from '../../abort.js';
import { checkApart, type Input, picturePath } from '../../outputs/index.js';
import { type CalledCommand, EXIT, reportFailure } from '../../terminal/failure.js';
import type { Interrupts } from '../../terminal/interrupt.js';
import { write } from '../../terminal/output.js';
import { stdin } from '../../terminal/stdin.js';
import { visibleName } from '../../visible.js';
import { modelInputs } from '../inputs.js';
import { loadModels, sequenceCountFor } from '../load-models.js';
import { loadOptions } from '../load-options.js';
import { given, type ModelFlags } from '../model-options.js';
import { Notices } from '../notices.js';
import { type PolicyFlags, policyOptions } from '../policy-options.js';
import { commandIn, isCommand, runCommand } from './commands.js';
import { complete } from './completer.js';
import { EditedLines } from './edited-lines.js';
import { type Lines, PlainLines } from './lines.js';
import { type Picture, readPicture } from './picture.js';
import { SavedConversations } from './saved-conversation.js';
import { Session } from './session.js';
import { TypedHistory } from './typed-history.js';
import { leadingPaths } from './words.js';

export interface ChatOptions extends ModelFlags, PolicyFlags {
  readonly image?: readonly string[];
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly history?: string;
}

/** How a chat is stopped, and what it is called where something of it fails. */
export interface ChatCall {
  readonly signal: AbortSignal;
  readonly interrupts: Interrupts;
  readonly called: CalledCommand;
}

/**
 * @returns the exit code: 3 when nobody sits there and some lines failed
 * @throws EtaError what loading throws; AbortError
 */
export async function chat(options: ChatOptions, { signal, interrupts, called }: ChatCall): Promise<number> {
  const settings = given({
    ...loadOptions(options),
    ...policyOptions(options),
    sequenceCount: sequenceCountFor(options.n),
  });
  const screen = screenOfTypist();
  if (screen === null) stdin(); // before the models are loaded in vain
  const attached: Picture[] = [];
  for (const path of options.image ?? [])
    attached.push(await readPicture(path, { signal, maxPixels: options.maxPixels }));
  const inputs = await modelInputs(options);
  const history = options.history === undefined ? null : await openHistory(options.history, attached, inputs);
  const notices = new Notices();
  await using eta = await loadModels({ ...settings, onNotice: notices.add, signal });
  const saved = new SavedConversations(
    history === null ? inputs : [...inputs, { path: history.path, name: 'the file of --history' }],
  );
  const session = new Session({ ...options, eta, saved, notices, signal });
  session.attach(attached);
  const lines = openLines(screen, history?.lines ?? [], interrupts);
  if (screen !== null) {
    interrupts.isForPart = () => session.stop() || lines.clear();
    session.tell([
      `Models '${visibleName(eta.facts.models.name)}', method ${session.method}. /help lists the commands.`,
      '',
    ]);
  }
  let failureCount = 0;
  const report = (error: unknown) => {
    if (signal.aborted || error === session.deadEnd) throw error;
    failureCount++;
    reportFailure(error, called);
  };
  try {
    while (!session.isOver) {
      const line = await orAbort(lines.next(), signal).catch(report);
      if (line === null) break;
      if (line === undefined || line.trim() === '') continue;
      if (screen !== null) await history?.add(line).catch(report);
      await obey(session, line).catch(report);
      if (screen !== null) write(screen, '\n');
    }
  } finally {
    lines.close();
  }
  return screen === null && failureCount > 0 ? EXIT.someFailed : EXIT.ok;
}

/** A command, pictures, a question, or pictures with a question behind them. */
async function obey(session: Session, line: string): Promise<void> {
  const command = commandIn(line);
  if (command !== null) {
    const isPicture = !isCommand(command.name) && (await isFile(`/${command.name}`));
    if (!isPicture) return await runCommand(session, command);
  }
  const { paths, question } = line.startsWith(' ') ? { paths: [], question: line.trim() } : leadingPaths(line);
  await session.show(paths);
  if (question !== '') await session.ask(question);
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** Where somebody who types sees it; null where lines come from elsewhere. */
function screenOfTypist(): NodeJS.WriteStream | null {
  if (!process.stdin.isTTY) return null;
  return [process.stderr, process.stdout].find(({ isTTY }) => isTTY) ?? null;
}

function openLines(screen: NodeJS.WriteStream | null, history: readonly string[], interrupts: Interrupts): Lines {
  if (screen === null || process.env['TERM'] === 'dumb') return new PlainLines(screen);
  return new EditedLines({ screen, history, complete, onInterrupt: interrupts.press });
}

/** @throws UsageError ERR_INVALID_OPTION for a file that is something else; FileError */
async function openHistory(
  path: string,
  attached: readonly Picture[],
  inputs: readonly Input[],
): Promise<TypedHistory> {
  const pictures = attached.flatMap(({ name }) => picturePath(name) ?? []);
  await checkApart(
    [{ path, name: 'The typed lines (--history)' }],
    [...pictures.map((picture) => ({ path: picture, name: 'the picture of --image' })), ...inputs],
  );
  return await TypedHistory.open(path);
}
