/**
 * Runs programs, each with a HOME and a folder for temporary files of its own, and says on stdout what they left there and
 * how they ended. With `collector` it is inside a network and a mount namespace of its own: that name then leads to a
 * server on loopback that accepts and stays silent, and its connections are counted.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { programs, collector, lingerMs, limitMs } = JSON.parse(process.argv[2]);
const root = mkdtempSync(join(tmpdir(), 'eta-trap-'));
let connectionCount = 0;
let onConnection = () => undefined;

if (collector !== undefined) {
  const hosts = join(root, 'hosts');
  writeFileSync(hosts, `127.0.0.1 localhost ${collector}\n`);
  for (const [command, ...args] of [
    ['ip', 'link', 'set', 'lo', 'up'],
    ['mount', '--bind', hosts, '/etc/hosts'],
  ]) {
    if (spawnSync(command, args).status !== 0) throw new Error(`${command} ${args.join(' ')} fails here`);
  }
  const server = createServer((socket) => {
    connectionCount++;
    socket.on('error', () => undefined);
    onConnection();
  });
  await new Promise((resolve) => server.listen(443, '127.0.0.1', resolve));
}

async function run({ name, args, env, endsAtConnection }) {
  const home = join(root, name);
  const { CI: _ci, ORT_DISABLE_TELEMETRY: _off, XDG_CACHE_HOME: _cache, ...inherited } = process.env;
  const place = { HOME: home, USERPROFILE: home, TMPDIR: home, TMP: home, TEMP: home };
  mkdirSync(home);
  const startedAt = Date.now();
  const child = spawn(process.execPath, args, {
    env: { ...inherited, ...place, LINGER_MS: String(lingerMs), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // a group of its own, so that children of its own end with it
  });
  const kill = () => process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const killer = setTimeout(kill, limitMs);
  if (endsAtConnection) onConnection = kill;
  const [code, signal] = await new Promise((resolve) => child.on('close', (...ended) => resolve(ended)));
  clearTimeout(killer);
  const files = readdirSync(home, { recursive: true }).filter((path) => statSync(join(home, path)).isFile());
  return [name, { code, signal, wallMs: Date.now() - startedAt, files, stderr }];
}

const ended = Object.fromEntries(await Promise.all(programs.map(run)));
if (collector === undefined) rmSync(root, { recursive: true });
process.stdout.write(JSON.stringify({ connectionCount, ended }), () => process.exit(0));
