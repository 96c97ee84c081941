/** When a common beginning is worth keeping. */

/** Fewer shared tokens are not worth a fork or a lane, and would only cut a prompt's steps another way. */
export const LEAST_SHARED_TOKENS = 16;
