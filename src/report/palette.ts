/**
 * Colours of a report. Each has a name, and two values: for a light and for a dark page. All stand out from the page by a
 * contrast of at least 3, and stay apart for eyes that lack one kind of cone; no plot tells things by colour alone.
 */

/** One page: light (also on paper) or dark. */
export type Scheme = 'light' | 'dark';

/** Colours of methods: the same in every plot of every report. */
const METHOD_COLOURS = {
  vanilla: { light: '#767676', dark: '#909090' },
  pre: { light: '#b43cf0', dark: '#f5c6f0' },
  post: { light: '#d62a12', dark: '#e0432a' },
  shallow: { light: '#5598cc', dark: '#56b4e9' },
  deep: { light: '#14492c', dark: '#b6e052' },
  eta: { light: '#0b4fb0', dark: '#3f74f0' },
} as const;

/** For series that are no methods, in the order in which they come. */
const OTHER_COLOURS = {
  'other-1': { light: '#8a6a00', dark: '#e6c65c' },
  'other-2': { light: '#00798c', dark: '#4fd0c8' },
  'other-3': { light: '#9c2f6f', dark: '#ff8fc8' },
  'other-4': { light: '#4b5a6a', dark: '#c8d2dc' },
} as const;

/** Classes of scores, and the ink of plots. */
const ROLE_COLOURS = {
  safe: { light: '#2b7bba', dark: '#62a9e0' },
  unsafe: { light: '#c4500f', dark: '#f08a4b' },
  other: { light: '#767676', dark: '#a8a8a8' },
  ink: { light: '#1c1e21', dark: '#e8eaed' },
  quiet: { light: '#5c6168', dark: '#a9afb7' },
  grid: { light: '#e3e6ea', dark: '#33383f' },
  rule: { light: '#9aa1a9', dark: '#6c737c' },
  page: { light: '#ffffff', dark: '#15171b' },
  panel: { light: '#f5f6f8', dark: '#1e2126' },
} as const;

export const COLOURS: Readonly<Record<string, Readonly<Record<Scheme, string>>>> = {
  ...METHOD_COLOURS,
  ...OTHER_COLOURS,
  ...ROLE_COLOURS,
};

/** A colour by name, as CSS takes it: the page decides which of the two it is. */
export function colour(name: keyof typeof ROLE_COLOURS): string {
  return `var(--${name})`;
}

/** A colour for each series, by name: methods have their own. */
export function seriesColours(names: readonly string[]): string[] {
  const others = Object.keys(OTHER_COLOURS);
  let next = 0;
  return names.map((name) => {
    if (Object.hasOwn(METHOD_COLOURS, name)) return `var(--${name})`;
    return `var(--${others[next++ % others.length] ?? 'other-1'})`;
  });
}

/** CSS declarations of every colour for one scheme. */
export function colourDeclarations(scheme: Scheme): string {
  return Object.entries(COLOURS)
    .map(([name, value]) => `--${name}:${value[scheme]}`)
    .join(';');
}

/** The text with every `var(--name)` as its value in the light scheme, for files that no style sheet reaches. */
export function withLightColours(text: string): string {
  return text.replace(/var\(--([a-z0-9-]+)\)/g, (whole, name: string) => COLOURS[name]?.light ?? whole);
}
