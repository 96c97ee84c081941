#!/usr/bin/env node
/** `npm run bench:peers:build`: llama-server, llama-bench and llama-mtmd-cli, for the benchmarks of bench/peers. */
import { join } from 'node:path';
import { runCommand } from './build/command.mjs';
import { PACKAGE_ROOT } from './build/llama.mjs';
import { buildPeers, findPeers, PEERS } from './build/peers.mjs';
import { BuildError } from './build/progress.mjs';

const USAGE = `Usage: npm run bench:peers:build [-- --find]

Compiles ${PEERS.join(', ')} from the source, with the patches and the flags of the addon's own libraries, once a
machine; prints the folder that they are in. Nothing is fetched and nothing is shipped: they are what bench/peers
measures against. With --find nothing is built: it prints the folder, or ends with 3 where they are not there. ETA_VLM_CACHE and ETA_VLM_CMAKE_FLAGS mean what they mean to npm run build.`;

async function main(args) {
  if (args.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const [first, ...others] = args;
  if (others.length > 0 || (first !== undefined && first !== '--find')) {
    throw new BuildError(`Expected --find or nothing, received ${JSON.stringify(args.join(' '))}.\n${USAGE}`, 2);
  }
  const folder = first === '--find' ? findPeers() : await buildPeers(join(PACKAGE_ROOT, 'build', 'peers.log'));
  process.stdout.write(`${folder}\n`);
}

await runCommand(main);
