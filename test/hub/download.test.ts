/** Files of a hub over real connections, with all that goes wrong on the way. */
import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { damagedFiles, fetchListing, missingBytes, pullFiles, RepoCache } from '../../src/hub/index.js';
import { assertRight, clientOf, fetched, freshFolder } from './fixture.js';
import { bytesOf, SMALL } from './repos.js';
import { commitOf, type Fault, hashOf, type Seen, TestHub } from './server.js';

let hub: TestHub;
before(async () => {
  hub = await TestHub.start();
});
after(() => hub.stop());
beforeEach(() => {
  hub.reset();
  hub.add('acme/small', SMALL);
});

const model = SMALL.files['model.bin'] as Buffer;
const bytesSeen = () => hub.seen.filter(({ place }) => place === 'bytes');
/** Faults for the host of bytes, in turn; none after them. */
const inTurn = (...faults: readonly Fault[]) => {
  let count = 0;
  hub.fault = ({ place }: Seen) => (place === 'bytes' ? (faults[count++] ?? null) : null);
};

test('fetched: the layout of the hub’s own cache, with relative links, each file with its bytes', async () => {
  const folder = await freshFolder();
  const paths = await fetched(clientOf(hub, folder), 'acme/small');
  const commit = commitOf(SMALL);
  assert.equal(paths[0], join(folder, 'models--acme--small', 'snapshots', commit, 'model.bin'));
  for (const [at, bytes] of Object.values(SMALL.files).entries())
    assert.deepEqual(await readFile(paths[at] as string), bytes);
  assert.equal(await readFile(join(folder, 'models--acme--small/refs/main'), 'utf8'), commit);
  assert.equal(
    await readlink(paths[1] as string),
    `../../../blobs/${hashOf(SMALL.files['onnx/config.json'] as Buffer)}`,
  );
  const blobs = await readdir(join(folder, 'models--acme--small/blobs'));
  assert.deepEqual(blobs.sort(), Object.values(SMALL.files).map(hashOf).sort());
  await assertRight(folder, 'acme/small', SMALL.files);
});

test('what is there is not fetched again', async () => {
  const folder = await freshFolder();
  await fetched(clientOf(hub, folder), 'acme/small', ['model.bin']);
  hub.reset();
  await fetched(clientOf(hub, folder), 'acme/small');
  assert.deepEqual(
    bytesSeen().map(({ path }) => path.split('?')[0]),
    ['/acme/small/two.bin'],
  );
});

test('the token goes to the hub, and never to another host', async () => {
  const folder = await freshFolder();
  hub.add('acme/own', { ...SMALL, access: { kind: 'private', token: 'hf_secret' } });
  await fetched(clientOf(hub, folder, { HF_TOKEN: 'hf_secret' }), 'acme/own');
  assert.ok(bytesSeen().length > 0);
  for (const { place, authorisation } of hub.seen)
    assert.equal(authorisation, place === 'bytes' ? undefined : 'Bearer hf_secret', place);
});

test('a connection that is cut goes on from where it was', async () => {
  const folder = await freshFolder();
  inTurn({ cutAfter: 50_000 }, { cutAfter: 1 }, { cutAfter: 60_000 });
  const received: number[] = [];
  await fetched(clientOf(hub, folder), 'acme/small', ['model.bin'], {
    onProgress: ({ receivedBytes }) => received.push(receivedBytes),
  });
  const starts = bytesSeen().map(({ range }) => Number(/\d+/.exec(range ?? '0')?.[0]));
  assert.equal(starts.length, 4);
  for (const [at, start] of starts.entries()) assert.ok(at === 0 || start >= (starts[at - 1] ?? 0), `${starts}`);
  assert.ok((starts[3] ?? 0) > 50_000, `${starts}`);
  assert.deepEqual(
    received,
    [...received].sort((a, b) => a - b),
    'progress never goes back',
  );
  assert.equal(received.at(-1), model.length);
  await assertRight(folder, 'acme/small', SMALL.files);
});

test('cuts at many places, without a length too: always the right file', async () => {
  const folder = await freshFolder();
  let seed = 7;
  const random = (most: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % most;
  };
  for (let round = 0; round < 20; round++) {
    const files = { 'a.bin': bytesOf(`cuts ${round}`, 40_000 + random(60_000)) };
    hub.add(`acme/cuts-${round}`, { files });
    hub.fault = ({ place }) =>
      place === 'bytes' && random(3) > 0 ? { cutAfter: 1 + random(50_000), hasNoLength: random(2) === 0 } : null;
    await fetched(clientOf(hub, folder), `acme/cuts-${round}`);
    await assertRight(folder, `acme/cuts-${round}`, files);
  }
});

test('the next process goes on with the part of an earlier one', async () => {
  const folder = await freshFolder();
  const client = clientOf(hub, folder);
  const cache = new RepoCache(folder, 'acme/small');
  const { files } = await fetchListing(client, { repo: 'acme/small', revision: 'main' });
  const [file] = files;
  assert.ok(file);
  await cache.makeFolders();
  await writeFile(cache.partPath(file), model.subarray(0, 70_000));
  await fetched(client, 'acme/small', ['model.bin']);
  assert.deepEqual(
    bytesSeen().map(({ range }) => range),
    ['bytes=70000-'],
  );
  await assert.rejects(stat(cache.partPath(file)), { code: 'ENOENT' });
  await assertRight(folder, 'acme/small', SMALL.files);
});

for (const [what, part] of [
  ['of other bytes', bytesOf('other', 70_000)],
  ['of other bytes, as long as the file', bytesOf('other', model.length)],
  ['that is too long', Buffer.concat([model, Buffer.alloc(1)])],
] as const)
  test(`a part ${what} is thrown away, and the file fetched anew`, async () => {
    const folder = await freshFolder();
    const client = clientOf(hub, folder);
    const cache = new RepoCache(folder, 'acme/small');
    const listing = await fetchListing(client, { repo: 'acme/small', revision: 'main' });
    const file = listing.files[0];
    assert.ok(file);
    await cache.makeFolders();
    await writeFile(cache.partPath(file), part);
    await pullFiles(client, { revision: 'main', listing, files: [file] });
    await assertRight(folder, 'acme/small', SMALL.files);
    assert.ok(await cache.has(listing.commit, file));
  });

test('a host that heeds no range: from the beginning', async () => {
  const folder = await freshFolder();
  inTurn({ cutAfter: 50_000 }, { ignoresRange: true });
  await fetched(clientOf(hub, folder), 'acme/small', ['model.bin']);
  await assertRight(folder, 'acme/small', SMALL.files);
});

test('416: from the beginning, once; a host that always says so is given up', async () => {
  const folder = await freshFolder();
  inTurn({ cutAfter: 50_000 }, { status: 416 });
  await fetched(clientOf(hub, folder), 'acme/small', ['model.bin']);
  await assertRight(folder, 'acme/small', SMALL.files);
  hub.fault = ({ place }) => (place === 'bytes' ? { status: 416 } : null);
  await assert.rejects(fetched(clientOf(hub, folder), 'acme/small', ['two.bin']), {
    name: 'HubError',
    code: 'ERR_HUB_REPLY',
    message: /received status 416: it has no such bytes\. Run it again\./,
  });
});

test('another file at the host of bytes between tries: its tag differs, and nothing of the first is kept', async () => {
  const folder = await freshFolder();
  let count = 0;
  hub.fault = ({ place }) => {
    if (place !== 'bytes') return null;
    count++;
    return count === 1 ? { cutAfter: 50_000, headers: { etag: '"first"' } } : { headers: { etag: '"second"' } };
  };
  await fetched(clientOf(hub, folder), 'acme/small', ['model.bin']);
  assert.equal(bytesSeen()[1]?.ifRange, '"first"');
  await assertRight(folder, 'acme/small', SMALL.files);
});

test('5xx and resets: tried again, five times at most', async () => {
  const folder = await freshFolder();
  inTurn({ status: 503 }, { status: 500 }, { cutAfter: 0 });
  await fetched(clientOf(hub, folder), 'acme/small', ['model.bin']);
  assert.equal(bytesSeen().length, 4);
  hub.reset();
  hub.fault = ({ place }) => (place === 'bytes' ? { status: 503 } : null);
  await assert.rejects(fetched(clientOf(hub, folder), 'acme/small', ['two.bin']), {
    code: 'ERR_HUB_UNREACHABLE',
    message:
      /^Expected localhost:\d+, to which 127\.0\.0\.1:\d+ leads, to give "two\.bin" .*, received status 503\. Try again later/,
  });
  assert.equal(bytesSeen().length, 5);
});

test('an address of bytes that has expired: the hub is asked for another', async () => {
  const folder = await freshFolder();
  inTurn({ cutAfter: 50_000 }, { status: 403 });
  await fetched(clientOf(hub, folder), 'acme/small', ['model.bin']);
  assert.equal(hub.seen.filter(({ place }) => place === 'resolve').length, 3);
  hub.fault = ({ place }) => (place === 'bytes' ? { status: 403 } : null);
  await assert.rejects(fetched(clientOf(hub, folder), 'acme/small', ['two.bin']), {
    code: 'ERR_HUB_UNREACHABLE',
    message:
      /^Expected localhost:\d+, to which 127\.0\.0\.1:\d+ leads, to give "two\.bin" of acme\/small, received status 403\./,
  });
});

test('what the caller’s own function throws ends it, and is not taken for a broken connection', async () => {
  const folder = await freshFolder();
  const thrown = Object.assign(new Error('mine'), { code: 'ECONNRESET' });
  let count = 0;
  const onProgress = () => {
    if (++count > 2) throw thrown;
  };
  const pulled = fetched(clientOf(hub, folder), 'acme/small', ['model.bin'], { onProgress });
  await assert.rejects(pulled, (error) => error === thrown);
  assert.equal(bytesSeen().length, 1);
});

test('429: waits as long as it is told, and no longer than is reasonable', async () => {
  const folder = await freshFolder();
  const client = clientOf(hub, folder);
  inTurn({ status: 429, headers: { 'retry-after': '1' } });
  const startedAt = performance.now();
  await fetched(client, 'acme/small', ['two.bin']);
  const ms = performance.now() - startedAt;
  assert.ok(ms > 900, `waited ${ms} ms`);
  hub.reset();
  hub.fault = ({ place }) => (place === 'api' ? { status: 429, headers: { 'retry-after': '3600' } } : null);
  await assert.rejects(fetched(client, 'acme/small'), {
    code: 'ERR_HUB_BUSY',
    message: /received status 429: too many requests\. Try again in 3600 s.*With HF_TOKEN more requests/,
  });
  assert.equal(hub.seen.length, 1);
});

test('nothing comes any more: given up after the time that HF_HUB_DOWNLOAD_TIMEOUT says, tried again', async () => {
  const folder = await freshFolder();
  inTurn({ stallAfter: 30_000 }, { stallAfter: 0 });
  await fetched(clientOf(hub, folder, { HF_HUB_DOWNLOAD_TIMEOUT: '0.2' }), 'acme/small', ['model.bin']);
  await assertRight(folder, 'acme/small', SMALL.files);
  hub.fault = ({ place }) => (place === 'bytes' ? { stallAfter: 0 } : null);
  await assert.rejects(fetched(clientOf(hub, folder, { HF_HUB_DOWNLOAD_TIMEOUT: '0.1' }), 'acme/small', ['two.bin']), {
    code: 'ERR_HUB_UNREACHABLE',
    message: /^Expected localhost:\d+ to go on, received nothing for 0\.1 s\. Try again later: what was fetched stays/,
  });
});

test('a byte now and then is as good as none: given up, tried again, and not for ever', async () => {
  const folder = await freshFolder();
  const slow = { blockBytes: 1, blockMs: 10 };
  inTurn(slow, slow);
  const hasty = () => clientOf(hub, folder, { HF_HUB_DOWNLOAD_TIMEOUT: '0.2' });
  await fetched(hasty(), 'acme/small', ['model.bin']);
  assert.equal(bytesSeen().length, 3);
  await assertRight(folder, 'acme/small', SMALL.files);
  hub.reset();
  hub.fault = ({ place }) => (place === 'bytes' ? slow : null);
  await assert.rejects(fetched(hasty(), 'acme/small', ['two.bin']), {
    code: 'ERR_HUB_UNREACHABLE',
    message:
      /^Expected localhost:\d+ to give at least 1024 bytes a second, received \d+ in 0\.\d s\. Try again later: what was fetched stays\./,
  });
  assert.equal(bytesSeen().length, 5, 'what little came is no gain');
  hub.fault = ({ place }) => (place === 'bytes' ? { blockBytes: 200, blockMs: 20 } : null);
  await fetched(hasty(), 'acme/small', ['two.bin']); // slow, and fast enough
});

for (const [what, bytes, received] of [
  [
    'a page of text',
    Buffer.from(`<!DOCTYPE html><html>${'Welcome. '.repeat(300)}`),
    'one that begins with "<!DOCTYPE html><"',
  ],
  ['nothing', Buffer.alloc(0), 'an empty file'],
  ['three bytes', Buffer.from('GGU'), 'one that begins with "GGU"'],
] as const)
  test(`${what} that the hub announces as a GGUF, hash and length right: never in place`, async () => {
    hub.add('acme/page', { files: { 'x-Q4_K_M.GGUF': bytes, 'readme.md': bytes } });
    const folder = await freshFolder();
    const { message } = await fetched(clientOf(hub, folder), 'acme/page', ['x-Q4_K_M.GGUF']).then(
      () => assert.fail('it was taken'),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_HUB_CONTENT');
        return error;
      },
    );
    assert.ok(
      message.startsWith(
        `Expected "x-Q4_K_M.GGUF" of acme/page to be a GGUF, which begins with "GGUF", received ${received}. Nothing was put in place`,
      ),
      message,
    );
    assert.deepEqual(await readdir(join(folder, 'models--acme--page/blobs')), [], 'nor a part of it kept');
    await fetched(clientOf(hub, folder), 'acme/page', ['readme.md']);
  });

test('what was damaged since is found, fetched again and put in its place; what is right is left alone', async () => {
  const folder = await freshFolder();
  const client = clientOf(hub, folder);
  const paths = await fetched(client, 'acme/small');
  const listing = await fetchListing(client, { repo: 'acme/small', revision: 'main' });
  assert.deepEqual(await damagedFiles(folder, listing, listing.files, {}), []);
  for (const at of [0, 2]) {
    const bytes = await readFile(paths[at] as string);
    bytes[1] = (bytes[1] ?? 0) ^ 1;
    await writeFile(paths[at] as string, bytes);
  }
  const read: string[] = [];
  const damaged = await damagedFiles(folder, listing, listing.files, { onFile: (path) => read.push(path) });
  assert.deepEqual(damaged.map(({ path }) => path).sort(), ['model.bin', 'one.txt']);
  assert.equal(read.length, listing.files.length);
  assert.equal(await missingBytes(folder, listing, listing.files), 0);
  assert.equal(await missingBytes(folder, listing, listing.files, damaged), model.length + 3);
  hub.reset();
  await pullFiles(client, { revision: 'main', listing, files: listing.files }, { again: damaged });
  assert.equal(bytesSeen().length, 1);
  await assertRight(folder, 'acme/small', SMALL.files);
  await assert.rejects(damagedFiles(folder, listing, listing.files, { signal: AbortSignal.abort() }), {
    name: 'AbortError',
  });
});

for (const [what, fault, code, message] of [
  [
    'other bytes of the same length',
    { body: bytesOf('wrong', model.length) },
    'ERR_HUB_HASH',
    /^Expected "model\.bin" of acme\/small to have the hash [0-9a-f]{64}, as the hub announces it, received bytes of [0-9a-f]{64}\. Nothing was put in place/,
  ],
  [
    'fewer bytes, said so',
    { body: model.subarray(0, 1000) },
    'ERR_HUB_CHANGED',
    /to stay as it was listed \(200000 bytes, .*received 1000 bytes\. It was changed meanwhile: run it again/,
  ],
  ['more bytes, said so', { body: Buffer.concat([model, model]) }, 'ERR_HUB_CHANGED', /received 400000 bytes/],
  [
    'more bytes than announced, without a length',
    { body: Buffer.concat([model, model]), hasNoLength: true },
    'ERR_HUB_HASH',
    /to have 200000 bytes, as the hub announces it, received more\. Nothing was put in place/,
  ],
  [
    'fewer bytes, always, without a length',
    { body: Buffer.alloc(0), hasNoLength: true },
    'ERR_HUB_UNREACHABLE',
    /^Expected 200000 bytes of "model\.bin" from localhost:\d+, received 0 before the connection ended\. Run it again/,
  ],
] as const)
  test(`${what}: never in place, and said (${code})`, async () => {
    const folder = await freshFolder();
    hub.fault = ({ place }) => (place === 'bytes' ? fault : null);
    await assert.rejects(fetched(clientOf(hub, folder), 'acme/small', ['model.bin']), {
      name: 'HubError',
      code,
      message,
    });
    const cache = new RepoCache(folder, 'acme/small');
    assert.deepEqual(await readdir(join(cache.root, 'snapshots')).catch(() => []), []);
    assert.deepEqual(
      (await readdir(join(cache.root, 'blobs'))).filter((name) => !name.includes('.')),
      [],
    );
    hub.reset();
    await fetched(clientOf(hub, folder), 'acme/small', ['model.bin']);
    await assertRight(folder, 'acme/small', SMALL.files);
  });

test('a file that the hub itself names another hash for than its list did', async () => {
  const folder = await freshFolder();
  hub.fault = ({ place }) => (place === 'resolve' ? { headers: { 'x-linked-etag': `"${'0'.repeat(64)}"` } } : null);
  await assert.rejects(fetched(clientOf(hub, folder), 'acme/small', ['model.bin']), {
    code: 'ERR_HUB_CHANGED',
    message: /received the hash 0{64}/,
  });
});

test('a new commit: files that stayed are not fetched again, the old snapshot stays', async () => {
  const folder = await freshFolder();
  await fetched(clientOf(hub, folder), 'acme/small');
  hub.reset();
  const files = { ...SMALL.files, 'two.bin': bytesOf('two, newer', 4000) };
  hub.add('acme/small', { files });
  await fetched(clientOf(hub, folder), 'acme/small');
  assert.equal(bytesSeen().length, 1);
  const root = join(folder, 'models--acme--small');
  assert.deepEqual((await readdir(join(root, 'snapshots'))).sort(), [commitOf(SMALL), commitOf({ files })].sort());
  assert.equal(await readFile(join(root, 'refs/main'), 'utf8'), commitOf({ files }));
  await readFile(join(root, 'snapshots', commitOf(SMALL), 'two.bin'));
});

test('an abort ends it at once, and the part stays', async () => {
  const folder = await freshFolder();
  const controller = new AbortController();
  hub.fault = ({ place }) => (place === 'bytes' ? { blockMs: 20 } : null);
  const pulled = fetched(clientOf(hub, folder), 'acme/small', ['model.bin'], {
    signal: controller.signal,
    onProgress: ({ receivedBytes }) => receivedBytes > 30_000 && controller.abort(),
  });
  await assert.rejects(pulled, { name: 'AbortError', code: 'ERR_ABORTED' });
  const parts = await readdir(join(folder, 'models--acme--small/blobs'));
  assert.equal(parts.length, 1);
  assert.match(parts[0] ?? '', /^[0-9a-f]{64}\.eta-vlm\.incomplete$/);
  hub.reset();
  await fetched(clientOf(hub, folder), 'acme/small', ['model.bin']);
  assert.match(bytesSeen()[0]?.range ?? '', /^bytes=[1-9]\d+-$/);
  await assertRight(folder, 'acme/small', SMALL.files);
});

test('a link where the part lies is not followed: what it leads to stays as it is', async () => {
  const folder = await freshFolder();
  const blobs = join(folder, 'models--acme--small/blobs');
  await mkdir(blobs, { recursive: true });
  const victim = join(folder, 'victim.txt');
  await writeFile(victim, 'mine');
  await symlink(victim, join(blobs, `${hashOf(model)}.eta-vlm.incomplete`));
  await fetched(clientOf(hub, folder), 'acme/small', ['model.bin']);
  assert.equal(await readFile(victim, 'utf8'), 'mine');
  assert.ok(!(await lstat(join(blobs, hashOf(model)))).isSymbolicLink());
});

test('the check of what is in place can fail', async () => {
  const folder = await freshFolder();
  await fetched(clientOf(hub, folder), 'acme/small');
  await writeFile(join(folder, 'models--acme--small/snapshots', commitOf(SMALL), 'one.txt'), 'two');
  await assert.rejects(assertRight(folder, 'acme/small', SMALL.files));
});
