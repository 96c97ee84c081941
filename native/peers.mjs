#!/usr/bin/env node
/** `npm run bench:peers:build`: llama-server, llama-bench and llama-mtmd-cli, for the benchmarks of bench/peers. */
import { join } from 'node:path';
import { runCommand } from './build/command.mjs';
import { PACKAGE_ROOT } from './build/llama.mjs';
import { buildPeers, PEERS } from './build/peers.mjs';
import { BuildError } from './build/progress.mjs';

const USAGE = `Usage: npm run bench:peers:build

Compiles ${PEERS.join(', ')} from the source, with the patches and the flags of the addon's own libraries, once a
machine; prints the folder that they are in. Nothing is fetched and nothing is shipped: they are what bench/peers
measures against. ETA_VLM_CACHE and ETA_VLM_CMAKE_FLAGS mean what they mean to npm run build.`;

async function main(args) {
  if (args.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  if (args.length > 0) throw new BuildError(`Expected no argument, received ${JSON.stringify(args[0])}.\n${USAGE}`, 2);
  process.stdout.write(`${await buildPeers(join(PACKAGE_ROOT, 'build', 'peers.log'))}\n`);
}

await runCommand(main);
