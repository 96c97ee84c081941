/** Options of `eta-vlm serve`. */
import { type Command, Option } from 'commander';
import { addTextAfter } from '../../terminal/help.js';
import { withInterrupt } from '../../terminal/interrupt.js';
import { among, filled, wholeNumber } from '../../terminal/option-values.js';
import { calledCommand } from '../called.js';
import { child } from '../child.js';
import { addHubOptions, addModelOptions, maxPixelsOption } from '../model-options.js';
import { addPolicyOptions } from '../policy-options.js';
import type { ServeOptions } from './serve.js';

/** What is written to stderr of each request. */
const LOGS = ['requests', 'content'] as const satisfies readonly NonNullable<ServeOptions['log']>[];

const AFTER_HELP = `
It listens on this machine alone. Beyond it, --host needs a key:
  eta-vlm serve
  eta-vlm serve --host 0.0.0.0 --api-key-file key.txt --allow-host my.example

Chat completions at /v1/chat/completions, the page at /. ETA_VLM_API_KEY
holds the key, where no option does. Ctrl-C lets running answers end.`;

const PIXELS = maxPixelsOption("a request's pictures together", 50);

export function addServe(program: Command): void {
  const command = child(program, 'serve', "Answer over HTTP: OpenAI's API with the verdict in it, and a page.")
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)', filled)
    .option('--port <number>', 'port to listen on, 0: a free one (default: 8080)', wholeNumber(0, 65_535))
    .addOption(
      new Option('--socket <path>', 'unix socket to listen on instead').argParser(filled).conflicts(['host', 'port']),
    )
    .option('--api-key <text>', 'key that clients must send, of at least 16 characters', filled)
    .addOption(
      new Option('--api-key-file <file>', 'file that holds the key, so that no list of processes shows it')
        .argParser(filled)
        .conflicts('apiKey'),
    )
    .option('--allow-origin <url...>', 'origins whose pages may ask from a browser, such as https://app.example')
    .option('--allow-host <name...>', 'names that it is asked under, beside localhost')
    .option('--fetch-pictures', 'fetch pictures that a request names by http: or https: addresses')
    .option('--lock-policy', 'refuse requests that ask for another method, thresholds or policy than the command line')
    .option('--no-page', 'serve the API alone')
    .addOption(
      among(new Option('--log <what>', 'write a line for each request to stderr, with its texts or without'), LOGS),
    )
    .optionsGroup('Limits:')
    .option('--parallel <count>', 'answers made at once; sizes the cache (default: 4)', wholeNumber(1, 255))
    .option('--queue <count>', 'answers that may wait (default: 64)', wholeNumber(0, 100_000))
    .option('--max-body <count>', 'mebibytes of a request at most (default: 20)', wholeNumber(1, 256))
    .option('--timeout <count>', 'seconds for a request, its wait included (default: 600)', wholeNumber(1, 86_400))
    .option('--grace <count>', 'seconds for running answers when it is stopped (default: 10)', wholeNumber(0, 86_400))
    .option(
      '--idle-unload <count>',
      'seconds without a request after which the models are freed',
      wholeNumber(1, 2_000_000),
    )
    .optionsGroup('Safety and search:');
  addTextAfter(
    addModelOptions(addHubOptions(addPolicyOptions(command).optionsGroup('Models:')), PIXELS),
    AFTER_HELP,
  ).action(async (options: ServeOptions) => {
    await withInterrupt(async (signal) => {
      const { serve } = await import('./serve.js');
      await serve(options, { signal, called: calledCommand(command) });
    });
  });
}
