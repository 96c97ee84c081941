/** The example's list of licences: every package, what LGPL asks to be said, and its texts. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const example = fileURLToPath(new URL('../../examples/electron/', import.meta.url));

/** The example with packages of these names, `of` within another. */
class App {
  readonly folder = mkdtempSync(join(tmpdir(), 'eta-vlm-licences-'));

  constructor() {
    cpSync(example, this.folder, { recursive: true });
    rmSync(join(this.folder, 'start', 'licences.txt'), { force: true });
  }

  add(name: string, fields: object, files: Readonly<Record<string, string>> = {}, of = ''): void {
    const place = join(this.folder, of === '' ? '' : join('node_modules', of), 'node_modules', name);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), JSON.stringify({ name, ...fields }));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(place, file), text);
  }

  written(): string {
    execFileSync(process.execPath, [join(this.folder, 'licences.mjs')]);
    return readFileSync(join(this.folder, 'start', 'licences.txt'), 'utf8');
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

test('every package is told with its licence, libvips with where its source is', () => {
  using app = new App();
  const files = { LICENSE: 'Text of one.', 'ThirdPartyNotices.txt': 'Others.', 'index.js': 'no' };
  app.add('one', { version: '1.2.3', license: 'MIT' }, files);
  app.add('@img/sharp-libvips-linux-x64', { version: '1.3.0', license: 'LGPL-3.0-or-later' });
  app.add('nameless', { version: '0.0.1' });
  mkdirSync(join(app.folder, 'node_modules', '.bin'));
  mkdirSync(join(app.folder, 'node_modules', 'none'));
  const text = app.written();
  assert.match(text, /^one 1\.2\.3: MIT\n\nText of one\.\n\nOthers\.$/m);
  assert.match(text, /^nameless 0\.0\.1: no licence named$/m);
  assert.match(text, /^@img\/sharp-libvips-linux-x64 1\.3\.0: LGPL-3\.0-or-later\n\nThis app uses libvips/m);
  assert.match(text, /sharp-libvips\/tree\/v1\.3\.0$/m);
  assert.match(text, /GNU LESSER GENERAL PUBLIC LICENSE\n\s+Version 3/);
  assert.match(text, /GNU GENERAL PUBLIC LICENSE\n\s+Version 3/);
});

test("on Windows sharp's own package holds libvips, and it is said", () => {
  using app = new App();
  app.add('@img/sharp-win32-x64', { version: '0.35.5', license: 'Apache-2.0 AND LGPL-3.0-or-later' });
  app.add('@img/sharp-linux-x64', { version: '0.35.5', license: 'Apache-2.0' });
  const text = app.written();
  assert.match(text, /^@img\/sharp-win32-x64 0\.35\.5: [^\n]+\n\nThis app uses libvips/m);
  assert.match(text, /lie in @img\/sharp-win32-x64/);
  assert.match(text, /github\.com\/lovell\/sharp\/tree\/v0\.35\.5,\nwhose package\.json names .*lovell\/sharp-libvips/);
  assert.match(text, /^@img\/sharp-linux-x64 0\.35\.5: Apache-2\.0\n\n-/m);
});

test('packages within packages are told too, the same one once; links that lead round end', () => {
  using app = new App();
  app.add('one', { version: '2.0.0', license: 'MIT' });
  app.add('two', { version: '1.0.0', license: 'MIT' });
  app.add('one', { version: '1.0.0', license: 'ISC' }, { LICENSE: 'Older text.' }, 'two');
  app.add('@scope/three', { version: '3.0.0', license: 'BSD-3-Clause' }, {}, 'two');
  app.add('one', { version: '1.0.0', license: 'ISC' }, { LICENSE: 'Older text.' }, 'two/node_modules/@scope/three');
  const linked = join(app.folder, 'node_modules/two/node_modules/@scope/three/node_modules/two');
  symlinkSync(join(app.folder, 'node_modules/two'), linked, 'junction');
  const text = app.written();
  for (const told of [/^one 2\.0\.0: MIT$/gm, /^one 1\.0\.0: ISC\n\nOlder text\.$/gm, /^@scope\/three 3\.0\.0: BSD/gm])
    assert.equal(text.match(told)?.length, 1, String(told));
  assert.equal(text.match(/^two 1\.0\.0: MIT$/gm)?.length, 1);
});

test('the licences are there when the app starts', () => {
  using app = new App();
  app.add('one', { version: '1.2.3', license: 'MIT' });
  const bin = join(app.folder, 'node_modules', '.bin');
  mkdirSync(bin);
  // In the place of Electron: whether the file that the menu shows is there.
  const program = join(app.folder, 'started.cjs');
  writeFileSync(program, "require('fs').copyFileSync('start/licences.txt', 'seen.txt');");
  writeFileSync(join(bin, 'electron'), `#!/bin/sh\nexec "${process.execPath}" "${program}"\n`, { mode: 0o755 });
  writeFileSync(join(bin, 'electron.cmd'), `@"${process.execPath}" "${program}"\r\n`);
  execFileSync('npm', ['start'], { cwd: app.folder, stdio: 'pipe', shell: process.platform === 'win32' });
  assert.match(readFileSync(join(app.folder, 'seen.txt'), 'utf8'), /^one 1\.2\.3: MIT$/m);
});
