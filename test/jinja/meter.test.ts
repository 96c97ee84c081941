/** Templates written to fill the memory or to hold the thread: each is refused in a moment, in a process of little memory. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const grown = (change: string, use: string) =>
  `{% set ns = namespace(a=[1], b=[1], t='x') %}{% for i in range(64) %}{% set ${change} %}{% endfor %}{{ ${use} }}`;
const again = (value: string, use: string) =>
  `{% set v = ${value} %}{% for i in range(100000) %}{{ ${use} }}{% endfor %}`;
const long = "'x' * 10000000";
const many = 'range(100000)|list';

const HOSTILE: readonly string[] = [
  grown('ns.a = ns.a + ns.a', 'ns.a|length'),
  grown('ns.t = ns.t + ns.t', 'ns.t|length'),
  grown('ns.t = ns.t ~ ns.t', 'ns.t|length'),
  grown('ns.a = [ns.a, ns.a]', 'ns.a'),
  grown('ns.a = [ns.a, ns.a]', 'ns.a|tojson(indent=64)'),
  grown('ns.a = {"k": ns.a, "l": ns.a}', 'ns.a|tojson'),
  grown('ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b]', 'ns.a == ns.b'),
  grown('ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b]', 'ns.a < ns.b'),
  '{{ ([1] * 1000000 * 1000)|length }}',
  "{{ ('x' * 1000000 * 1000)|length }}",
  "{{ [] * 9007199254740991 }}{{ '' * 9007199254740991 }}",
  "{{ (['x' * 1000000] * 1000000)|join('y')|length }}",
  "{{ ', '.join(['x' * 1000000] * 1000000)|length }}",
  "{{ ('x' * 1000000)|replace('', 'y' * 1000000)|length }}",
  "{{ ('x' * 1000000).replace('x', 'y' * 1000000)|length }}",
  "{{ ('\\n' * 1000000)|indent(1000000, true, true)|length }}",
  "{{ 'x'|indent(9007199254740991) }}",
  '{{ [1]|tojson(indent=9007199254740991) }}',
  "{{ [[1] * 100000]|tojson(indent='x' * 100000) }}",
  "{{ ([1] * 100000)|tojson(separators=['x' * 100000, ':']) }}",
  '{{ range(9007199254740991)|length }}',
  ...[
    'v|upper|length',
    "v.strip('x')",
    'v[1:]',
    'v[0]',
    'v ~ i',
    "'y' in v",
    "v == 'y' ~ v",
    'v < v',
    'v|int',
    '[v]|tojson|length',
  ].map((use) => again(long, use)),
  ...[
    "v.split('x')",
    "v|replace('x', 'y')",
    'v|indent|length',
    'v|list|length',
    'v|capitalize',
    'v|trim',
    'v|default(v)',
  ].map((use) => again(long, use)),
  again("' ' * 10000000", 'v|trim'),
  again("'x ' * 5000000", 'v.split()'),
  ...[
    '-1 in v',
    'v|sort|length',
    'v[1:]|length',
    "v|select('none')|list",
    "v|map('string')|join",
    'v == v + [1]',
    '(v + v)|length',
  ].map((use) => again(many, use)),
  '{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}',
  `{% set v = ${many} %}{% for i in range(100000) %}{% for j in v if false %}{% endfor %}{% endfor %}`,
  "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m('x') }}",
  '{% set ns = namespace(a=[]) %}{% for i in range(100000) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a }}',
  '{% if t %}'.repeat(30_000) + '{% endif %}'.repeat(30_000),
  `{{ ${'('.repeat(30_000)}1${')'.repeat(30_000)} }}`,
  `{{ ${'1 + '.repeat(30_000)}1 }}`,
];

test('no template fills the memory or holds the thread', async () => {
  const child = fork(fileURLToPath(new URL('meter-child.ts', import.meta.url)), {
    execArgv: [...process.execArgv, '--max-old-space-size=512'],
  });
  try {
    child.send(HOSTILE);
    const [first] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    const outcomes = first as readonly { refusal: string; ms: number }[];
    assert.ok(Array.isArray(outcomes), `the process ended: ${String(first)}`);
    for (const [at, { refusal, ms }] of outcomes.entries()) {
      const shown = HOSTILE[at]?.slice(0, 160);
      assert.match(
        refusal,
        /^(TooManySteps|TemplateError): (the template takes more than|it is nested too deep)/,
        shown,
      );
      assert.ok(ms < 10_000, `${ms} ms: ${shown}`);
    }
  } finally {
    child.kill();
  }
});
