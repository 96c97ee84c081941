/** What keeps a response out of caches. */

/** Of what changes, or is one client's own, such as health, figures and errors: no browser and no proxy keeps it. */
export const NO_STORE = { 'cache-control': 'no-store' } as const;
