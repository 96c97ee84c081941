/** What `eta-vlm calibrate` was told. */
import type { EvaluatorDevice } from '../../onnx/provider.js';

/** As commander names them; their help says what each means. */
export interface CalibrateFlags {
  readonly safe?: readonly string[];
  readonly unsafe?: readonly string[];
  readonly gallery?: boolean;
  readonly safeAnswers?: string;
  readonly unsafeAnswers?: string;
  readonly maxFalsePositiveRate?: number;
  readonly safetyPrompt?: string;
  readonly out: string;
  readonly install?: boolean;
  readonly json?: boolean;
  readonly models?: string;
  readonly clip?: string;
  readonly rewardModel?: string;
  readonly decision?: string;
  readonly guard?: string;
  readonly guardProjector?: string;
  readonly question?: string;
  readonly threads?: number;
  readonly evaluatorDevice?: EvaluatorDevice;
  readonly maxPixels?: number;
}
