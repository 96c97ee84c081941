/** Files from a model hub, and where they are kept; nothing of what is in them. */
export {
  type HubAddress,
  hubAddressText,
  isHubAddress,
  isRepoName,
  isSafePath,
  parseHubAddress,
  type RepoAddress,
} from './address.js';
export { HubClient } from './client.js';
export { damagedFiles } from './damage.js';
export { openStart } from './file-start.js';
export { fetchListing, type HubFile, type Listing } from './listing.js';
export { missingBytes, type PullOptions, type PullProgress, pullFiles } from './pull.js';
export { removeFiles } from './remove.js';
export { blobHash, cachedListing, RepoCache } from './repo-cache.js';
export { type HubSettings, hubSettings } from './settings.js';
export { checkNames, checkRoom, freeBytes } from './space.js';
export { WholeProgress } from './whole-progress.js';
