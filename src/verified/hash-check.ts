/** How much is believed of a file whose SHA-256 is known. */
import { z } from 'zod';

/**
 * `true`: every file is hashed. `false`: its size alone is looked at. `'changed'`: a file is hashed unless it is the one,
 * unchanged, that was hashed before: that is remembered in the user's cache folder.
 */
export type HashCheck = boolean | 'changed';

export const hashCheckSchema = z.union([z.boolean(), z.literal('changed')], "expected true, false or 'changed'");
