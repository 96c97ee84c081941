/** What tells whether models that are loaded a second time are still the ones that were loaded first. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelError } from '../errors.js';
import { type ResolvedModels, textGraphOf } from '../models/index.js';
import type { ResolvedDecision } from './decision.js';

interface Mark {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/**
 * Size and time of the GGUFs and of the evaluators' manifests. The manifests name the hashes of all other files; loading
 * checks them, unless `verifyHashes` is false: then another file of the same size is not noticed.
 */
export class FileMarks {
  readonly #marks: readonly Mark[];

  static async of(models: ResolvedModels, decision: ResolvedDecision | null = null): Promise<FileMarks> {
    const folders = [models.clip, models.rewardModel].flatMap((folder) => (folder === null ? [] : [folder]));
    const { guard = null, guardProjector = null } = decision?.files ?? {};
    const files = [models.languageModel, models.projector, guard, guardProjector].filter((file) => file !== null);
    const paths = [...files, ...folders.flatMap(marked)];
    const marks = await Promise.all(paths.map(markOf));
    return new FileMarks(marks.filter((mark) => mark !== null));
  }

  private constructor(marks: readonly Mark[]) {
    this.#marks = marks;
  }

  /**
   * Thresholds and facts belong to the files that were loaded first. One that is gone is left to the loader to tell.
   *
   * @throws ModelError ERR_MODEL_MISMATCH
   */
  async check(): Promise<void> {
    for (const mark of this.#marks) {
      const now = await markOf(mark.path);
      if (now === null || (now.sizeBytes === mark.sizeBytes && now.modifiedMs === mark.modifiedMs)) continue;
      throw new ModelError(
        'ERR_MODEL_MISMATCH',
        `${mark.path}: expected the file that was loaded first (${told(mark)}), to load it again after an idle time, received another (${told(now)}). Dispose of this Eta, and load a new one.`,
      );
    }
  }
}

/** What changes with an evaluator: its manifest; of one that others publish, its graphs. */
function marked(place: string): string[] {
  if (!place.endsWith('.onnx')) return [join(place, 'manifest.json')];
  return [place, textGraphOf(place)];
}

async function markOf(path: string): Promise<Mark | null> {
  const found = await stat(path).catch(() => null);
  return found && { path, sizeBytes: found.size, modifiedMs: found.mtimeMs };
}

function told({ sizeBytes, modifiedMs }: Mark): string {
  return `${sizeBytes} bytes, of ${new Date(modifiedMs).toISOString()}`;
}
