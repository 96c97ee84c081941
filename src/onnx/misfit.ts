/** What onnxruntime says where a graph cannot take what its tokenizer and its manifest make of a text: in words of ours. */
import { EvaluatorError, ModelError } from '../errors.js';

/** What a graph was given of a text. */
export interface FedText {
  /** Of the model. */
  readonly name: string;
  readonly ids: readonly number[];
  /** Positions before the first of them. */
  readonly pastLength: number;
}

/** Of a table of embeddings, whatever it is of. */
const BEYOND_TABLE = /idx=(-?\d+) must be within the inclusive range \[-?\d+,\s*(\d+)\]/;
/** Of an input whose sizes stand in the graph. */
const OTHER_SIZE =
  /invalid dimensions for input: (\S+) for the following indices\s+index: (\d+) Got: (\d+) Expected: (\d+)/i;
/** Of sums: a table of positions was cut to as many as it has. */
const OTHER_LENGTH = /broadcast an axis by a dimension other than 1\. (\d+) by (\d+)/;

/**
 * @param error of a run
 * @returns ModelError ERR_MODEL_MISMATCH where its files do not belong together; the error itself where it says something else
 */
export function misfitOf(error: unknown, text: FedText): unknown {
  if (!(error instanceof EvaluatorError)) return error;
  const found = tooFewRows(error.message, text) ?? otherSize(error.message) ?? tooFewPositions(error.message, text);
  if (found === undefined) return error;
  return new ModelError('ERR_MODEL_MISMATCH', `${text.name}: ${found}`, { cause: error });
}

/** Some graphs count their positions from 2. */
const FIRST_POSITION = 2;

function tooFewRows(message: string, { ids, pastLength }: FedText): string | undefined {
  const [index, last] = numbersOf(BEYOND_TABLE, message);
  if (index === undefined || last === undefined) return undefined;
  const most = last + 1;
  if (index < most) return undefined;
  const isToken = ids.includes(index);
  const isPosition = index < pastLength + ids.length + FIRST_POSITION;
  if (isToken && isPosition)
    return `expected a graph with a row for ${index}, which is a token and a position of this text, received one with rows from 0 to ${last}. Where it has ${most} positions, correct maxTokens in its manifest, or export the model again; where it has ${most} tokens, the tokenizer is another graph's: fetch or export both again.`;
  if (isToken)
    return `expected tokens from 0 to ${last}, those that its graph has a row for, received ${index} from its tokenizer. The tokenizer is another graph's: fetch or export both again.`;
  return positions(index + 1, most);
}

function otherSize(message: string): string | undefined {
  const [, input] = OTHER_SIZE.exec(message) ?? [];
  const [, at, received, expected] = numbersOf(OTHER_SIZE, message);
  if (received === undefined || expected === undefined) return undefined;
  return `expected a graph whose input '${input}' takes ${received} at place ${at} of its shape, received one that takes ${expected} alone. Correct padTo and maxTokens in its manifest, or export the model again with sizes that vary.`;
}

function tooFewPositions(message: string, { ids, pastLength }: FedText): string | undefined {
  const lengths = numbersOf(OTHER_LENGTH, message);
  const length = pastLength + ids.length;
  const other = lengths.find((one) => one !== length && one !== ids.length);
  if (other === undefined || !lengths.some((one) => one === length || one === ids.length)) return undefined;
  return positions(length, other);
}

function positions(expected: number, received: number): string {
  return `expected a graph with ${expected} positions, as many as a text of up to maxTokens takes, received one with ${received}. Correct maxTokens in its manifest, or export the model again.`;
}

function numbersOf(pattern: RegExp, message: string): number[] {
  return (pattern.exec(message) ?? []).slice(1).map(Number);
}
