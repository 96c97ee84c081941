/** What a benchmark does when nobody says otherwise; code and command line read it here. */
import type { Method } from '../types/policy.js';

/** What is compared; the first is what the others are held against. */
export const COMPARED_METHODS: readonly Method[] = ['vanilla', 'eta'];

/** Of the methods that draw. */
export const SEEDS = [1] as const;
