/** What the memory of a choice of models depends on: heads of GGUF files and manifests are read, no weights. */

import type { ResolvedModels } from './choice.js';
import { evaluatorShape } from './evaluator-shape.js';
import { readGguf } from './gguf-file.js';
import type { ModelShapes } from './memory.js';
import { languageShape, projectorShape } from './model-shape.js';

/** @throws ModelError */
export async function modelShapes(models: Omit<ResolvedModels, 'name'>): Promise<ModelShapes> {
  const [language, projector, evaluators] = await Promise.all([
    readGguf(models.languageModel).then(languageShape),
    models.projector === null ? null : readGguf(models.projector).then(projectorShape),
    evaluatorShape(models.clip, models.rewardModel),
  ]);
  return { language, projector, evaluators };
}
