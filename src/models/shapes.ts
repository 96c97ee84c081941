/** What the memory of a choice of models depends on: heads of GGUF files and manifests are read, no weights. */

import type { ResolvedModels } from './choice.js';
import { evaluatorShape } from './evaluator-shape.js';
import { readGguf } from './gguf-file.js';
import type { ModelShapes } from './memory.js';
import { languageShape, projectorShape } from './model-shape.js';

/** GGUFs of a guard beside them. */
interface GuardFiles {
  readonly guard: string;
  readonly guardProjector: string | null;
}

/** @throws ModelError */
export async function modelShapes(
  models: Omit<ResolvedModels, 'name'>,
  guard: GuardFiles | null = null,
): Promise<ModelShapes> {
  const [{ language, projector }, evaluators, guardShape] = await Promise.all([
    ggufShapes(models.languageModel, models.projector),
    evaluatorShape(models.clip, models.rewardModel),
    guard === null ? null : ggufShapes(guard.guard, guard.guardProjector),
  ]);
  return { language, projector, evaluators, guard: guardShape };
}

/** Of a language model or a guard, with its projector. @throws ModelError */
export async function ggufShapes(
  model: string,
  projector: string | null,
): Promise<Pick<ModelShapes, 'language' | 'projector'>> {
  const [language, projecting] = await Promise.all([
    readGguf(model).then(languageShape),
    projector === null ? null : readGguf(projector).then(projectorShape),
  ]);
  return { language, projector: projecting };
}
