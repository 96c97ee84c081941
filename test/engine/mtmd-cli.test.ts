/** The engine's greedy text against stock llama-mtmd-cli on the same files; the commands stand in the golden file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { golden, picture, started, tinyModel } from './fixture.js';

interface Answer {
  readonly model: string;
  readonly projector: string;
  readonly picture: string;
  readonly prompt: string;
  readonly command: string;
  readonly text: string;
}

const { answers }: { answers: Answer[] } = JSON.parse(readFileSync(golden('mtmd-cli.json'), 'utf8'));

for (const file of new Set(answers.map((answer) => answer.model))) {
  test(`${file} says what llama-mtmd-cli says, word for word`, async () => {
    const mine = answers.filter((answer) => answer.model === file);
    const projectorPath = golden(mine[0]?.projector ?? '');
    await using model = await tinyModel({ modelPath: golden(file), projectorPath });
    await using context = await model.createContext({ contextSize: 1024 });
    const heard = new Map<string, string>();
    assert.ok(mine.length >= 3);
    for (const { picture: name, prompt, command, text } of mine) {
      const image = await picture(model, name);
      // The program takes the marker in the question; here pictures are no text.
      const question = prompt.replace(/^<__media__>\n/, '');
      const parts = await model.prompt([{ role: 'user', text: question, images: [image] }]);
      const maxTokens = Number(/ -n (\d+) /.exec(command)?.[1]);
      const { lease, sequence } = await started(context, parts, { cellCount: 512, sequenceCount: 1 });
      const decoded = await sequence.decode({ sampler: { temperature: 0 }, maxTokens });
      assert.equal(decoded.text, text, name);
      heard.set(name, decoded.text);
      await lease.release();
      image.dispose();
    }
    assert.equal(new Set(heard.values()).size, mine.length, 'the control: every picture changes the text');
  });
}
