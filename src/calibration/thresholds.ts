/** A calibration as the file that loadEta reads. */
import type { DecisionThresholds, ThresholdsFile } from '../manifest/index.js';
import type { Estimate } from '../statistics/index.js';
import { scoreBins } from './bins.js';
import type { Calibrated, CalibratedDecision, Calibration } from './calibration.js';
import { LOW_RULE, ruleText } from './cut.js';
import type { CutRates, Scored } from './fit.js';

/** Circumstances that the file records. */
export interface CalibrationRun {
  /** The command line. */
  readonly command: string;
  /** ISO 8601. */
  readonly endedAt: string;
}

/**
 * The thresholds with what they rest on, each bound to its model and prompt.
 *
 * @param parts which to take; a file for the folder of one model holds that model's alone
 */
export function thresholdsFile(
  { clip, rewardModel, decision }: Calibration,
  run: CalibrationRun,
  parts: readonly ('clip' | 'rewardModel' | 'decision')[] = ['clip', 'rewardModel', 'decision'],
): ThresholdsFile {
  return {
    format: 'eta-vlm/thresholds',
    version: 1,
    clip:
      clip === null || !parts.includes('clip')
        ? null
        : {
            model: { name: clip.subject.name, sha256: clip.subject.sha256 },
            safetyPrompt: clip.prompt,
            unsafeClipScore: rounded(clip.fit.threshold.value),
            ...about(clip, run),
          },
    rewardModel:
      rewardModel === null || !parts.includes('rewardModel')
        ? null
        : {
            model: { name: rewardModel.subject.name, sha256: rewardModel.subject.sha256 },
            postEvaluationPrompt: rewardModel.prompt,
            safeReward: rounded(rewardModel.fit.threshold.value),
            ...lowOf(rewardModel, 'lowReward'),
            ...about(rewardModel, run),
          },
    decision: decision === null || !parts.includes('decision') ? null : decisionThresholds(decision, run),
  };
}

/**
 * What an earlier file has and this one has not: a calibration of pictures leaves the threshold of answers standing, and the
 * other way round. Of a decision only where guard and wording are the same, because a file holds one of them.
 *
 * @returns the file, and what was kept, in the words of a message
 */
export function withEarlier(file: ThresholdsFile, earlier: ThresholdsFile): { file: ThresholdsFile; kept: string[] } {
  const clip = file.clip ?? earlier.clip;
  const rewardModel = file.rewardModel ?? earlier.rewardModel;
  const decision = file.decision === null ? earlier.decision : withEarlierDecision(file.decision, earlier.decision);
  const kept = [
    clip !== file.clip && `CLIP score of ${clip?.model.name}`,
    rewardModel !== file.rewardModel && `reward of ${rewardModel?.model.name}`,
    decision?.picture !== file.decision?.picture && decision?.picture && 'decision about pictures',
    decision?.answer !== file.decision?.answer && decision?.answer && 'decision about answers',
  ];
  return {
    file: { ...file, clip, rewardModel, decision },
    kept: kept.filter((name) => typeof name === 'string'),
  };
}

function withEarlierDecision(decision: DecisionThresholds, earlier: DecisionThresholds | null): DecisionThresholds {
  if (earlier === null || !isSameBond(decision, earlier)) return decision;
  return {
    ...decision,
    answer: decision.answer ?? earlier.answer,
    picture: decision.picture ?? earlier.picture,
  };
}

/** The same words to the same guard: where its file lies says nothing. */
function isSameBond(one: DecisionThresholds, other: DecisionThresholds): boolean {
  return (
    one.form.wordingSha256 === other.form.wordingSha256 &&
    one.guard.sha256 === other.guard.sha256 &&
    one.guardProjector?.sha256 === other.guardProjector?.sha256
  );
}

function decisionThresholds({ bond, answer, picture }: CalibratedDecision, run: CalibrationRun): DecisionThresholds {
  return {
    ...bond,
    answer: answer && {
      safeDecision: rounded(answer.fit.threshold.value),
      ...lowOf(answer, 'lowDecision'),
      ...about(answer, run),
    },
    picture: picture && {
      unsafeDecision: rounded(picture.fit.threshold.value),
      question: picture.prompt,
      ...about(picture, run),
    },
  };
}

/** The low one, where there is one. */
function lowOf<Name extends string>({ fit }: Calibrated, name: Name) {
  return fit.low === null ? {} : ({ [name]: rounded(fit.low.threshold.value) } as Record<Name, number>);
}

/** What it was measured on, and how it was found. */
function about({ fit, safe, unsafe }: Calibrated, { command, endedAt }: CalibrationRun) {
  const rates = (found: CutRates | null) =>
    found && { unsafeFound: known(found.unsafeFound), safeFlagged: known(found.safeFlagged) };
  return {
    calibratedOn: fit.calibratedOn,
    calibration: {
      rule: ruleText(fit.rule),
      safeCount: safe.length,
      unsafeCount: unsafe.length,
      threshold: estimate(fit.threshold),
      auc: known(fit.auc),
      own: rates(fit.own),
      heldOut: rates(fit.heldOut),
      ...(fit.low !== null && {
        low: {
          rule: ruleText(LOW_RULE),
          threshold: estimate(fit.low.threshold),
          own: rates(fit.low.own),
          heldOut: rates(fit.low.heldOut),
        },
      }),
      warnings: fit.warnings,
      bins: scoreBins(scoresOf(safe), scoresOf(unsafe)),
      command,
      endedAt,
    },
  };
}

const scoresOf = (scored: readonly Scored[]) => scored.map(({ score }) => score);

/** Six digits: far below what the choice of pictures moves. */
function estimate({ value, low, high, count }: Estimate) {
  return { value: rounded(value), low: rounded(low), high: rounded(high), count };
}

/** What nothing was counted for is said to be unknown. */
function known(found: Estimate) {
  return found.count === 0 ? 'unknown' : estimate(found);
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
