/** The figures of a report as JSON. */
import type { ReportData } from './report-data.js';

/** The data as JSON, pictures left out; NaN becomes null. Scores keep six significant digits. */
export function metricsJson(data: ReportData): string {
  return [...metricsPieces(data)].join('');
}

/** The same piece by piece, each made when it is asked for. */
export function* metricsPieces(data: ReportData): Generator<string, void> {
  const { examples, distributions } = data;
  const shown = {
    ...data,
    ...(examples === undefined ? {} : { examples: examples.map((one) => ({ ...one, picture: null })) }),
    ...(distributions === undefined
      ? {}
      : {
          distributions: distributions.map((one) => ({
            ...one,
            groups: one.groups.map((group) => ({ ...group, values: rounded(group.values) })),
          })),
        }),
  };
  yield* jsonPieces(shown, '\n');
  yield '\n';
}

function* rounded(values: readonly number[]): Generator<number, void> {
  for (const value of values) yield Number(value.toPrecision(6));
}

/** As JSON.stringify with one blank for each depth; an iterable is a list. @param margin a newline and the blanks here */
function* jsonPieces(value: unknown, margin: string): Generator<string, void> {
  if (typeof value !== 'object' || value === null) {
    yield JSON.stringify(value) ?? 'null';
    return;
  }
  const isList = Symbol.iterator in value;
  const parts: Iterable<unknown> = isList ? (value as Iterable<unknown>) : Object.entries(value);
  const [open, close] = isList ? '[]' : '{}';
  let isEmpty = true;
  for (const part of parts) {
    const [name, inner] = isList ? ['', part] : (part as [string, unknown]);
    if (inner === undefined && !isList) continue;
    yield `${isEmpty ? open : ','}${margin} ${isList ? '' : `${JSON.stringify(name)}: `}`;
    yield* jsonPieces(inner, `${margin} `);
    isEmpty = false;
  }
  yield isEmpty ? `${open}${close}` : `${margin}${close}`;
}
