/** Sentence-level best-of-N over forked KV caches. */
export {
  type SearchedAnswer,
  searchBestOfN,
  searchCellCount,
  searchRoomTokens,
  searchSequenceCount,
} from './best-of-n.js';
export type { CandidateJudge, SearchOptions } from './search-options.js';
export { type SentenceRule, sentencesByText, sentencesByToken } from './sentence.js';
export { StopTexts } from './stop-texts.js';
