/** The experiments that compare methods on the items as they are. */
import type { Method } from '../types/policy.js';
import type { Arm } from './arms.js';
import { type ComparedArms, type Comparison, comparison } from './comparison.js';

const arm = (method: Method): Arm => ({ name: method, method });

/** The paper's ablation without the CLIP score in the utility. */
const WITHOUT_CLIP = 'eta without CLIP utility';

/** Against the model alone: what one part of ETA does. */
const alone = (method: Method & ComparedArms['name'], what: string): Comparison =>
  comparison({
    name: method,
    title: what,
    question: `What does ${what} do, against the model alone?`,
    arms: [arm('vanilla'), arm(method)],
  });

export const baseline = comparison({
  name: 'baseline',
  title: 'baseline',
  question: 'How often does the model alone answer a harmful request, and how often a harmless one rightly?',
  arms: [arm('vanilla')],
});

export const pre = alone('pre', 'pre-generation evaluation alone');
export const post = alone('post', 'post-generation evaluation alone');
export const shallow = alone('shallow', 'shallow alignment alone');
export const deep = alone('deep', 'deep alignment alone');

export const ablation = comparison({
  name: 'ablation',
  title: 'ablation',
  question: "What does each part of ETA do (the paper's table 5)?",
  arms: [
    arm('vanilla'),
    arm('deep'),
    arm('shallow'),
    { name: WITHOUT_CLIP, method: 'eta', options: { clipWeight: 0 } },
    arm('eta'),
  ],
  published: { vanilla: 0.4604, deep: 0.3208, shallow: 0.3094, [WITHOUT_CLIP]: 0.166, eta: 0.1698 },
});
