/** What a batch does when nobody says otherwise; code, command line and documents read it here. */

/** Requests at once; docs/batch.md has the measurements. */
export const CONCURRENCY = 8;

/** What seeds are derived from: a batch is repeatable unless it is told not to be. */
export const BATCH_SEED = 1;
