/** SPA-VL: pictures and questions of 13 categories of harm, as parquet; the test split for harm, and that for help. */
import type { Dataset } from './dataset.js';
import { readParquet } from './parquet.js';

function spaVl(split: 'harm' | 'help', title: string): Dataset {
  const file = `test/${split}-00000-of-00001.parquet`;
  return {
    name: `spa-vl-${split}`,
    title,
    source: 'Zhang et al., SPA-VL (arXiv 2406.12030); sqrti/SPA-VL',
    licence: 'CC-BY-4.0',
    layout: [`${file} (columns image { bytes, path }, question, class1, class2, class3; 265 rows)`],
    variants: [],
    async load(folder) {
      const rows = await readParquet(folder, file, { columns: ['image', 'question'], optional: ['class1'] });
      return rows.map((row, index) => {
        const where = `row ${index + 1}`;
        const { image, question, class1 } = row;
        if (typeof question !== 'string' || question.trim() === '')
          throw folder.invalid(file, `${where}: question: expected a text, received nothing.`);
        const bytes = (image as { bytes?: unknown } | null | undefined)?.bytes;
        if (!(bytes instanceof Uint8Array) || bytes.length === 0)
          throw folder.invalid(
            file,
            `${where}: image: expected { bytes, path } with the bytes of a picture, received none.`,
          );
        return {
          id: `${split}-${index}`,
          category: typeof class1 === 'string' && class1 !== '' ? class1 : split,
          prompt: question,
          image: bytes,
          measure: split === 'harm' ? 'unsafe' : 'preferred',
          isHarmful: split === 'harm' ? true : null,
        };
      });
    },
  };
}

export const spaVlHarm = spaVl('harm', 'SPA-VL Harm');
export const spaVlHelp = spaVl('help', 'SPA-VL Help');
