import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  distinctLabels,
  escapeHtml,
  escapeMarkdown,
  fenced,
  label,
  shortened,
  visible,
} from '../../src/report/texts.js';

test('what would reorder or hide is shown by its number', () => {
  assert.equal(visible('a\u202eb'), 'a⟨U+202E⟩b');
  assert.equal(visible('\u0000\u001b[31m'), '⟨U+0000⟩⟨U+001B⟩[31m');
  assert.equal(visible('x\u200by\ufeff'), 'x⟨U+200B⟩y⟨U+FEFF⟩');
  assert.equal(
    visible('می\u200cخواهم क्\u200dष 👩\u200d🔬'),
    'می\u200cخواهم क्\u200dष 👩\u200d🔬',
    'joiners of spelling',
  );
  assert.equal(visible('a\u200cb \u200d👩'), 'a⟨U+200C⟩b ⟨U+200D⟩👩');
  assert.equal(visible('می\u200fخواهم'), 'می⟨U+200F⟩خواهم');
  assert.equal(visible('\ud800!'), '⟨U+D800⟩!');
  assert.equal(visible('!\udc00'), '!⟨U+DC00⟩');
  assert.equal(visible('tag \u{e0041}'), 'tag ⟨U+E0041⟩');
});

test('what is text stays: line ends, tabs, accents, scripts from right to left, emoji', () => {
  const text = 'é\tא\nمرحبا 🙂 汉';
  assert.equal(visible(text), text);
  assert.equal(visible('a\r\nb\rc'), 'a\nb\nc');
});

test('HTML is escaped in text and in attributes', () => {
  assert.equal(escapeHtml(`<img src="x" onerror='y'>&`), '&lt;img src=&quot;x&quot; onerror=&#39;y&#39;&gt;&amp;');
});

test('Markdown is escaped: no table cell, heading, link or picture comes of it', () => {
  assert.equal(escapeMarkdown('a|b\n# c'), 'a\\|b # c');
  assert.equal(escapeMarkdown('![x](http://e.org/y.png)'), '!\\[x\\](http&#58;//e.org/y.png)');
  assert.equal(escapeMarkdown('<script>'), '&lt;script>');
  assert.equal(escapeMarkdown('- item'), '\\- item');
  assert.equal(escapeMarkdown('# heading'), '\\# heading');
  assert.equal(escapeMarkdown('1. item'), '1\\. item');
  assert.equal(escapeMarkdown('4.0 % of *all* _such_ snake_case'), '4.0 % of \\*all\\* \\_such\\_ snake_case');
  assert.equal(escapeMarkdown('see www.example.org'), 'see www&#46;example.org');
});

test('a fence is longer than any in the text', () => {
  assert.equal(fenced('a\n````\nb'), '`````text\na\n````\nb\n`````');
});

test('a text is cut between characters', () => {
  assert.deepEqual(shortened('ab🙂', 3), { text: 'ab', cut: 2 });
  assert.deepEqual(shortened('ab', 3), { text: 'ab', cut: 0 });
  assert.equal(label(`${'x'.repeat(50)}`, 10), 'xxxxxxxxx…');
  assert.equal(label(' a \n b ', 10), 'a b');
});

test('labels that are alike after shortening stay apart', () => {
  assert.deepEqual(distinctLabels(['abcdef', 'abcdxx', '', 'abcdyy'], 5), [
    'abcd…',
    'abcd… (2)',
    '(empty)',
    'abcd… (3)',
  ]);
});
