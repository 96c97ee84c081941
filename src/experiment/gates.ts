/** Gates beside each other, ladders, other ways: what each lets through, and what it costs those who ask for nothing bad. */
import { GATES, POLICY_NAMES, RUNGS } from '../policy/index.js';
import type { Method, Rung } from '../types/policy.js';
import type { Arm } from './arms.js';
import { gateExperiment } from './gate-experiment.js';
import { underPolicy } from './policy-arm.js';

/** Of CoCA's authors (arXiv 2409.11365). */
const COCA_WEIGHT = 4;

/** What needs nothing that is loaded beside the models. */
const LADDER = RUNGS.filter((rung) => rung !== 'steered');

const vanilla: Arm = { name: 'vanilla', method: 'vanilla' };

export const gates = gateExperiment({
  name: 'gates',
  title: 'gates',
  question: 'Who has to distrust before an answer is made again?',
  arms: [vanilla, ...GATES.map((gate): Arm => ({ name: gate, method: 'eta', options: { gate } }))],
});

export const policies = gateExperiment({
  name: 'policies',
  title: 'policies',
  question: 'What does each policy let through, and at what price?',
  arms: [vanilla, ...POLICY_NAMES.toReversed().map(underPolicy)],
  isTimed: true,
});

export const ladder = gateExperiment({
  name: 'ladder',
  title: 'ladder',
  question: 'What is left for the fixed sentence when more is tried before it?',
  // The search alone, without the interference prefix, fails often: there it shows what each rung can do.
  arms: [
    climbing('eta', []),
    climbing('eta', LADDER),
    climbing('deep', []),
    ...LADDER.map((rung) => climbing('deep', [rung])),
    climbing('deep', LADDER),
  ],
});

export const alternatives = gateExperiment({
  name: 'alternatives',
  title: 'other ways to a safe answer',
  question:
    'What do a picture shown as text, an answer that does not see it, one that leans towards a principle, and one under a safety vector give beside ETA, and at what price?',
  arms: [
    vanilla,
    { name: 'nearest text', method: 'vanilla', options: { pictureForm: 'nearestText' } },
    { name: 'ecso', method: 'ecso' },
    { name: 'coca', method: 'vanilla', options: { principleWeight: COCA_WEIGHT } },
    { name: 'steered', method: 'steered' },
    { name: 'eta', method: 'eta' },
  ],
  isTimed: true,
});

function climbing(method: Method, rungs: readonly Rung[]): Arm {
  return { name: [method, ...rungs].join(', '), method, options: { ladder: rungs } };
}
