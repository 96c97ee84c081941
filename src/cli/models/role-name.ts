/** Parts of a set in words. */
import type { Role } from '../../models/index.js';

const NAMES: Readonly<Record<Role | 'rewardModel', string>> = {
  languageModel: 'language model',
  projector: 'projector',
  clip: 'CLIP',
  rewardModel: 'reward model',
  guard: 'guard',
  guardProjector: 'guard projector',
};

export function roleName(role: keyof typeof NAMES): string {
  return NAMES[role];
}
