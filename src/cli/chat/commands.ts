/** What a line that begins with a slash does. */
import { UsageError } from '../../errors.js';
import { didYouMean } from '../../near-miss.js';
import { describe, shortened } from '../../options.js';
import { METHODS } from '../../policy/methods.js';
import { exists } from '../../regular-file.js';
import type { Method } from '../../types/policy.js';
import { reportLines } from '../answer-report.js';
import { Conversation, type Exchange } from './conversation.js';
import { historyLines } from './history-lines.js';
import { loadedLines } from './loaded-lines.js';
import type { Session } from './session.js';
import { atHome, wordsOf } from './words.js';

interface Command {
  readonly name: string;
  /** What stands behind it; "" for nothing. */
  readonly operand: string;
  readonly says: string;
  run(session: Session, operand: string): Promise<void> | void;
}

const COMMANDS: readonly Command[] = [
  {
    name: 'image',
    operand: 'PATH',
    says: 'show a picture with the next question; or drag its file here',
    run: async (session, operand) => await session.show(await pathsIn(operand, '/image photo.jpg')),
  },
  {
    name: 'why',
    operand: '',
    says: 'how the last answer came about: scores, rounds, what was chosen',
    run: (session) => {
      const { result } = lastOf(session, 'to explain');
      session.tell(reportLines(result, { ...session.form, showsRounds: true }));
    },
  },
  { name: 'method', operand: 'NAME', says: `what is done for safety: ${METHODS.join(', ')}`, run: chooseMethod },
  {
    name: 'models',
    operand: '',
    says: 'what is loaded, and which thresholds hold',
    run: async (session) => session.tell(await loadedLines(session.eta.facts, session.form)),
  },
  { name: 'save', operand: 'FILE', says: 'write the conversation with its verdicts, an answer a line', run: save },
  {
    name: 'history',
    operand: '',
    says: 'the conversation so far',
    run: (session) => session.tell(historyLines(session.conversation, session.form)),
  },
  {
    name: 'new',
    operand: '',
    says: 'begin a new conversation',
    run: (session) => {
      session.conversation = new Conversation();
      session.saved.forget();
      session.tell(['A new conversation.']);
    },
  },
  { name: 'undo', operand: '', says: 'take back the pictures of the next question, else the last one', run: undo },
  { name: 'help', operand: '', says: 'this list', run: (session) => session.tell(helpLines()) },
  {
    name: 'exit',
    operand: '',
    says: 'end the chat; so does Ctrl-D',
    run: (session) => {
      session.isOver = true;
    },
  },
];

/** With the slash. */
export const COMMAND_NAMES = COMMANDS.map(({ name }) => `/${name}`);

/** A line that begins with a slash and a name. */
export interface CommandLine {
  readonly name: string;
  /** What stands behind it. */
  readonly operand: string;
}

/** Null for a line that is none. */
export function commandIn(line: string): CommandLine | null {
  const [, name, operand = ''] = /^\/([\p{L}_-]*)(?:\s+(.*))?$/su.exec(line.trimEnd()) ?? [];
  return name === undefined ? null : { name, operand: operand.trim() };
}

export function isCommand(name: string): boolean {
  return COMMANDS.some((known) => known.name === name);
}

/** @throws UsageError ERR_INVALID_REQUEST for a name that no command has; what the command throws */
export async function runCommand(session: Session, { name, operand }: CommandLine): Promise<void> {
  const command = COMMANDS.find((known) => known.name === name);
  if (command === undefined) {
    const advice = didYouMean(`/${name}`, COMMAND_NAMES);
    throw new UsageError('ERR_INVALID_REQUEST', `Unknown command '/${shortened(name)}'. ${advice}`);
  }
  if (command.operand === '' && operand !== '') {
    const received = `Expected nothing behind '/${name}', received ${describe(operand)}.`;
    throw new UsageError('ERR_INVALID_REQUEST', `${received} Leave it out.`);
  }
  await command.run(session, operand);
}

function helpLines(): string[] {
  const terms = COMMANDS.map(({ name, operand }) => `/${name} ${operand}`.trimEnd());
  const width = Math.max(...terms.map((term) => term.length));
  return [
    ...COMMANDS.map(({ says }, index) => `${(terms[index] ?? '').padEnd(width)}  ${says}`),
    '',
    'All other lines are questions. One that begins with a space is always one. Ctrl-C stops an answer.',
  ];
}

/** Several paths, as a shell would have them, or one with spaces in it, as somebody types it. */
async function pathsIn(operand: string, example: string): Promise<readonly string[]> {
  if (operand === '')
    throw new UsageError('ERR_INVALID_REQUEST', `Expected a path, received nothing. For example: ${example}`);
  const words = wordsOf(operand);
  if (words === null || (await exists(atHome(operand)))) return [operand];
  const isQuoted = /['"\\]/.test(operand);
  const areThere = await Promise.all(words.map((word) => exists(atHome(word))));
  return isQuoted || areThere.every((isThere) => isThere) ? words : [operand];
}

function chooseMethod(session: Session, operand: string): void {
  const name = METHODS.find((known) => known === operand);
  if (name === undefined && operand !== '') {
    const advice = didYouMean(operand, METHODS);
    throw new UsageError('ERR_INVALID_REQUEST', `Expected a method, received ${describe(operand)}. ${advice}`);
  }
  const method: Method = name ?? session.method;
  session.method = method;
  const others = METHODS.filter((known) => known !== method).join(', ');
  session.tell([name === undefined ? `The method is ${method}. Others: ${others}.` : `The method is ${method} now.`]);
}

async function save(session: Session, operand: string): Promise<void> {
  lastOf(session, 'to save');
  const [path, ...more] = await pathsIn(operand, '/save talk.jsonl');
  if (path === undefined || more.length > 0) {
    const received = `Expected one file, received ${describe(operand)}.`;
    throw new UsageError('ERR_INVALID_REQUEST', `${received} Put a name with spaces in quotes.`);
  }
  const { exchanges } = session.conversation;
  await session.saved.write(atHome(path), exchanges);
  const answers = exchanges.length === 1 ? '1 answer is' : `${exchanges.length} answers are`;
  session.tell([`${answers} in ${atHome(path)}.`]);
}

function undo(session: Session): void {
  const hadPictures = (session.conversation.exchanges.at(-1)?.pictures.length ?? 0) > 0;
  const taken = session.conversation.undo();
  if (taken === null) throw new UsageError('ERR_INVALID_REQUEST', 'Expected something to take back, there is nothing.');
  const question = `The last question is taken back${hadPictures ? ', with what it showed: name the picture again' : ''}.`;
  session.tell([taken === 'pictures' ? 'No picture goes with the next question.' : question]);
}

function lastOf(session: Session, why: string): Exchange {
  const last = session.conversation.exchanges.at(-1);
  if (last !== undefined) return last;
  throw new UsageError('ERR_INVALID_REQUEST', `Expected an answer ${why}, there is none yet. Ask something first.`);
}
