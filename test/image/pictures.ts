/** Where the pictures of tests lie. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const pictures = fileURLToPath(new URL('../golden/evaluators/pictures/', import.meta.url));
export const photo = join(pictures, 'photo.jpg');
export const golden = fileURLToPath(new URL('../golden/image/', import.meta.url));
