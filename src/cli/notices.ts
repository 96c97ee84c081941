/** What answers cannot say of themselves, each kind told once a command: see `onNotice` of loadEta. */
import { noticeKind } from '../eta/notice.js';
import type { Notice } from '../index.js';
import { tell } from '../terminal/output.js';
import { visible } from '../visible.js';

export class Notices {
  /** Answers about what the miniature does not know. */
  count = 0;
  readonly #isOfOwnWorld: boolean;
  readonly #seen = new Set<string>();
  readonly #untold: Notice[] = [];

  /** @param dataset what is asked; the miniature's own is of its world, requests without a picture too */
  constructor(dataset?: { readonly name: string }) {
    this.#isOfOwnWorld = dataset?.name === 'miniature';
  }

  /** For loadEta. */
  readonly add = (notice: Notice): void => {
    if (notice.code === 'ETA_MINIATURE') {
      if (this.#isOfOwnWorld) return;
      this.count++;
    }
    const kind = noticeKind(notice);
    if (!this.#seen.has(kind)) this.#untold.push(notice);
    this.#seen.add(kind);
  };

  /** Writes the first of each kind as one line, once. */
  tell(say: (line: string) => void = tell): void {
    for (const { message } of this.#untold.splice(0)) say(`eta-vlm: ${visible(message)}`);
  }
}
