/** What the check of comments has to see: a field, an option and a function without one. */

/** Told. */
export interface Told {
  /** Told. */
  readonly told: string;
  readonly untold: string;
}

/** Told. */
export interface ToldOptions {
  untoldOption?: number;
}

export function untoldFunction(told: Told): string {
  return told.told;
}
