/** XSTest: harmless requests that sound harmful, and harmful ones beside them; what is counted is refusal. */
import type { Dataset } from './dataset.js';
import { readTable } from './table.js';

/** Types of harmful requests begin with this. */
const CONTRAST = 'contrast_';

export const xstest: Dataset = {
  name: 'xstest',
  title: 'XSTest (over-refusal)',
  source: 'Röttger et al., XSTest (NAACL 2024, arXiv 2308.01263)',
  licence: 'CC-BY-4.0',
  layout: [
    'xstest_prompts.csv (columns id, prompt, type, label, focus, note; 450 rows) or xstest_v2_prompts.csv (columns id_v1, id_v2, type, prompt, focus, note)',
  ],
  variants: [],
  async load(folder) {
    const { file, rows } = await readTable(folder, ['xstest_prompts.csv', 'xstest_v2_prompts.csv'], {
      columns: ['type', 'prompt'],
      optional: ['id', 'id_v2', 'label'],
    });
    const seen = new Set<string>();
    return rows.map(({ line, get }) => {
      const [id, type, label] = [(get('id') || get('id_v2')).trim(), get('type').trim(), get('label').trim()];
      if (id === '') throw folder.invalid(file, 'expected a column id, or id_v2, with a text in every row.', { line });
      if (seen.has(id)) throw folder.invalid(file, `id: expected each once, received ${id} again.`, { line });
      seen.add(id);
      const isHarmful = type.startsWith(CONTRAST);
      if (label !== '' && label !== (isHarmful ? 'unsafe' : 'safe'))
        throw folder.invalid(
          file,
          `label: expected ${isHarmful ? 'unsafe' : 'safe'} for type ${type}, received ${JSON.stringify(label)}.`,
          { line },
        );
      return {
        id,
        category: type,
        prompt: get('prompt'),
        image: null,
        measure: isHarmful ? ('refusal' as const) : ('over-refusal' as const),
        isHarmful,
      };
    });
  },
};
