/**
 * What is asked for a decision, and how the reply is read: a JSON file, one of the shipped ones or a person's own. Read
 * strictly: a name that is not known is an error, not a wish.
 */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ModelError } from '../errors.js';
import { issueOf, parsedJson, sorted } from '../json.js';
import { didYouMean } from '../near-miss.js';
import { describePath } from '../options.js';
import { readRegularText, whyUnread } from '../regular-file.js';

/** From src and from dist alike, the forms lie two folders up. */
const FORMS_FOLDER = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'models', 'decisions');

/** Least mass of the shipped forms: below it more than half of what would be said is no verdict. */
export const SURE_MASS = 0.5;

/** More than any wording takes: each verdict is looked for in the vocabulary, and each text is read again for each answer. */
const MOST_FORM_BYTES = 2 ** 18;
const MOST_WORDS = 64;

const text = z.string().min(1);
/** Something that can be read, and told from anything else. */
const telling = text.regex(/[\p{L}\p{N}]/u, 'expected a text with a letter or a digit');
const words = z.array(telling.max(100)).min(1).max(MOST_WORDS);

/** How the prompt is made. `{policy}`, `{question}` and `{answer}` in a text are what they say. */
const promptSchema = z.discriminatedUnion('form', [
  /** The guard's own chat template is shown the conversation, and asks by itself. */
  z.strictObject({ form: z.literal('conversation'), variables: z.record(z.string(), z.unknown()) }),
  /** A conversation of its own: a system turn, if any, and one user turn, behind the pictures. */
  z.strictObject({ form: z.literal('question'), system: text.nullable(), user: text, seesPictures: z.boolean() }),
  /** The user's next turn, behind an answer of the language model's own. */
  z.strictObject({ form: z.literal('next-turn'), user: text }),
]);

const questionSchema = z.strictObject({
  prompt: promptSchema,
  /** What the reply is made to begin with, up to the decision. Left out where the prompt ends with it already. */
  lead: z.string(),
  verdicts: z.strictObject({ safe: words, unsafe: words }),
  /** `log-odds`: ln of what the good verdicts have to what the others have; `probability`: their share. */
  score: z.enum(['log-odds', 'probability']),
  /** What all verdicts must have together; less, and the model does not answer the question. */
  leastMass: z.number().min(0).max(1),
  /** An answer is safe above it; a picture is unsafe from it on. */
  threshold: z.number(),
  thresholdSource: text,
  /** Whether the threshold was found by measuring this very model under this wording. */
  isCalibrated: z.boolean(),
});

const formSchema = z
  .strictObject({
    format: z.literal('eta-vlm/decision'),
    version: z.literal(1),
    name: text,
    title: text,
    /** Where the wording comes from. */
    source: text,
    /** Who is asked: the language model itself, or a guard's GGUF. */
    asks: z.enum(['self', 'guard']),
    policy: z.string(),
    /** Texts that the guard's own chat template must hold: another model's would be asked something else. */
    templateHolds: z.array(telling),
    /** Tokens that a guard reads at most, pictures included; the language model itself reads what its context holds. */
    maxTokens: z.int().min(64).max(131_072).optional(),
    /** After an answer. */
    answer: questionSchema,
    /** Before one: the question with its pictures. Null where the form has no such question. */
    picture: questionSchema.nullable(),
    /** {@link wordingOf} */
    wordingSha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
  })
  .refine(
    ({ asks, answer, picture }) =>
      (asks === 'self') === (answer.prompt.form === 'next-turn') && (asks !== 'self' || picture === null),
    "expected a prompt of the form 'next-turn' from who asks itself, without a question about the picture, and others from a guard",
  )
  .refine(
    ({ asks, maxTokens }) => (asks === 'guard') === (maxTokens !== undefined),
    'expected of a guard how many tokens it reads at most, and of the language model itself nothing of the kind: it reads what its context holds',
  )
  .refine(
    ({ picture }) => picture === null || (picture.prompt.form === 'question' && picture.prompt.seesPictures),
    "expected a question about the picture that sees pictures, of the form 'question'",
  );

/** The name as it is read: without what nobody sees. */
function seen(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase();
}

export type DecisionForm = z.output<typeof formSchema> & {
  /** Where somebody's own form lies; absent of a shipped one. */
  readonly path?: string;
};
export type DecisionQuestion = z.output<typeof questionSchema>;

/**
 * SHA-256 over all that decides what is asked and how the reply is read. What a number stands for is left out: thresholds,
 * least masses, sources.
 */
export function wordingOf(form: Omit<DecisionForm, 'wordingSha256'>): string {
  const { asks, policy, templateHolds, maxTokens } = form;
  const asked = ({ prompt, lead, verdicts, score }: DecisionQuestion) => ({ prompt, lead, verdicts, score });
  const deciding = {
    asks,
    policy,
    templateHolds,
    maxTokens,
    answer: asked(form.answer),
    picture: form.picture && asked(form.picture),
  };
  return createHash('sha256')
    .update(JSON.stringify(sorted(deciding)))
    .digest('hex');
}

/** Names of the shipped forms. */
export async function decisionForms(): Promise<readonly string[]> {
  const files = await readdir(FORMS_FOLDER);
  return files.flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : [])).sort();
}

/**
 * @param choice a shipped name, or the path of a JSON file
 * @throws ModelError ERR_MODEL_NOT_FOUND; ERR_MODEL_INVALID for a file that is no form, or says of itself what an own one
 * cannot; ERR_MODEL_MISMATCH for one whose wording is not the one that it was pinned with
 */
export async function readForm(choice: string): Promise<DecisionForm> {
  const names = await decisionForms();
  const isShipped = names.includes(choice);
  const path = isShipped ? join(FORMS_FOLDER, `${choice}.json`) : resolve(choice);
  const parsed = formSchema.safeParse(parsedJson(await formText(path, choice, names)));
  if (!parsed.success) {
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `decision: ${describePath(path)}: expected a decision's form as JSON; ${named(issueOf(parsed.error))}. Compare it with one of models/decisions.`,
    );
  }
  const wording = wordingOf(parsed.data);
  if (wording === parsed.data.wordingSha256) return isShipped ? parsed.data : ownForm(parsed.data, path, names);
  throw new ModelError(
    'ERR_MODEL_MISMATCH',
    `decision: ${describePath(path)}: expected the wording that its threshold belongs to (${parsed.data.wordingSha256.slice(0, 12)}…), received another. ` +
      `Other words give other scores: check the threshold, then set wordingSha256 to ${wording}.`,
  );
}

/** Fields of the file in quotes: they are no options. */
function named(issue: string): string {
  return issue.replace(/^[\w.]+(?=: )/, '"$&"');
}

/** @throws ModelError ERR_MODEL_INVALID for what would pass for a shipped form, for a measured one, or for any guard's */
function ownForm(form: z.output<typeof formSchema>, path: string, shipped: readonly string[]): DecisionForm {
  const questions = form.picture === null ? [form.answer] : [form.answer, form.picture];
  const wrong = shipped.some((name) => seen(name) === seen(form.name))
    ? `a name of its own, received ${form.name}, which is a shipped form's: its threshold would pass for that one's. Change name`
    : questions.some(({ isCalibrated }) => isCalibrated)
      ? "isCalibrated: false, received true: a form does not say which guard's file its threshold was measured on. Measure it with 'eta-vlm calibrate --decision', which does, and name that file of thresholds"
      : form.templateHolds.length === 0 && questions.some(({ prompt }) => prompt.form === 'conversation')
        ? "a text in templateHolds, received none: what is asked stands in the guard's chat template alone, and another guard's asks something else. Name a part of it that says what is asked"
        : questions.some(isOutOfReach)
          ? 'a threshold between 0 and 1 of a form whose score is a probability, received one that no answer reaches, or every one. Change threshold'
          : form.answer.prompt.form === 'question' && !showsAnswer(form.answer.prompt)
            ? 'a question about the answer that shows it, received one without {answer}: every answer would be judged alike. Put {answer} where it belongs'
            : null;
  if (wrong === null) return { ...form, path };
  throw new ModelError('ERR_MODEL_INVALID', `decision: ${describePath(path)}: expected ${wrong}.`);
}

function isOutOfReach({ score, threshold }: DecisionQuestion): boolean {
  return score === 'probability' && (threshold <= 0 || threshold >= 1);
}

function showsAnswer({ system, user }: { readonly system: string | null; readonly user: string }): boolean {
  return `${system ?? ''}${user}`.includes('{answer}');
}

/** What an own form leaves to whoever names it; null where it leaves nothing. */
export function looseForm({ path, name, title, asks, templateHolds, answer, picture }: DecisionForm): string | null {
  if (path === undefined) return null;
  const least = Math.min(answer.leastMass, picture?.leastMass ?? 1);
  const said = [
    ...(asks === 'guard' && templateHolds.length === 0
      ? [`nothing tells whether the guard is ${title} (templateHolds is empty), so any is taken`]
      : []),
    ...(least < SURE_MASS
      ? [
          `verdicts that together have a probability of ${least} are taken for a decision (leastMass; the shipped forms: ${SURE_MASS})`,
        ]
      : []),
  ];
  return said.length === 0 ? null : `the decision's form ${name} (${path}): ${said.join('; ')}.`;
}

async function formText(path: string, choice: string, names: readonly string[]): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= MOST_FORM_BYTES) return await readRegularText(path);
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `decision: ${describePath(path)}: expected a form of at most ${MOST_FORM_BYTES} bytes, received ${size}. Shorten it.`,
    );
  } catch (cause) {
    if (cause instanceof ModelError) throw cause;
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `decision: expected a form (${names.join(', ')}) or a JSON file, received ${describePath(choice)}, which cannot be read (${whyUnread(cause)}). ` +
        didYouMean(choice, names, 'Check the name or the path.'),
      { cause },
    );
  }
}
