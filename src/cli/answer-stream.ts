/** An answer on stdout as it comes; until then, what is going on, on stderr. */
import { EngineError } from '../errors.js';
import type { Eta, EtaRequest } from '../index.js';
import { columnsOf } from '../terminal/paint.js';
import { printAnswer } from '../terminal/print.js';
import { Progress } from '../terminal/progress.js';
import { WordWrap } from '../terminal/word-wrap.js';
import type { EtaEvent } from '../types/events.js';
import type { EtaResult } from '../types/result.js';
import { visible } from '../visible.js';

/**
 * Ends in a newline, also where the answer breaks off in an error.
 *
 * @throws what `stream` of an Eta throws; FileError ERR_FILE_WRITE for a stdout that cannot be written
 */
export async function streamAnswer(eta: Eta, request: EtaRequest): Promise<EtaResult> {
  const lines = process.stdout.isTTY ? new WordWrap(columnsOf(process.stdout)) : null;
  const progress = new Progress();
  let ending = '';
  try {
    progress.show('reading the question ...');
    for await (const event of eta.stream(request)) {
      if (event.type === 'text') {
        progress.clear();
        if (lines !== null) lines.columns = columnsOf(process.stdout); // the terminal may have another size by now
        printAnswer(lines === null ? event.text : lines.add(visible(event.text)));
        ending = event.text.at(-1) ?? ending;
      } else if (event.type === 'done') {
        printAnswer(lines?.end() ?? '');
        if (ending !== '\n') printAnswer('\n');
        return event.result;
      } else if (ending === '') progress.show(progressText(event));
    }
  } catch (error) {
    if (ending !== '') printAnswer(`${lines?.end() ?? ''}${ending === '\n' ? '' : '\n'}`);
    throw error;
  } finally {
    progress.clear();
  }
  throw new EngineError('ERR_DECODE', 'Expected the answer to end with its result, received none.');
}

function progressText(event: EtaEvent): string {
  if (event.type === 'picture')
    return event.judgement.isUnsafe ? 'the picture looks unsafe, answering ...' : 'answering ...';
  if (event.type === 'vanilla') return 'judging the answer ...';
  if (event.type === 'sentence') return 'judging the next sentence ...';
  if (event.type === 'answer')
    return event.judgement.isUnsafe ? 'the answer looks unsafe, aligning ...' : 'answering ...';
  if (event.type === 'round') return `aligning, round ${event.round.round + 1} ...`;
  if (event.type === 'rung' && event.rung.judgement.isUnsafe) return 'that is unsafe too, trying another way ...';
  return 'answering ...';
}
