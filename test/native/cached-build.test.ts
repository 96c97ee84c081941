/** What the builder keeps: whole or not at all, once, and the first of two. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';

interface Places {
  readonly source: string;
  readonly build: string;
  readonly done: string;
  readonly folder: string;
}

/** The builder has no types. */
const { cachedBuild } = (await import(new URL('../../native/build/cached-build.mjs', import.meta.url).href)) as {
  cachedBuild(
    wanted: { kind: string; key: string; mark?: string; log: string },
    build: (places: Places) => Promise<void>,
    unpack: (folder: string) => Promise<void>,
  ): Promise<string>;
};

const scratch = mkdtempSync(join(tmpdir(), 'eta-cached-build-'));
const root = join(scratch, 'llama.cpp');
const earlier = process.env['ETA_VLM_CACHE'];
before(() => {
  process.env['ETA_VLM_CACHE'] = scratch;
});
after(() => {
  if (earlier === undefined) delete process.env['ETA_VLM_CACHE'];
  else process.env['ETA_VLM_CACHE'] = earlier;
  rmSync(scratch, { recursive: true });
});

const unpack = async (folder: string) => {
  mkdirSync(folder, { recursive: true });
};
const wanted = (key: string) => ({ kind: 'test', key, log: join(scratch, 'log') });
const fill =
  (text: string) =>
  async ({ done }: Places) => {
    mkdirSync(done);
    writeFileSync(join(done, 'file'), text);
  };
const working = () => readdirSync(root).filter((name) => name.startsWith('.building-'));

test('it is built once, from the source, and nothing of the work is left', async () => {
  const folder = await cachedBuild(
    wanted('once'),
    async (places) => {
      assert.ok(existsSync(places.source));
      assert.equal(existsSync(places.folder), false, 'it is not there before it is whole');
      await fill('first')(places);
    },
    unpack,
  );
  assert.match(basename(folder), /^v\d.*-test-once$/);
  assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'first');
  assert.deepEqual(working(), []);
  assert.equal(await cachedBuild(wanted('once'), () => assert.fail('built again'), unpack), folder);
});

test('what fails is not kept, and the next one builds it', async () => {
  const fails = async (places: Places) => {
    await fill('half')(places);
    throw new TypeError('planted');
  };
  await assert.rejects(cachedBuild(wanted('failing'), fails, unpack), /planted/);
  const folder = await cachedBuild(wanted('failing'), fill('whole'), unpack);
  assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'whole');
});

test('of two at once the first to finish is kept', async () => {
  const folder = await cachedBuild(
    wanted('twice'),
    async (places) => {
      mkdirSync(places.folder);
      writeFileSync(join(places.folder, 'file'), 'first');
      await fill('second')(places);
    },
    unpack,
  );
  assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'first');
});

test('pieces of a folder with a mark stay when a build ends early, and it is built until the mark is there', async () => {
  const marked = { ...wanted('marked'), mark: 'complete' };
  const piece = async ({ folder }: Places) => {
    writeFileSync(join(folder, 'piece'), '');
    throw new TypeError('planted');
  };
  await assert.rejects(cachedBuild(marked, piece, unpack), /planted/);
  const rest = async ({ folder }: Places) => {
    assert.ok(existsSync(join(folder, 'piece')));
    writeFileSync(join(folder, 'complete'), '');
  };
  const folder = await cachedBuild(marked, rest, unpack);
  assert.equal(await cachedBuild(marked, () => assert.fail('built again'), unpack), folder);
});

test('work of a process that is gone is taken away, that of a living one stays', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const [gone, living] = [`.building-${pid}-x`, `.building-${process.ppid}-x`];
  for (const name of [gone, living]) mkdirSync(join(root, name));
  await cachedBuild(wanted('cleaning'), fill(''), unpack);
  assert.deepEqual(working(), [living]);
});
