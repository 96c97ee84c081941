/** SPA-VL: pictures and questions of 13 categories of harm, as parquet; the test split for harm, and that for help. */
import type { Dataset } from './dataset.js';
import { readParquet } from './parquet.js';
import { parquetPicture } from './parquet-picture.js';

function spaVl(split: 'harm' | 'help', title: string): Dataset {
  const file = `${split}-00000-of-00001.parquet`;
  return {
    name: `spa-vl-${split}`,
    title,
    source: 'Zhang et al., SPA-VL (arXiv 2406.12030); sqrti/SPA-VL',
    licence: 'CC-BY-4.0',
    layout: [`test/${file} or ${file} (columns image { bytes, path }, question, class1, class2, class3; 265 rows)`],
    variants: [],
    async load(folder) {
      const place = await folder.require(`test/${file}`, file);
      const rows = await readParquet(folder, place, { columns: ['image', 'question'], optional: ['class1'] });
      const items = [];
      for (const [index, row] of rows.entries()) {
        const where = `row ${index + 1}`;
        const { question, class1 } = row;
        if (typeof question !== 'string' || question.trim() === '')
          throw folder.invalid(place, `${where}: question: expected a text, received nothing.`);
        items.push({
          id: `${split}-${index}`,
          category: typeof class1 === 'string' && class1 !== '' ? class1 : split,
          prompt: question,
          image: await parquetPicture(folder, place, row['image'], where),
          measure: split === 'harm' ? ('unsafe' as const) : ('preferred' as const),
          isHarmful: split === 'harm' ? true : null,
        });
      }
      return items;
    },
  };
}

export const spaVlHarm = spaVl('harm', 'SPA-VL Harm');
export const spaVlHelp = spaVl('help', 'SPA-VL Help');
