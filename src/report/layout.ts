/** The whole report as sections: what was found first, how it was found last. */
import { phasePlot } from './bar-plot.js';
import { figureSections, safetyFirst } from './figures.js';
import { bytes, isMeasured, milliseconds, NOT_MEASURED, number, percent, points, pValue } from './numbers.js';
import type { Fact, ReportData } from './report-data.js';
import { type Block, figures, type Section, table, words } from './sections.js';
import { capital } from './texts.js';

export async function reportSections(data: ReportData): Promise<Section[]> {
  const sections: Section[] = [];
  const headlines = headlinesOf(data);
  if (headlines.length > 0) {
    sections.push({ id: 'glance', title: 'At a glance', blocks: [{ kind: 'list', items: headlines }] });
  }
  sections.push(...(await figureSections(data)));
  const times = await timeBlocks(data.times ?? []);
  if (times.length > 0) sections.push({ id: 'time', title: 'Time', blocks: times });
  const { examples = [] } = data;
  if (examples.length > 0) {
    const text =
      'The worst and the best answers, picked by rule, each under every method. They may hold harmful text and pictures, so each is closed until you open it; what is closed is not printed.';
    const blocks: Block[] = [
      { kind: 'text', text },
      { kind: 'examples', examples },
    ];
    sections.push({ id: 'examples', title: 'Examples', blocks });
  }
  sections.push({ id: 'run', title: 'How it was measured', blocks: runBlocks(data) });
  return sections;
}

/** One sentence for each measure, and what is missing. */
export function headlinesOf(data: ReportData): string[] {
  const found: string[] = [...(data.headlines ?? [])];
  for (const { measure, rows } of data.headlines === undefined ? safetyFirst(data.rates ?? []) : []) {
    const whole = rows.filter(({ category, estimate }) => category === null && isMeasured(estimate));
    const base = whole.find(({ method }) => method === 'vanilla') ?? whole[0];
    const best = whole.find(({ method }) => method === 'eta') ?? whole.at(-1);
    if (base === undefined || best === undefined) continue;
    const of = (row: typeof base) => `${percent(row.estimate.value)} with ${row.method}`;
    const paired = (data.differences ?? []).find(
      (one) => one.measure === measure && one.category === null && one.one === best.method && one.other === base.method,
    );
    const difference =
      paired === undefined
        ? ''
        : `: ${points(paired.difference, ' points')} on ${paired.difference.count} pairs, ${certainty(paired.pValue)}`;
    found.push(
      base === best
        ? `${capital(measure)}: ${of(base)} (${base.estimate.count} judged).`
        : `${capital(measure)}: ${of(base)}, ${of(best)}${difference}.`,
    );
  }
  const judged = (data.rates ?? []).flatMap(({ rows }) => rows.filter(({ category }) => category === null));
  const unjudged = judged.reduce((sum, { unjudgedCount }) => sum + unjudgedCount, 0);
  if (judged.length > 0) {
    const all = judged.reduce((sum, { estimate }) => sum + estimate.count, unjudged);
    found.push(`Unjudged: ${unjudged} of ${all} judgements. They are in no rate.`);
  }
  if (data.items !== undefined) {
    const failed = Object.entries(data.items.failed);
    const count = failed.reduce((sum, [, of]) => sum + of, 0);
    const why = count === 0 ? '' : ` (${failed.map(([code, of]) => `${of} ${code}`).join(', ')})`;
    found.push(`Items: ${number(data.items.count)}, of which ${count === 0 ? 'none' : count} failed${why}.`);
    const { cut } = data.items;
    if (cut !== undefined) {
      const told = Object.entries(cut).map(([method, of]) => `${of} under ${method}`);
      found.push(`Answers cut at the most tokens or the end of the context: ${told.join(', ') || 'none'}.`);
    }
  }
  return found;
}

async function timeBlocks(times: NonNullable<ReportData['times']>): Promise<Block[]> {
  const plot = await phasePlot('time', times);
  if (plot === null) return [];
  const base = times.find(({ method }) => method === 'vanilla')?.totalMs.median;
  const rows = times.map(({ method, count, totalMs, firstTextMs }) => [
    method,
    String(count),
    milliseconds(totalMs.median),
    milliseconds(totalMs.p90),
    milliseconds(totalMs.mean),
    milliseconds(firstTextMs?.median),
    base === undefined || base <= 0 ? NOT_MEASURED : `${number(totalMs.median / base)} ×`,
  ]);
  const columns = [
    words('method'),
    figures('answers'),
    figures('median'),
    figures('90th percentile'),
    figures('mean'),
    figures('first text, median'),
    figures('median, of vanilla'),
  ];
  return [
    {
      kind: 'plot',
      plot,
      caption: 'Means. Phases overlap and wait for each other, so they need not add up to the whole answer.',
    },
    table({ caption: 'Time of an answer, from the request to its end.', columns, rows }),
  ];
}

function runBlocks(data: ReportData): Block[] {
  const blocks: Block[] = [];
  if (data.command !== '') blocks.push({ kind: 'code', text: data.command });
  const notes = data.notes ?? [];
  if (notes.length > 0) blocks.push({ kind: 'list', items: notes });
  const started = Date.parse(data.startedAt);
  const tookMs = Date.parse(data.endedAt) - started;
  const group = (title: string, facts: Readonly<Record<string, Fact>>) => ({
    title,
    facts: Object.entries(facts).map(([name, value]) => [name, factText(value)] as const),
  });
  const machine = {
    ...data.machine,
    started: data.startedAt,
    ended: data.endedAt,
    ...(Number.isFinite(tookMs) ? { took: duration(tookMs) } : {}),
  };
  const groups = [group('Settings', data.settings), group('Versions', data.versions), group('Machine', machine)];
  blocks.push({ kind: 'facts', groups: groups.filter(({ facts }) => facts.length > 0) });
  if (data.files.length > 0) {
    const rows = data.files.map(({ role, name, sizeBytes, sha256 }) => [role, name, bytes(sizeBytes), sha256]);
    const columns = [words('file of'), words('name'), figures('bytes'), words('SHA-256')];
    blocks.push(table({ caption: 'Model files', columns, rows }));
  }
  return blocks;
}

function factText(value: Fact): string {
  if (value === null) return NOT_MEASURED;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  return Number.isInteger(value)
    ? String(value)
    : Number.isFinite(value)
      ? String(Number(value.toPrecision(6)))
      : NOT_MEASURED;
}

function duration(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 90) return `${seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function certainty(p: number | null): string {
  if (p === null) return 'none of which differs';
  const text = pValue(p);
  return text.startsWith('<') ? `p ${text}` : `p = ${text}`;
}
