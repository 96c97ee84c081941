/** What sanitizers wrote, one file a process, told apart by kind and place. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How each report begins; undefined behaviour has its place in the same line. */
const UNDEFINED = /^(\S+?):(\d+):\d+: runtime error: (.*)$/;
const BEGINNING =
  /^(?:==\d+==)?(?:ERROR|WARNING): (\w+Sanitizer): (.*?)(?: \(pid=\d+\)| on address| on unknown address|$)/;
const FRAME = /^\s+#\d+ .*\s(\/(?!usr\/)\S+?):(\d+)/;

/**
 * @param {string} folder of the reports
 * @param {string} root of the package
 * @returns {{ what: string, where: string, isOurs: boolean, count: number }[]} the commonest first
 */
export function reportsIn(folder, root) {
  const found = new Map();
  for (const name of readdirSync(folder)) {
    for (const report of reportsOf(readFileSync(join(folder, name), 'utf8'))) {
      const where = report.where.replace(`${root}/`, '').replace(/^.*\/source\//, 'llama.cpp/');
      const key = `${report.what} ${where}`;
      const known = found.get(key) ?? { what: report.what, where, isOurs: where.startsWith('native/'), count: 0 };
      found.set(key, { ...known, count: known.count + 1 });
    }
  }
  return [...found.values()].sort((one, other) => other.count - one.count);
}

/**
 * Each with the first frame in a file that is not the system's.
 *
 * @param {string} text
 */
function* reportsOf(text) {
  let what;
  for (const line of text.split('\n')) {
    const undefinedAt = UNDEFINED.exec(line);
    if (undefinedAt !== null) yield { what: undefinedAt[3], where: `${undefinedAt[1]}:${undefinedAt[2]}` };
    const beginning = BEGINNING.exec(line);
    if (beginning !== null) {
      if (what !== undefined) yield { what, where: 'no line' };
      what = `${beginning[1]}: ${beginning[2]}`;
    }
    const frame = FRAME.exec(line);
    if (what === undefined || frame === null) continue;
    yield { what, where: `${frame[1]}:${frame[2]}` };
    what = undefined;
  }
  if (what !== undefined) yield { what, where: 'no line' };
}
