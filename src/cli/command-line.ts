/** The command as it was typed. */

/** What was typed, quoted where a shell needs it. */
export function commandLine(): string {
  const words = process.argv
    .slice(2)
    .map((word) => (/^[\w./:,=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return ['eta-vlm', ...words].join(' ');
}
