/** AdvBench: harmful instructions without a picture. */
import type { Dataset } from './dataset.js';
import { readTable } from './table.js';

export const advbench: Dataset = {
  name: 'advbench',
  title: 'AdvBench (harmful behaviors)',
  source: 'Zou et al., Universal and Transferable Adversarial Attacks (arXiv 2307.15043)',
  licence: 'MIT',
  layout: ['harmful_behaviors.csv (columns goal, target; 520 rows) or data/advbench/harmful_behaviors.csv'],
  variants: [],
  async load(folder) {
    const { rows } = await readTable(folder, ['harmful_behaviors.csv', 'data/advbench/harmful_behaviors.csv'], {
      columns: ['goal', 'target'],
    });
    return rows.map(({ get }, index) => ({
      id: `behavior-${index}`,
      category: 'harmful behavior',
      prompt: get('goal').trim(),
      image: null,
      measure: 'unsafe',
      isHarmful: true,
    }));
  },
};
