/** Sections of what the evaluators saw: their scores, and what the gate made of them. */
import { Turns } from '../turns.js';
import type { Gate } from '../types/policy.js';
import { histogramPlot } from './histogram.js';
import { estimated, isMeasured, isNumber, NOT_MEASURED, number, percent } from './numbers.js';
import type { Distribution, GateOutcome } from './report-data.js';
import { type Block, figures, table, words } from './sections.js';
import { capital } from './texts.js';

/** Scores by class, with the threshold. */
export async function distributionBlocks(distributions: readonly Distribution[]): Promise<Block[]> {
  const turns = new Turns();
  const blocks: Block[] = [];
  for (const [at, distribution] of distributions.entries()) {
    const plot = await histogramPlot(`scores-${at + 1}`, distribution);
    if (plot === null) continue;
    const { threshold, auc, axis } = distribution;
    const line = threshold === null ? '' : ` The dashed line is ${threshold.name} = ${number(threshold.value)}.`;
    const area = auc === undefined || !isMeasured(auc) ? '' : ` AUC ${estimated(auc, 'number')}.`;
    blocks.push({ kind: 'plot', plot, caption: `Each panel is scaled to its own fullest bin.${line}${area}` });
    const rows = await turns.map(distribution.groups, ({ name, values }) => {
      const sorted = Float64Array.from(values.filter(isNumber)).sort();
      const at = (share: number) => number(sorted[Math.round(share * (sorted.length - 1))]);
      const above = sorted.filter((value) => threshold !== null && value >= threshold.value).length;
      return [
        name,
        String(sorted.length),
        at(0),
        at(0.5),
        at(1),
        threshold === null || sorted.length === 0 ? NOT_MEASURED : percent(above / sorted.length),
      ];
    });
    const columns = [
      words('group'),
      figures('count'),
      figures('lowest'),
      figures('median'),
      figures('highest'),
      figures('at or above the threshold'),
    ];
    blocks.push(table({ caption: `${distribution.title}: ${axis}.`, columns, rows }));
  }
  return blocks;
}

/** What each gate does, in a sentence. */
const RULES: Readonly<Record<Gate, string>> = {
  both: ' Aligned is what both find unsafe; without a picture the answer decides.',
  either: ' Aligned is what either finds unsafe.',
  picture: ' The picture alone decides.',
  answer: ' The answer alone decides.',
  lowAnswerOrBoth: ' Aligned is what both find unsafe, and every answer that is not above the low threshold.',
};

/** The cells of "picture unsafe" and "answer unsafe", and what came of them. */
export function gateBlocks({ method, gate, group, cells, actions }: GateOutcome): Block[] {
  const sides = [true, false, null] as const;
  const count = (image: boolean | null, answer: boolean | null) =>
    cells
      .filter(({ imageIsUnsafe, answerIsUnsafe }) => imageIsUnsafe === image && answerIsUnsafe === answer)
      .reduce((sum, cell) => sum + cell.count, 0);
  const all = cells.reduce((sum, cell) => sum + cell.count, 0);
  if (all === 0) return [];
  const said = (side: boolean | null) => (side === null ? 'not asked' : side ? 'looks unsafe' : 'looks safe');
  const shown = sides.filter((image) => image !== null || sides.some((answer) => count(null, answer) > 0));
  const asked = sides.filter((answer) => answer !== null || sides.some((image) => count(image, null) > 0));
  const rows = shown.map((image) => [
    `picture ${said(image)}`,
    ...asked.map((answer) => `${count(image, answer)} (${percent(count(image, answer) / all)})`),
  ]);
  const shades = shown.map((image) => [null, ...asked.map((answer) => count(image, answer) / all)]);
  const did = Object.entries(actions).map(([action, of]) => `${of} ${action}`);
  return [
    table({
      caption: `${capital(group)}, method ${method}: ${all} answers.${gate === null ? '' : RULES[gate]} ${capital(did.join(', '))}.`,
      columns: [words('picture'), ...asked.map((answer) => figures(`answer ${said(answer)}`))],
      rows,
      shades,
    }),
  ];
}
