/** Imported first: the process is on another machine, as far as a lock tells. */
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

const { readlink } = promises;

promises.readlink = async (path, ...others) =>
  path === '/proc/self/ns/pid' ? 'pid:[elsewhere]' : await readlink(path, ...others);
os.hostname = () => 'elsewhere';
syncBuiltinESMExports();
