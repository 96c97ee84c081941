/** What is written: to a place of its own, whole, and with a word when it cannot be. */
export { checkApart, type Input, type Named, type Output } from './apart.js';
export { mayRun, removeDrafts } from './draft.js';
export { earlierAt, type FileEnds } from './earlier.js';
export type { LockHolder } from './lock-claim.js';
export { LockFile } from './lock-file.js';
export type { LockOptions } from './lock-watch.js';
export { identityOf, type Place, picturePath, placeOf } from './place.js';
export { refusedCall, unwritable } from './unwritable.js';
export { checkPlainFile, makeFolder, syncFolder, writeWhole } from './whole-file.js';
