/** A pull that is killed, a hundred times, each time a moment later: whatever is in place is right, and it goes on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertRight, clientOf, fetched, freshFolder } from './fixture.js';
import { bytesOf } from './repos.js';
import { TestHub } from './server.js';

const KILLS = 60;
const FILES = { 'model.bin': bytesOf('killed', 400_000), 'config.json': Buffer.from('{}\n') };

let hub: TestHub;
before(async () => {
  hub = await TestHub.start();
  hub.add('acme/killed', { files: FILES });
});
after(() => hub.stop());

interface When {
  /** What the time is counted from: the start of the pull, or that bytes are asked for. */
  readonly since: 'start' | 'bytes';
  readonly afterMs: number;
}

/** Starts a pull and kills it; tells whether it had ended by itself. */
async function killed(folder: string, { since, afterMs }: When): Promise<boolean> {
  const index = JSON.stringify(new URL('../../dist/hub/index.js', import.meta.url).href);
  const script = `
    const { HubClient, hubSettings, fetchListing, pullFiles } = await import(${index});
    const client = new HubClient(hubSettings(${JSON.stringify(folder)}));
    console.log('begun');
    const listing = await fetchListing(client, { repo: 'acme/killed', revision: 'main' });
    await pullFiles(client, { revision: 'main', listing, files: listing.files });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, HF_ENDPOINT: hub.endpoint, HF_TOKEN: '', HF_HUB_OFFLINE: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  hub.seen.length = 0;
  await once(child.stdout, 'data');
  while (since === 'bytes' && child.exitCode === null && !hub.seen.some(({ place }) => place === 'bytes'))
    await sleep(1);
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  const [code, signal] = await closed;
  clearTimeout(timer);
  assert.ok(code === 0 || signal === 'SIGKILL', `it ended with ${code}, ${signal}`);
  return code === 0;
}

test(`${KILLS} kills: never a wrong file in place`, async () => {
  const folder = await freshFolder();
  const blobs = join(folder, 'models--acme--killed', 'blobs');
  hub.fault = ({ place }) => (place === 'bytes' ? { blockMs: 3 } : null);
  const found = { part: 0, whole: 0, ended: 0 };
  for (let count = 0; count < KILLS; count++) {
    const when: When =
      count % 5 === 0 ? { since: 'start', afterMs: count } : { since: 'bytes', afterMs: (count * 13) % 150 };
    if (await killed(folder, when)) found.ended++;
    await assertRight(folder, 'acme/killed', FILES);
    const names = await readdir(blobs).catch(() => []);
    const part = names.find((name) => name.endsWith('.incomplete'));
    if (part !== undefined && (await stat(join(blobs, part))).size > 0) found.part++;
    if (part === undefined && names.length > 0) {
      found.whole++;
      await rm(folder, { recursive: true, force: true }); // begin anew
    }
  }
  assert.ok(found.part > 10 && found.whole > 3, `the kills met too few states: ${JSON.stringify(found)}`);
  hub.reset();
  const paths = await fetched(clientOf(hub, folder), 'acme/killed');
  assert.equal(paths.length, 2);
  await assertRight(folder, 'acme/killed', FILES);
});
