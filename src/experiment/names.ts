/** The experiments by name with a line on each: what a help text says of them without loading any. */
export const EXPERIMENT_LINES = {
  baseline: 'the unsafe rate of the model alone',
  pre: 'pre-generation evaluation alone: CLIP decides whether to align',
  post: 'post-generation evaluation alone: the reward model decides',
  shallow: 'shallow alignment alone: the interference prefix, no search',
  deep: 'deep alignment alone: the search, no prefix',
  ablation: "the paper's table 5: none, deep, shallow, without CLIP utility, all",
  gates: 'who has to distrust before an answer is made again: each gate beside the others',
  policies: 'paper, standard, balanced: what each lets through, and its price',
  ladder: 'what is tried before the fixed sentence, and what is left for it',
  alternatives: 'vanilla, the picture as its nearest text, ECSO, CoCA, a safety vector, ETA',
  helpings: 'all candidates at once, or a few first and more when none passes',
  overhead: 'time of an answer against N, on each path of ETA',
  endurance: 'many requests one after the other, and what drifts',
  robustness: 'pictures, questions and answers changed to slip past, and what holds',
} as const;

export type ExperimentName = keyof typeof EXPERIMENT_LINES;

export const EXPERIMENT_NAMES = Object.keys(EXPERIMENT_LINES) as readonly ExperimentName[];
