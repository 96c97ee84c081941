/** The constructs of chat templates, against what Jinja2 makes of them in Python. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { JinjaTemplate } from '../../src/jinja/index.js';
import { TemplateError } from '../../src/jinja/template-error.js';
import { REFUSALS } from './refusals.js';

interface Case {
  readonly template: string;
  readonly text?: string;
  /** The class of what Python threw. */
  readonly error?: string;
}

const golden = JSON.parse(
  readFileSync(new URL('../golden/chat-templates/constructs.json', import.meta.url), 'utf8'),
) as { readonly variables: Record<string, unknown>; readonly cases: readonly Case[] };

/** What is refused here and rendered there, and the reason. */
const reasons = new Map(
  Object.entries(REFUSALS).flatMap(([reason, templates]) => templates.map((template) => [template, reason] as const)),
);

/** A text, or why there is none. Any error but our own is a fault. */
function rendered({ template }: Case): { text: string } | { refused: string } {
  try {
    return { text: new JinjaTemplate(template).render(golden.variables) };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw new Error(`${template}: ${String(error)}`, { cause: error });
    return { refused: error.message };
  }
}

test('every construct gives the text that Python gives, or is refused', () => {
  assert.ok(golden.cases.length > 550);
  for (const one of golden.cases) {
    const reason = reasons.get(one.template);
    const received = rendered(one);
    if (reason !== undefined) assert.deepEqual(received, { refused: reason }, one.template);
    else if (one.text === undefined) assert.ok('refused' in received, `${one.template}: Python refuses it`);
    else assert.deepEqual(received, { text: one.text }, one.template);
  }
});

test('every refusal is of a construct that Python renders', () => {
  const known = new Set(golden.cases.filter(({ text }) => text !== undefined).map(({ template }) => template));
  assert.deepEqual(
    [...reasons.keys()].filter((template) => !known.has(template)),
    [],
  );
});
