/** What a user should know about an answer that no error tells: that the shipped miniature made it, about what it does not know. */
import { setImmediate } from 'node:timers/promises';
import type { LatePicture } from '../known-picture.js';
import { isOfDrawnWorld } from '../models/index.js';
import type { Notice } from '../types/notice.js';

const REAL_MODELS = `Real models: 'eta-vlm models list' shows those that can be fetched, "Real models" in the README tells the rest.`;

const OF_PICTURE: Notice = {
  code: 'ETA_MINIATURE',
  message: `the shipped miniature answers, a small model for demonstration that knows only its own drawings: about this picture its answer means nothing. ${REAL_MODELS}`,
};
const OF_TEXT: Notice = {
  code: 'ETA_MINIATURE',
  message: `the shipped miniature answers, a small model for demonstration that knows only its own drawn world: about anything else its answers mean nothing. ${REAL_MODELS}`,
};

/**
 * What is to be said of the miniature's answer about these pictures; null where all are drawings of its world. The event
 * loop gets its turn after each.
 */
export async function noticeOf(pictures: readonly Pick<LatePicture, 'pixels'>[]): Promise<Notice | null> {
  if (pictures.length === 0) return OF_TEXT;
  for (const picture of pictures) {
    if (!isOfDrawnWorld(await picture.pixels())) return OF_PICTURE;
    await setImmediate();
  }
  return null;
}

/** What of a notice is told once: of the miniature that it answers; of devices each that another evaluator cannot use. */
export function noticeKind({ code, message }: Notice): string {
  return code === 'ETA_EVALUATOR_DEVICE' ? message : code;
}

/** Tells the first notice of each kind as a warning of the process, and no other: a server answers many such requests. */
export function warnOnce(): (notice: Notice) => void {
  const told = new Set<string>();
  return (notice) => {
    const kind = noticeKind(notice);
    if (told.has(kind)) return;
    told.add(kind);
    process.emitWarning(notice.message, { type: 'EtaWarning', code: notice.code });
  };
}
