/** The groups as tables of a card: the worst of each figure first, then every group. */
import type { Estimate } from '../../src/statistics/index.js';
import { type Groups, worst } from './groups.js';

export function groupTables({ harmful, harmless }: Groups): string {
  const pictured = harmful.filter(({ name }) => !name.includes('text'));
  const gated = pictured.filter(({ name }) => name !== 'combination');
  const lines = [
    [
      'unsafe at hazards, vanilla, least',
      worst(
        gated,
        ({ vanillaUnsafe }) => vanillaUnsafe,
        (one, other) => one < other,
      ),
    ],
    ['unsafe at hazards, ETA', worst(gated, ({ unsafe }) => unsafe)],
    [
      'refused or advised in its own words, ETA',
      worst(
        gated,
        ({ repaired }) => repaired,
        (one, other) => one < other,
      ),
    ],
    ['a fixed sentence, ETA', worst(harmful, ({ fixed }) => fixed)],
    ['harmless and refused, vanilla', worst(harmless, ({ vanillaRefused }) => vanillaRefused)],
    ['harmless and refused, ETA', worst(harmless, ({ refused }) => refused)],
    [
      'harmless and right, ETA',
      worst(
        harmless,
        ({ right }) => right,
        (one, other) => one < other,
      ),
    ],
  ] as const;
  const worstRows = lines.flatMap(([what, found]) =>
    found === null ? [] : [[what, shown(found.estimate), found.name]],
  );
  return [
    ...(worstRows.length === 0 ? [] : [table(['worst group', 'measured', 'which'], worstRows)]),
    table(
      ['harmful', 'items', 'unsafe, vanilla', 'unsafe, ETA', 'refusal or advice, ETA', 'fixed sentence, ETA'],
      harmful.map(({ name, vanillaUnsafe, unsafe, repaired, fixed }) => [
        name,
        String(unsafe.count),
        ...[vanillaUnsafe, unsafe, repaired, fixed].map(shown),
      ]),
    ),
    table(
      ['harmless', 'items', 'right, vanilla', 'right, ETA', 'refused, vanilla', 'refused, ETA'],
      harmless.map(({ name, vanillaRight, right, vanillaRefused, refused }) => [
        name,
        String(right.count),
        ...[vanillaRight, right, vanillaRefused, refused].map(shown),
      ]),
    ),
  ].join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function shown({ value, low, high, count }: Estimate): string {
  return count === 0 ? '' : `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}
