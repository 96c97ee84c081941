/** A process of another machine that writes results as it is told, a word a line on stdin; each is answered by a code. */
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { createInterface } from 'node:readline';
import { refusedLine } from '../../src/batch/answer-line.js';
import { ResultsFile } from '../../src/batch/index.js';
import { EtaError } from '../../src/errors.js';

const [, , path = '', seed = '1'] = process.argv;
let results: ResultsFile | undefined;
let line = 0;

/** From now on it stands still each time before a draft takes its name. */
function stopBeforeRenames(): void {
  const { rename } = promises;
  promises.rename = async (from, to) => {
    process.kill(process.pid, 'SIGSTOP');
    await rename(from, to);
  };
  syncBuiltinESMExports();
}

async function obey(word: string, id: string): Promise<void> {
  if (word === 'stop-before-renames') return stopBeforeRenames();
  results ??= await ResultsFile.open({ path, settings: { seed: Number(seed) }, resume: true });
  const error = { code: 'ERR_INVALID_LINE', message: 'by the distant writer' } as const;
  line++;
  if (word === 'add') await results.add(refusedLine({ id, line, digest: `d${line}`, error }));
  if (word === 'turn') await results.rewrite({ keeps: () => true, placeOf: (found) => -found.line });
  if (word === 'flush') await results.flush();
  if (word === 'close') await results.close();
}

for await (const text of createInterface({ input: process.stdin })) {
  const [word = '', id = ''] = text.split(' ');
  const said = await obey(word, id).then(
    () => 'done',
    (error: unknown) => (error instanceof EtaError ? error.code : String(error)),
  );
  process.stdout.write(`${said}\n`);
}
