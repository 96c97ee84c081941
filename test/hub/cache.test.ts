/** The cache: where it is, that others' clients find and leave what ours does, without links, and two pulls at once. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { homedir, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { cachedListing, fetchListing, hubSettings, pullFiles, RepoCache, removeFiles } from '../../src/hub/index.js';
import { packageRoot } from '../cli/command.js';
import { assertRight, clientOf, fetched, freshFolder, layoutOf } from './fixture.js';
import { bytesOf, SMALL } from './repos.js';
import { commitOf, TestHub } from './server.js';

let hub: TestHub;
before(async () => {
  hub = await TestHub.start();
});
after(() => hub.stop());
beforeEach(() => {
  hub.reset();
  hub.add('acme/small', SMALL);
});

test('where it is: the first variable that is set', () => {
  const at = (env: Readonly<Record<string, string>>) => hubSettings(undefined, env).folder;
  const all = { LLAMA_CACHE: '/a', HF_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' };
  assert.equal(at(all), '/a');
  assert.equal(at({ ...all, LLAMA_CACHE: '' }), '/b');
  assert.equal(at({ HF_HOME: '/c', XDG_CACHE_HOME: '/d' }), '/c/hub');
  assert.equal(at({ XDG_CACHE_HOME: '/d' }), '/d/huggingface/hub');
  assert.equal(at({}), join(homedir(), '.cache/huggingface/hub'));
  assert.equal(at({ HF_HOME: '~/h' }), join(homedir(), 'h/hub'));
  assert.equal(hubSettings('/own', all).folder, '/own');
});

/** As Python's own client left it; test/golden/hub/record.py made it. */
const RECORD = JSON.parse(fs.readFileSync(join(packageRoot, 'test/golden/hub/python-cache.json'), 'utf8')) as {
  readonly entries: Readonly<Record<string, string>>;
};

/** Large files are told by their hash: those of the repository, and a list of Python's own, which nobody reads here. */
function bytesHeld(held: string): Buffer {
  const [form, value = ''] = held.split(' ');
  if (form === 'base64') return Buffer.from(value, 'base64');
  const known = Object.values(SMALL.files).find((bytes) => createHash('sha256').update(bytes).digest('hex') === value);
  return known ?? Buffer.from('{}');
}

async function writeLayout(folder: string, entries: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, held] of Object.entries(entries)) {
    const place = join(folder, path);
    await mkdir(dirname(place), { recursive: true });
    if (held.startsWith('-> ')) await symlink(held.slice(3), place);
    else await writeFile(place, bytesHeld(held));
  }
}

test('what Python’s client fetched is used: nothing is fetched again, and it is known without a connection', async () => {
  const folder = await freshFolder();
  await writeLayout(folder, RECORD.entries);
  const listing = await cachedListing(folder, { repo: 'acme/small', revision: 'main' });
  assert.deepEqual(listing?.files.map(({ path }) => path).sort(), Object.keys(SMALL.files).sort());
  assert.equal(listing?.commit, commitOf(SMALL));
  await fetched(clientOf(hub, folder), 'acme/small');
  assert.deepEqual([...new Set(hub.seen.map(({ place }) => place))], ['api']);
  await assertRight(folder, 'acme/small', SMALL.files);
});

test('what ours fetched lies as Python’s client lays it', async () => {
  const folder = await freshFolder();
  await fetched(clientOf(hub, folder), 'acme/small');
  const own = await layoutOf(join(folder, 'models--acme--small'));
  const theirs = Object.entries(RECORD.entries)
    .filter(([path]) => /^models--acme--small\/(blobs|refs|snapshots)\//.test(path))
    .map(([path, held]) => [path.replace('models--acme--small/', ''), held] as const);
  assert.ok(theirs.length >= 11, `only ${theirs.length} entries are recorded`);
  for (const [path, held] of theirs) assert.equal(own[path], held, path);
  const more = Object.keys(own).filter((path) => !theirs.some(([name]) => name === path));
  assert.deepEqual(more, [`.eta-vlm/${commitOf(SMALL)}.json`]);
});

/** Makes the system refuse links, as some file systems and Windows do. */
async function without(names: readonly ('symlink' | 'link')[], work: () => Promise<void>): Promise<void> {
  const original = { ...fs.promises };
  for (const name of names)
    fs.promises[name] = () =>
      Promise.reject(Object.assign(new Error(`EPERM: no ${name}`), { code: 'EPERM', syscall: name }));
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    Object.assign(fs.promises, original);
    syncBuiltinESMExports();
  }
}

for (const [what, names] of [
  ['without symbolic links', ['symlink']],
  ['without any links', ['symlink', 'link']],
] as const)
  test(`a file system ${what}: the files are there, are used again, and are removed`, async () => {
    const folder = await freshFolder();
    await without(names, async () => {
      await assert.rejects(fs.promises.symlink('a', join(folder, 'b')), { code: 'EPERM' });
      const client = clientOf(hub, folder);
      const paths = await fetched(client, 'acme/small');
      for (const [at, bytes] of Object.values(SMALL.files).entries()) {
        assert.ok(fs.lstatSync(paths[at] as string).isFile());
        assert.deepEqual(await readFile(paths[at] as string), bytes);
      }
      hub.reset();
      const listing = await fetchListing(client, { repo: 'acme/small', revision: 'main' });
      await pullFiles(client, { revision: 'main', listing, files: listing.files });
      assert.ok(hub.seen.every(({ place }) => place === 'api'));
      await removeFiles(folder, listing, listing.files);
      assert.equal(fs.existsSync(join(folder, 'models--acme--small')), false);
    });
  });

test('removed: what another snapshot has stays, and what is left of the rest is nothing', async () => {
  const folder = await freshFolder();
  const client = clientOf(hub, folder);
  await fetched(client, 'acme/small');
  const old = await fetchListing(client, { repo: 'acme/small', revision: 'main' });
  const files = { ...SMALL.files, 'two.bin': bytesOf('newer', 5000) };
  hub.add('acme/small', { files });
  await fetched(client, 'acme/small');
  const byteCount = await removeFiles(folder, old, old.files);
  assert.equal(byteCount, 3000);
  const now = await fetchListing(client, { repo: 'acme/small', revision: 'main' });
  const cache = new RepoCache(folder, 'acme/small');
  for (const file of now.files) assert.ok(await cache.has(now.commit, file), file.path);
  await removeFiles(folder, now, now.files);
  assert.equal(fs.existsSync(cache.root), false);
});

/** A process that fetches model.bin, says how it ended, and ends. */
function puller(folder: string): ChildProcess {
  const index = JSON.stringify(new URL('../../dist/hub/index.js', import.meta.url).href);
  const script = `
    const { HubClient, hubSettings, fetchListing, pullFiles } = await import(${index});
    const client = new HubClient(hubSettings(${JSON.stringify(folder)}));
    const listing = await fetchListing(client, { repo: 'acme/small', revision: 'main' });
    const waits = new Set();
    const files = listing.files.filter(({ path }) => path === 'model.bin');
    await pullFiles(client, { revision: 'main', listing, files }, { onProgress: ({ waitsFor }) => waits.add(waitsFor !== null) });
    console.log(waits.has(true) ? 'waited' : 'fetched');`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, HF_ENDPOINT: hub.endpoint, HF_TOKEN: '', HF_HUB_OFFLINE: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function saidBy(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (part: Buffer) => {
    text += part;
  });
  await once(child, 'close');
  return text.trim();
}

test('two processes at once: one fetches, the other waits and finds it', async () => {
  const folder = await freshFolder();
  hub.fault = ({ place }) => (place === 'bytes' ? { blockMs: 60 } : null);
  const said = await Promise.all([saidBy(puller(folder)), saidBy(puller(folder))]);
  assert.deepEqual(said.sort(), ['fetched', 'waited']);
  assert.equal(hub.seen.filter(({ place }) => place === 'bytes').length, 1);
  await assertRight(folder, 'acme/small', SMALL.files);
});

test('a lock of a process that was killed is nobody’s; one of another machine is waited for', async () => {
  const folder = await freshFolder();
  hub.fault = ({ place }) => (place === 'bytes' ? { blockMs: 60 } : null);
  const child = puller(folder);
  while (!hub.seen.some(({ place }) => place === 'bytes')) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill('SIGKILL');
  await once(child, 'close');
  hub.reset();
  const client = clientOf(hub, folder);
  await fetched(client, 'acme/small', ['model.bin']);
  const cache = new RepoCache(folder, 'acme/small');
  const listing = await fetchListing(client, { repo: 'acme/small', revision: 'main' });
  const two = listing.files.find(({ path }) => path === 'two.bin');
  assert.ok(two);
  // of another machine, which may be at it: it is waited for
  const claim = { pid: 1, host: `not-${hostname()}`, place: 'elsewhere', startedAt: null, nonce: '0123456789ab' };
  await writeFile(cache.lockPath(two), `${JSON.stringify(claim)}\n`);
  const waits = new AbortController();
  const waiting = pullFiles(
    client,
    { revision: 'main', listing, files: [two] },
    { signal: waits.signal, onProgress: ({ waitsFor }) => waitsFor === 1 && waits.abort() },
  );
  await assert.rejects(waiting, { name: 'AbortError' });
  await rm(cache.lockPath(two));
  await fetched(client, 'acme/small', ['two.bin']);
});
