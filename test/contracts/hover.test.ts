/** Hovering over what the package exports, and over each field of it, shows what it is: from the built declarations. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Editor } from './consumer.js';
import { typesWithoutName } from './mentions.js';
import { usesOfEverything } from './surface.js';

const editor = new Editor();
after(() => editor.close());

test('every export, and every field of it, is told what it is', () => {
  const places = usesOfEverything(editor);
  const names = new Set(places.map(({ name }) => name));
  for (const name of [
    'eta-vlm LoadEtaOptions.policy',
    'eta-vlm LoadEtaOptions.candidateCount',
    'eta-vlm EtaRequest.turns',
    'eta-vlm EtaResult.verdict',
    'eta-vlm Thresholds.safeReward',
    'eta-vlm EtaEvent.judgement',
    'eta-vlm EtaFacts.thresholdSources',
    'eta-vlm Eta.respond',
    'eta-vlm/engine DecodeOptions.sampler',
    'eta-vlm/engine Model.load',
    'eta-vlm/batch AnswerLine.usage',
    'eta-vlm/batch AnswerUsage.rewardTokenCount',
  ])
    assert.ok(names.has(name), `${name} was not looked at`);
  assert.deepEqual(
    places.filter(({ position }) => editor.hover(position) === '').map(({ name }) => name),
    [],
  );
});

test('every option that may be left out tells what holds then', () => {
  const options = usesOfEverything(editor).filter(
    ({ name, isOptional }) =>
      isOptional && /(Options|Request|Paths|Parts|Turn|Decisions|GivenThresholds)\.\w+$/.test(name),
  );
  assert.ok(options.length > 100, `only ${options.length} were looked at`);
  assert.deepEqual(
    options
      .filter(
        ({ name, position }) => !/\.(signal|on[A-Z]\w*)$/.test(name) && !editor.hover(position).includes('@default'),
      )
      .map(({ name }) => name),
    [],
  );
});

test('what is told of an option are meaning, range and default', () => {
  const text = "import { loadEta } from 'eta-vlm';\nawait loadEta({ candidateCount: 3 });\n";
  editor.open(text);
  assert.equal(
    editor.hover(text.indexOf('candidateCount')),
    'Candidates of each round of the search, N of best-of-N, 1 to 255. A request takes `candidateCount` + 1 sequences of\nthe context.\n@default 5',
  );
});

test('every type that an export speaks of has a name to import', () => {
  assert.deepEqual(typesWithoutName(editor), []);
});

test('the check sees a type that is made of its schema: its declaration has lost the comments', () => {
  editor.open(`
    import { z } from 'zod';
    export const schema = z.strictObject({
      /** Of a schema. */
      field: z.string(),
    });
    export type Derived = z.input<typeof schema>;
    export interface Written {
      /** Of an interface. */
      field: string;
    }
  `);
  const text = `${editor.declarations()}
    export const derived: Derived = { field: '' };
    export const written: Written = { field: '' };
  `;
  editor.open(text);
  const at = (name: string) => text.indexOf('field', text.indexOf(`const ${name}`));
  assert.deepEqual(editor.mistakes(), []);
  assert.equal(editor.hover(at('derived')), '');
  assert.equal(editor.hover(at('written')), 'Of an interface.');
});
