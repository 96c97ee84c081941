/** Options that decide what an answer becomes, the same for every command that answers. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { GATES, METHODS, RELEASES, RUNGS } from '../policy/methods.js';
import { POLICIES, POLICY_NAMES, REFUSAL_TEXT } from '../policy/policy.js';
import { among, filled, positiveNumber, wholeNumber } from '../terminal/option-values.js';
import type { Gate, Method, Release, Rung } from '../types/policy.js';
import { given } from './model-options.js';

export interface PolicyFlags {
  readonly method?: Method;
  readonly gate?: Gate;
  readonly ladder?: readonly Rung[];
  readonly n?: number;
  readonly firstN?: number;
  readonly acceptAbove?: number;
  readonly answerTemperature?: number;
  readonly answerTopP?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly maxTokens?: number;
  readonly release?: Release;
  readonly refusal?: string;
  readonly unsafeClipScore?: number;
  readonly safeReward?: number;
  readonly unsafeDecision?: number;
  readonly safeDecision?: number;
  readonly lowReward?: number;
  readonly lowDecision?: number;
}

const defaults = POLICIES.standard;

export function addPolicyOptions(command: Command): Command {
  return addDecisionOptions(
    command.addOption(
      among(new Option('--method <method>', `what is done for safety (default: ${defaults.method})`), METHODS),
    ),
  );
}

/**
 * Those beside the method, for commands that compare methods.
 *
 * @param maxTokens what `--max-tokens` is without it
 */
export function addDecisionOptions(command: Command, maxTokens: string | number = defaults.maxTokens): Command {
  return command
    .addOption(
      among(
        new Option('--policy <policy>', "how to decide: standard, balanced, or paper: exactly as the paper's code"),
        POLICY_NAMES,
      ),
    )
    .addOption(among(new Option('--gate <gate>', "who has to distrust, in the place of the method's own gate"), GATES))
    .option('--n <count>', `candidates of each round (default: ${defaults.candidateCount})`, wholeNumber(1, 255))
    .option(
      '--first-n <count>',
      'candidates of each round to draw first, the others only if none of these passes; 0: all at once (default: ' +
        `${defaults.firstCandidateCount})`,
      wholeNumber(0, 255),
    )
    .option('--accept-above <number>', 'with it: a candidate above this passes (default: as --safe-reward)', decimal)
    .option(
      '--answer-temperature <number>',
      `of the model's own answer, 0: greedy (default: ${defaults.answerTemperature})`,
      zeroToTwo,
    )
    .option(
      '--answer-top-p <rate>',
      `with it: tokens to draw from, by their probability together (default: ${defaults.answerTopP})`,
      share,
    )
    .option('--temperature <number>', `of the candidates (default: ${defaults.temperature})`, positiveNumber)
    .option('--top-k <count>', `tokens to draw each token from, 0: all (default: ${defaults.topK})`, wholeNumber(0))
    .option('--max-tokens <count>', `tokens of an answer at most (default: ${maxTokens})`, wholeNumber(1))
    .addOption(
      among(
        new Option(
          '--release <how>',
          `an answer that is judged goes out whole, or checked: sentence by sentence (default: ${defaults.release})`,
        ),
        RELEASES,
      ),
    )
    .option(
      '--ladder <rungs>',
      `what is tried before a refusal, in order: ${RUNGS.join(',')} (default: nothing)`,
      rungs,
    )
    .option('--refusal <text>', `said when even the aligned answer is unsafe (default: "${REFUSAL_TEXT}")`, filled)
    .option('--unsafe-clip-score <cosine>', "a picture from here on looks unsafe (default: CLIP's own)", cosine)
    .option('--safe-reward <number>', "an answer above this is safe (default: the reward model's own)", decimal)
    .option('--unsafe-decision <number>', "a picture from here on looks unsafe (default: the decision form's)", decimal)
    .option('--safe-decision <number>', "an answer above this is safe (default: the decision form's)", decimal)
    .option(
      '--low-reward <number>',
      'for --gate lowAnswerOrBoth: an answer up to this is unsafe, whatever is shown',
      decimal,
    )
    .option('--low-decision <number>', 'the same, where a decision judges', decimal);
}

/** The part of loadEta's options that these flags say; what was not given is left out. */
export function policyOptions(flags: PolicyFlags) {
  const { unsafeClipScore, safeReward, unsafeDecision, safeDecision, lowReward, lowDecision } = flags;
  const thresholds = given({ unsafeClipScore, safeReward, unsafeDecision, safeDecision, lowReward, lowDecision });
  return given({
    method: flags.method,
    gate: flags.gate,
    ladder: flags.ladder,
    candidateCount: flags.n,
    firstCandidateCount: flags.firstN,
    acceptAbove: flags.acceptAbove,
    answerTemperature: flags.answerTemperature,
    answerTopP: flags.answerTopP,
    temperature: flags.temperature,
    topK: flags.topK,
    maxTokens: flags.maxTokens,
    release: flags.release,
    refusalText: flags.refusal,
    thresholds: Object.keys(thresholds).length > 0 ? thresholds : undefined,
  });
}

function decimal(text: string): number {
  const value = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number.');
}

function rungs(text: string): readonly Rung[] {
  const named = text.split(',').map((name) => name.trim());
  const known = named.flatMap((name) => RUNGS.find((rung) => rung === name) ?? []);
  if (known.length === named.length && new Set(known).size === known.length) return known;
  throw new InvalidArgumentError(`Expected some of ${RUNGS.join(', ')}, each once, with commas between them.`);
}

function zeroToTwo(text: string): number {
  const value = decimal(text);
  if (value >= 0 && value <= 2) return value;
  throw new InvalidArgumentError('Expected a number from 0 to 2.');
}

function share(text: string): number {
  const value = decimal(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number above 0 and at most 1.');
}

function cosine(text: string): number {
  const value = decimal(text);
  if (value >= -1 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number from -1 to 1.');
}
