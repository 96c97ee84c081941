/** What an experiment does when nobody says otherwise; code and command line read it here. */

/** Values of N that the overhead is taken at. */
export const CANDIDATE_COUNTS: readonly number[] = [1, 2, 3, 5, 8];

/** Requests of the endurance. */
export const ENDURANCE_REQUESTS = 2000;

/** CLIP scores that the search of the robustness may ask for, for each picture. */
export const QUERY_COUNT = 200;
