/** What a hub refuses, what answers in its place, and what is said of each. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { fetchListing, hubSettings } from '../../src/hub/index.js';
import { retryAfterMs } from '../../src/hub/patience.js';
import { clientOf, fetched, freshFolder } from './fixture.js';
import { SMALL } from './repos.js';
import { type Fault, type Seen, TestHub } from './server.js';

let hub: TestHub;
before(async () => {
  hub = await TestHub.start();
  hub.add('acme/small', SMALL);
  hub.add('acme/gated', { ...SMALL, access: { kind: 'gated', token: 'hf_right' } });
  hub.add('acme/private', { ...SMALL, access: { kind: 'private', token: 'hf_right' } });
});
after(() => hub.stop());
beforeEach(() => hub.reset());

const from = (fault: Fault, place: Seen['place'] = 'api') => {
  hub.fault = (seen) => (seen.place === place ? fault : null);
};
const json = (value: unknown): Fault => ({ status: 200, body: Buffer.from(JSON.stringify(value)) });
const COMMIT = 'a'.repeat(40);
/** A hub whose list of files is this. */
const listing = (files: unknown) => () => {
  hub.fault = ({ path }) => json(path.includes('/tree/') ? files : { sha: COMMIT });
};

const REFUSED: readonly (readonly [
  what: string,
  prepare: () => void,
  wanted: { readonly repo?: string; readonly revision?: string; readonly env?: Readonly<Record<string, string>> },
  code: string,
  message: RegExp,
])[] = [
  [
    'no such model, as the hub tells those it does not know',
    () => undefined,
    { repo: 'acme/none' },
    'ERR_HUB_REFUSED',
    /^Expected acme\/none to be there for everybody, received status 401: there is no such model, or it is private\. Check owner and name; for a private one set HF_TOKEN\.$/,
  ],
  [
    'a private model, and a wrong token',
    () => undefined,
    { repo: 'acme/private', env: { HF_TOKEN: 'hf_wrong' } },
    'ERR_HUB_REFUSED',
    /to accept the token of HF_TOKEN for acme\/private, received status 401\. Check owner and name; make a new token/,
  ],
  [
    'a revision that is not there',
    () => undefined,
    { revision: 'v9' },
    'ERR_HUB_NOT_FOUND',
    /^Expected the revision "v9" of acme\/small at 127\.0\.0\.1:\d+, found none \(status 404\)\. Name a branch, a tag or a commit/,
  ],
  [
    'a page that is not there',
    () => from({ status: 404 }),
    {},
    'ERR_HUB_NOT_FOUND',
    /^Expected the model acme\/small at .*, found none \(status 404\)\. Check owner and name\.$/,
  ],
  [
    'a status that no hub gives',
    () => from({ status: 418 }),
    {},
    'ERR_HUB_REPLY',
    /^Expected the model acme\/small from .*, received status 418\. Check HF_ENDPOINT and the proxy/,
  ],
  [
    'a page of a hotel’s network',
    () => from({ status: 200, body: Buffer.from('<html>Welcome</html>') }),
    {},
    'ERR_HUB_REPLY',
    /^Expected JSON from 127\.0\.0\.1:\d+, received something else\. Check HF_ENDPOINT and the proxy: what answers there may be no hub\.$/,
  ],
  [
    'JSON of something else',
    () => from(json({ hello: 1 })),
    {},
    'ERR_HUB_REPLY',
    /the hub's list of acme\/small, .*sha: /,
  ],
  [
    'redirects without end',
    () => from({ status: 302, headers: { location: '/api/models/acme/small/revision/main' } }),
    {},
    'ERR_HUB_REPLY',
    /received more than 8 redirects/,
  ],
  [
    'a redirect to no address of the web',
    () => from({ status: 302, headers: { location: 'file:///etc/passwd' } }),
    {},
    'ERR_HUB_REPLY',
    /to lead to an address of the web, received another/,
  ],
  [
    'a path out of the folder',
    listing([{ type: 'file', path: '../../x', size: 1, oid: COMMIT }]),
    {},
    'ERR_HUB_REPLY',
    /list of acme\/small: "\.\.\/\.\.\/x", .*path: expected a path below the repository/,
  ],
  [
    'a file without a hash',
    listing([{ type: 'file', path: 'x', size: 1 }]),
    {},
    'ERR_HUB_REPLY',
    /list of acme\/small: "x", received something else: hash/,
  ],
  [
    'trouble that stays',
    () => from({ status: 502 }),
    {},
    'ERR_HUB_UNREACHABLE',
    /received status 502\. It is in trouble: try again later/,
  ],
  [
    'offline, by HF_HUB_OFFLINE',
    () => undefined,
    { env: { HF_HUB_OFFLINE: '1' } },
    'ERR_HUB_OFFLINE',
    /because HF_HUB_OFFLINE is set, but 127\.0\.0\.1:\d+ would have to be asked\. Take the variable away/,
  ],
];

for (const [what, prepare, { repo = 'acme/small', revision = 'main', env = {} }, code, message] of REFUSED)
  test(`${what}: ${code}`, async () => {
    prepare();
    const client = clientOf(hub, await freshFolder(), env);
    await assert.rejects(fetchListing(client, { repo, revision }), { name: 'HubError', code, message });
    if (code === 'ERR_HUB_OFFLINE') assert.deepEqual(hub.seen, [], 'no connection was opened');
  });

test('gated: the list is for everybody, the files for those who accepted its terms', async () => {
  const folder = await freshFolder();
  await assert.rejects(fetched(clientOf(hub, folder), 'acme/gated'), {
    code: 'ERR_HUB_REFUSED',
    message:
      /^Expected to be let into acme\/gated, which asks for its terms to be accepted, received status 401 \("Access to model acme\/gated is restricted.*"\)\. Accept them at http:\/\/127\.0\.0\.1:\d+\/acme\/gated, then set HF_TOKEN to a token of that account\.$/,
  });
  await assert.rejects(fetched(clientOf(hub, folder, { HF_TOKEN: 'hf_other' }), 'acme/gated'), {
    code: 'ERR_HUB_REFUSED',
    message: /received status 403 .*then run it again with the token of that account \(HF_TOKEN\)\.$/,
  });
  assert.equal((await fetched(clientOf(hub, folder, { HF_TOKEN: 'hf_right' }), 'acme/gated')).length, 5);
});

test('a file that is gone', async () => {
  from({ status: 404, headers: { 'x-error-code': 'EntryNotFound' } }, 'resolve');
  await assert.rejects(fetched(clientOf(hub, await freshFolder()), 'acme/small'), {
    code: 'ERR_HUB_NOT_FOUND',
    message:
      /^Expected the file "model\.bin" of acme\/small at .*\. See which files there are: http.*\/acme\/small\/tree\//,
  });
});

test('nobody answers, and a name that leads nowhere', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const folder = await freshFolder();
  const at = (endpoint: string) =>
    fetchListing(clientOf(hub, folder, { HF_ENDPOINT: endpoint }), { repo: 'a/b', revision: 'main' });
  await assert.rejects(at(`http://127.0.0.1:${port}`), {
    code: 'ERR_HUB_UNREACHABLE',
    message:
      /^Expected 127\.0\.0\.1:\d+ to be reached and to answer, but it failed: connect ECONNREFUSED.*Check the network, HF_ENDPOINT and the proxy/,
  });
  await assert.rejects(at('http://hub.invalid'), { code: 'ERR_HUB_UNREACHABLE', message: /ENOTFOUND|EAI_AGAIN/ });
});

test('variables that say nothing', () => {
  const wrong = (env: Readonly<Record<string, string>>) => () => hubSettings('x', env);
  assert.throws(wrong({ HF_ENDPOINT: 'hub' }), {
    code: 'ERR_INVALID_OPTION',
    message: /^HF_ENDPOINT: expected the address of a hub, such as https:\/\/huggingface\.co, received "hub"/,
  });
  assert.throws(wrong({ HF_ENDPOINT: 'ftp://hub' }), { code: 'ERR_INVALID_OPTION' });
  for (const seconds of ['x', '0', '-1', '1e9'])
    assert.throws(wrong({ HF_HUB_DOWNLOAD_TIMEOUT: seconds }), {
      message: /HF_HUB_DOWNLOAD_TIMEOUT: expected seconds/,
    });
});

test('Retry-After: seconds, a date, or nothing', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(retryAfterMs('2'), 2000);
  assert.equal(retryAfterMs('Thu, 01 Jan 2026 00:00:03 GMT', now), 3000);
  assert.equal(retryAfterMs('Wed, 31 Dec 2025 00:00:03 GMT', now), 0);
  assert.equal(retryAfterMs('soon'), null);
  assert.equal(retryAfterMs(undefined), null);
});
