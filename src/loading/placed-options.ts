/** What parts are loaded with, once it is decided where. */
import type { Notice } from '../types/notice.js';
import type { ConversationForm } from '../types/turn.js';
import type { WorkGroup } from '../work-group.js';
import type { ResolvedDecision } from './decision.js';
import type { LoadProgress, ParsedLoadOptions } from './load-options.js';
import type { ResolvedVector } from './safety-vector.js';

/** Options with the place of the language model's layers decided. */
export interface PlacedOptions
  extends Omit<
    ParsedLoadOptions,
    'gpuLayerCount' | 'conversationForm' | 'decision' | 'safetyVector' | 'probe' | 'onNotice'
  > {
  readonly gpuLayerCount: number;
  readonly conversationForm: ConversationForm;
  readonly decision: ResolvedDecision | null;
  readonly safetyVector: ResolvedVector | null;
  /** GGUFs that loaded in a process of their own, which is not tried twice; gets those that do. Null: none is tried. */
  readonly probed: Set<string> | null;
  /** Whether the evaluators are those that thresholds belong to. @throws ModelError ERR_MODEL_MISMATCH */
  checkFiles(): Promise<void>;
  /** What it throws fails what is being loaded. */
  onNotice(notice: Notice): unknown;
}

/** A callback that throws fails the load; it may be called from where an exception would end the process. */
export function guarded(
  onProgress: ParsedLoadOptions['onProgress'],
  group: WorkGroup,
): (progress: LoadProgress) => void {
  return (progress) => {
    try {
      group.watch(onProgress?.(progress));
    } catch (error) {
      group.fail(error);
    }
  };
}
