/** Options that say who judges, the same for every command that scores answers. */
import { type Command, Option } from 'commander';
import { among, filled } from '../terminal/option-values.js';

export function addJudgeOptions(command: Command): Command {
  return command
    .addOption(
      among(
        new Option(
          '--judge <judge>',
          "keyword; paper: the paper's phrases; local: a GGUF such as MD-Judge; endpoint: a server that speaks OpenAI's chat API (default: the set's own, or keyword)",
        ),
        ['keyword', 'paper', 'local', 'endpoint'],
      ),
    )
    .option('--judge-model <model>', "the judge's GGUF, or its name at the endpoint", filled)
    .option('--judge-projector <file>', "a local judge's projector: it is shown the pictures", filled)
    .option('--judge-pictures', 'a judge at an address is sent the pictures too')
    .option('--judge-url <url>', 'of the endpoint; the key is read from ETA_VLM_JUDGE_KEY', filled);
}
