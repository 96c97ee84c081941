/**
 * What lies beside the archive as real files, once the app is packed: all packages, and the process that uses them. The
 * system opens libraries and models by their paths, and cannot look into an archive. The process runs from there, so its
 * packages have to be there too, those without native code included.
 */
export const UNPACKED = ['node_modules', 'eta'];
