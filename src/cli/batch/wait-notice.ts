/** What is told while another process writes the answers. */
import type { LockHolder } from '../../batch/index.js';
import { tell } from '../../terminal/output.js';
import { visibleName } from '../../visible.js';

/**
 * Tells of each process once.
 *
 * @param path of the answers
 * @param waits whether one that lives is waited for
 */
export function waitNotice(path: string, waits: boolean): (holder: LockHolder | null) => void {
  let told = '';
  return (holder) => {
    const who =
      holder === null
        ? 'Another process'
        : `Process ${holder.pid}${holder.isHere ? '' : ` on ${visibleName(holder.host)}`}`;
    if (who === told) return;
    told = who;
    const until = waits ? 'Waiting until it has ended' : 'Looking whether it is alive';
    const gone = holder?.isHere === true ? '' : '; where nothing is heard of it for a minute, it is taken for gone';
    tell(`${who} writes ${visibleName(path)}. ${until}${gone}.`, process.stderr);
  };
}
