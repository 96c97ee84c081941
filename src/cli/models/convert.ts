/** `eta-vlm models convert`: converts, then loads what was written and checks it here. */

import { type ConvertOptions, convertModel, outEntries } from '../../converter/index.js';
import { Model } from '../../engine/index.js';
import { ModelError, UsageError } from '../../errors.js';
import { EvaluatorWorker } from '../../onnx/index.js';
import { checkApart, placeOf } from '../../outputs/index.js';
import { EXIT } from '../../terminal/failure.js';
import { tell } from '../../terminal/output.js';
import { columnsOf, labelled } from '../../terminal/paint.js';
import { print } from '../../terminal/print.js';
import { Progress } from '../../terminal/progress.js';
import { size } from '../../terminal/size.js';
import { visibleName } from '../../visible.js';
import { manifestOf, type Part, partFacts, shown } from '../model-facts.js';
import { LABEL_WIDTH } from './list.js';
import { verifyPart } from './verify.js';

export type ConvertCommandOptions = Pick<
  ConvertOptions,
  'from' | 'out' | 'weights' | 'trunk' | 'tolerance' | 'name' | 'template' | 'maxTokens' | 'label' | 'python'
> & { readonly json?: boolean };

const TRUNK_REMEDY =
  ' Where the trunk is not of this checkpoint, name the one that is; where its quantisation is coarse, take a finer one, or allow more with --tolerance. Delete the folder first.';

/** Whether llama.cpp loads it, and is there: told before the conversion, which is long. */
async function tryTrunk(path: string, signal: AbortSignal): Promise<void> {
  const model = await Model.load({ modelPath: path, gpuLayerCount: 0, signal });
  await model.dispose();
}

/** The folder must be new or empty, and apart from all that is read. */
async function checkOut({ from, out, trunk, template, python }: Omit<ConvertCommandOptions, 'json'>): Promise<void> {
  const inputs = [
    { path: from, name: 'the checkpoint of --from' },
    ...(trunk === undefined ? [] : [{ path: trunk, name: 'the file of --trunk' }]),
    ...(template === undefined ? [] : [{ path: template, name: 'the file of --template' }]),
    ...(python === undefined ? [] : [{ path: python, name: 'the Python of --python' }]),
  ];
  await checkApart([{ path: out, name: 'The model (--out)', isFolder: true }], inputs);
  const held = (await outEntries(out)) ?? [];
  if (held.length === 0) return;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `--out: expected a folder that is new or empty, received ${JSON.stringify(out)}, which holds ${held.length} ${held.length === 1 ? 'file' : 'files'} already. Name another, or empty it first.`,
  );
}

/** Prints what was made to stdout. @throws ModelError when it does not compute what the checkpoint does */
export async function convert(
  kind: 'reward' | 'clip',
  { json, ...options }: ConvertCommandOptions,
  signal: AbortSignal,
): Promise<number> {
  const progress = new Progress();
  const { target: out } = await placeOf(options.out);
  const part: Part = { kind: kind === 'clip' ? 'clip' : 'reward-model', path: out };
  await checkOut(options);
  try {
    progress.show(options.trunk === undefined ? 'starting Python ...' : 'looking at the trunk ...');
    await convertModel({
      ...options,
      out,
      kind,
      signal,
      checkTrunk: (path) => tryTrunk(path, signal),
      onNote: tell,
      onProgress: (step, fraction) =>
        progress.show(fraction > 0 ? `${step} ... ${Math.round(fraction * 100)} %` : `${step} ...`),
    });
    progress.show('checking what was written ...');
    const worker = await EvaluatorWorker.start();
    const verified = await verifyPart(part, { worker, provider: 'cpu' }, signal).finally(() => worker.dispose());
    if (!verified.isRight)
      throw new ModelError(
        'ERR_SELF_TEST',
        `The converted model is not right. ${verified.finding}${options.trunk === undefined ? '' : TRUNK_REMEDY}`,
      );
    const facts = await partFacts(part);
    const { precision } = await manifestOf(part);
    progress.clear();
    const columns = columnsOf(process.stdout);
    const say = (label: string, text: string) => labelled(label, text, { labelWidth: LABEL_WIDTH, columns });
    const lines = [
      ...say(
        kind === 'clip' ? 'CLIP' : 'reward model',
        `${visibleName(facts.name)}, ${size(facts.sizeBytes)}, in ${shown(part.path)}`,
      ),
      ...say('checked', verified.finding),
      ...(precision === undefined || precision.weights === 'fp32'
        ? []
        : say(
            'weights',
            `${precision.weights} moves the scores of the self-test by ${precision.meanDifference} on average, ${precision.largestDifference} at most`,
          )),
      ...(options.trunk === undefined ? [] : say('trunk', 'runs in llama.cpp, beside the language model')),
      ...say('threshold', 'none: scores are on a scale of this model. Find one with eta-vlm calibrate.'),
    ];
    print(`${json ? JSON.stringify({ ...facts, selfTest: verified.selfTest, precision }) : lines.join('\n')}\n`);
    return EXIT.ok;
  } finally {
    progress.clear();
  }
}
