/** CLIP: what the picture shows. */
export { Clip } from './clip.js';
export { cosine } from './cosine.js';
