/** What the addon reports of each run, for measurements: seen where the scheduler asks for it. */
import { loadBinding } from '../src/native/binding.js';
import type { NativeContext } from '../src/native/context-types.js';
import type { NativeLoad, NativeModel } from '../src/native/model-types.js';
import type { NativeRunReport } from '../src/native/run-types.js';

/** From now on, every report of every run, of every model that is loaded, is told of. */
export function watchRuns(onReport: (report: NativeRunReport) => void): void {
  const watchContext = (context: NativeContext) => {
    const run = context.run.bind(context);
    shadow(context, 'run', async (options) => {
      const heard = (report: NativeRunReport) => {
        onReport(report);
        options.onReport?.(report);
      };
      const last = await run({ ...options, onReport: options.onReport && heard });
      onReport(last);
      return last;
    });
  };
  const watchModel = (model: NativeModel) => {
    const createContext = model.createContext.bind(model) as (options: object) => Promise<NativeContext>;
    const watched = async (options: object) => {
      const context = await createContext(options);
      watchContext(context);
      return context;
    };
    shadow(model, 'createContext', watched as NativeModel['createContext']);
  };
  const binding = loadBinding();
  const { loadModel } = binding;
  shadow(binding, 'loadModel', (options, onProgress): NativeLoad => {
    const load = loadModel(options, onProgress);
    void load.model.then(watchModel, () => undefined);
    return load;
  });
}

/** Puts a method before that of the prototype. */
function shadow<Owner extends object, Name extends keyof Owner>(owner: Owner, name: Name, method: Owner[Name]): void {
  Object.defineProperty(owner, name, { value: method, configurable: true });
}
