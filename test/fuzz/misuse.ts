/** What a person may write behind `npm run fuzz` and `npm run mutants`; what else comes is refused in a sentence. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

export class Misuse extends Error {}

/** `parseArgs`, whose refusals are a misuse. */
export function readArguments<Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const isRefusal = error instanceof Error && 'code' in error && /^ERR_PARSE_ARGS/.test(String(error.code));
    throw isRefusal ? new Misuse(error.message) : error;
  }
}

export function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new Misuse(`Expected a whole number from ${least} for ${flag}, received '${text}'.`);
}

/** The program's exit status: 2 and a sentence for a misuse; what else is thrown is a fault of the program's. */
export async function exitStatus(main: () => Promise<number>): Promise<number> {
  try {
    return await main();
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    console.error(error.message);
    return 2;
  }
}
