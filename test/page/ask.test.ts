/// <reference lib="dom" />
/** Asking: pictures in every way, streams, turns, what is kept and exported. Real server, real answers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { browserPath, isBrowserRequired, MISSING_BROWSER } from '../browser.js';
import { House, picture, type Visit } from './visit.js';

test('a browser is there where it is required', {
  skip: isBrowserRequired ? false : 'ETA_VLM_REQUIRE_BROWSER is not set',
}, () => {
  assert.ok(browserPath !== undefined, MISSING_BROWSER);
});

describe('asking', { skip: browserPath === undefined ? MISSING_BROWSER : false }, () => {
  let house: House;
  before(async () => {
    // Then sentences leave as they are chosen, and not when the last has been judged.
    house = await House.open(undefined, { whenStillUnsafe: 'return' });
  });
  after(() => house?.close());

  /** What the library itself answers. */
  const expected = async (prompt: string, image: string, seed = 1) =>
    (await house.eta.respond({ prompt, image: picture(image), seed })).text;

  test('a chosen picture is answered as the library answers', async () => {
    const visit = await house.visit();
    await visit.ask('Where is the banana in the picture?', 'clean-04.png');
    assert.equal(await visit.answered(), await expected('Where is the banana in the picture?', 'clean-04.png'));
    assert.match((await visit.answer.locator('.verdict').textContent()) ?? '', /Own answer/);
    assert.equal(await visit.page.locator('.beyond').count(), 0, 'a drawing of its world, wherever it came from');
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
    const photograph = sharp({ create: { width: 90, height: 90, channels: 3, background: '#456', noise } });
    await visit.page.locator('input[type=file]').setInputFiles({
      name: 'photograph.png',
      mimeType: 'image/png',
      buffer: await photograph.png().toBuffer(),
    });
    await visit.page.locator('.composer img').waitFor();
    await visit.ask('What is it?');
    await visit.answered(2);
    for (const place of [visit.answer, visit.why])
      assert.match(
        (await place.locator('.beyond').textContent()) ?? '',
        /about anything else its answer and scores mean nothing/,
      );
    assert.equal(await visit.field.inputValue(), '');
    assert.equal(await visit.page.locator('.composer img').count(), 0);
    await visit.end();
  });

  test('a dropped picture, a pasted one, and a file that is none', async () => {
    const visit = await house.visit();
    const bytes = (await readFile(picture('clean-04.png'))).toString('base64');
    const give = (kind: 'drop' | 'paste', name: string, type: string) =>
      visit.page.evaluate(
        ([kind, name, type, bytes]) => {
          const data = new DataTransfer();
          const content = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
          data.items.add(new File([content], name, { type }));
          const event =
            kind === 'drop'
              ? new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
              : new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
          document.querySelector('main')?.dispatchEvent(event);
        },
        [kind, name, type, bytes] as const,
      );
    await give('drop', 'dropped.png', 'image/png');
    await visit.page.locator('.composer img').first().waitFor();
    await give('paste', 'pasted.png', 'image/png');
    await visit.page.locator('.composer img').nth(1).waitFor();
    await give('drop', 'letter.pdf', 'application/pdf');
    const refused = visit.page.locator('.refused');
    await refused.waitFor();
    assert.match((await refused.textContent()) ?? '', /letter\.pdf is no picture that can be read\. Take JPEG, PNG/);
    await visit.page.locator('input[type=file]').setInputFiles({
      name: 'letter.png',
      mimeType: 'image/png',
      buffer: Buffer.from('Dear all, I am no picture.'),
    });
    await refused.getByText('letter.png is no picture, whatever its name says.').waitFor();
    assert.equal(await visit.page.locator('.composer img').count(), 2);
    await visit.field.fill('Where is the banana in the picture?');
    await visit.button('Take pasted.png away').click();
    assert.equal(await visit.page.locator('.composer img').count(), 1);
    assert.equal(await visit.answers.count(), 0, 'taking it away asks nothing');
    await visit.button('Take letter.pdf away').click();
    await visit.button('Take letter.png away').click();
    assert.equal(await refused.count(), 0);
    await visit.field.press('Enter');
    assert.equal(await visit.answered(), await expected('Where is the banana in the picture?', 'clean-04.png'));
    await visit.end();
  });

  test('while a file was refused the question waits: until another picture is there, or it is taken away', async () => {
    const visit = await house.visit();
    const asked = house.line.asked.length;
    const choose = (name: string, mimeType: string, buffer: Buffer) =>
      visit.page.locator('input[type=file]').setInputFiles({ name, mimeType, buffer });
    const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
    await choose('IMG_0001.HEIC', 'image/heic', heic);
    await visit.page.getByText('IMG_0001.HEIC is HEIC, as many phones keep photographs').waitFor();
    await choose('renamed.jpg', 'image/jpeg', heic);
    await visit.page.getByText('renamed.jpg is HEIC, as many phones keep photographs').waitFor();
    await visit.field.fill('Where is the banana in the picture?');
    await visit.field.press('Enter');
    await visit.page.getByText('The question waits: choose another picture instead, or take these away.').waitFor();
    assert.ok(await visit.button('Ask').isDisabled());
    await visit.page.reload(); // what was refused is known afterwards too
    await visit.page.getByText('renamed.jpg is HEIC').waitFor();
    await choose('clean-04.png', 'image/png', readFileSync(picture('clean-04.png')));
    await visit.page.getByText('or take this one away').waitFor();
    await visit.field.press('Enter');
    assert.equal(house.line.asked.length, asked, 'one of two is replaced');
    await visit.button('Take renamed.jpg away').click();
    assert.equal(await visit.field.inputValue(), 'Where is the banana in the picture?');
    await visit.field.press('Enter');
    assert.equal(await visit.answered(), await expected('Where is the banana in the picture?', 'clean-04.png'));
    await visit.end();
  });

  test('a picture that the server cannot read is named, and can be taken out of the question', async () => {
    const visit = await house.visit();
    const whole = readFileSync(picture('clean-04.png'));
    await visit.page.locator('input[type=file]').setInputFiles([
      { name: 'whole.png', mimeType: 'image/png', buffer: whole },
      { name: 'cut.png', mimeType: 'image/png', buffer: whole.subarray(0, 200) },
    ]);
    await visit.page.getByText('cut.png may be damaged').waitFor();
    await visit.ask('Where is the banana in the picture?');
    await visit.page.locator('.failed').waitFor();
    assert.match((await visit.page.locator('.failed').textContent()) ?? '', /cut\.png: Picture 2 of 2 /);
    visit.complaints.splice(0); // the browser's own line for status 400
    await visit.button('Edit this question and ask again').click();
    await visit.button('Take cut.png away').click();
    await visit.page.locator('.question textarea').press('Enter');
    assert.equal(await visit.answered(), await expected('Where is the banana in the picture?', 'clean-04.png'));
    await visit.end();
  });

  test('that the miniature cannot know a photograph is said before its answer is whole', async () => {
    const visit = await house.visit();
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
    const photograph = sharp({ create: { width: 90, height: 90, channels: 3, background: '#456', noise } });
    const buffer = await photograph.png().toBuffer();
    await visit.page.locator('input[type=file]').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer });
    await visit.page.getByText('The miniature answers here: it knows drawn scenes').waitFor();
    await visit.useMethod('vanilla');
    house.line.haltsAtText = true;
    await visit.ask('What is it?');
    await visit.answer.locator('.beyond').waitFor();
    await visit.answer.locator('.text').waitFor();
    assert.equal(await visit.answer.getAttribute('aria-busy'), 'true');
    house.line.breakOff();
    await visit.page.locator('.failed').waitFor();
    visit.complaints.splice(0); // the browser's own word for a stream that ended early
    await visit.end();
  });

  test('a picture that is damaged behind its beginning is told when it is chosen', async () => {
    const visit = await house.visit();
    const whole = readFileSync(picture('clean-04.png'));
    const files = [
      ['cut.png', 'image/png', whole.subarray(0, 200)],
      ['whole.png', 'image/png', whole],
    ] as const;
    await visit.page
      .locator('input[type=file]')
      .setInputFiles(files.map(([name, mimeType, buffer]) => ({ name, mimeType, buffer })));
    await visit.page.locator('.refused').waitFor();
    assert.equal(
      await visit.page.locator('.refused').textContent(),
      'cut.png may be damaged: this browser cannot read all of it. Ask about it, or take it away.',
    );
    await visit.end();
  });

  test('the gallery asks with one click, from the empty page and from its window', async () => {
    const visit = await house.visit();
    await visit.page.locator('li button', { hasText: 'How many hammers can you see?' }).first().click();
    assert.equal(await visit.answered(), await expected('How many hammers can you see?', 'clean-01.jpg'));
    assert.equal(await visit.page.locator('.beyond').count(), 0, 'a drawing that the miniature knows');
    await visit.button('Gallery').click();
    assert.equal(await visit.page.locator('dialog[open] h3').textContent(), 'One click asks, in a new conversation');
    await visit.page.locator('dialog[open] li button', { hasText: 'Where is the banana' }).first().click();
    await visit.page.locator('.question', { hasText: 'banana' }).waitFor();
    assert.equal(await visit.answered(), await expected('Where is the banana in the picture?', 'clean-04.png'));
    await visit.end();
  });

  test('an answer streams: pieces are shown before the last has come', async () => {
    const visit = await house.visit();
    await visit.useSeed(1);
    const texts = await visit.record('article.answer .text');
    house.line.delayMs = 100;
    await visit.ask('Explain how I can make this.', 'drawn-08.png');
    const whole = await visit.answered();
    house.line.delayMs = 0;
    const parts = (await texts()).filter((text) => text !== '' && text !== whole);
    assert.ok(parts.length >= 2, `only ${parts.length} parts were seen`);
    for (const part of parts) assert.ok(whole.startsWith(part), `${part} / ${whole}`);
    await visit.end();
  });

  for (const [how, stop] of [
    ['the button', (visit: Visit) => visit.button('Stop').click()],
    ['Escape', (visit: Visit) => visit.page.keyboard.press('Escape')],
  ] as const) {
    test(`${how} stops an answer; what came stays, and it can be asked again`, async () => {
      const visit = await house.visit();
      await visit.useSeed(1);
      house.line.delayMs = 1_000;
      const before = house.line.leftCount;
      await visit.ask('Explain how I can make this.', 'drawn-08.png');
      await visit.page.locator('article.answer .text').waitFor();
      await stop(visit);
      await visit.page.locator('.state', { hasText: 'Stopped' }).waitFor();
      house.line.delayMs = 0;
      const part = (await visit.answer.locator('.text').textContent()) ?? '';
      const whole = await expected('Explain how I can make this.', 'drawn-08.png');
      assert.ok(part !== '' && part !== whole && whole.startsWith(part), part);
      assert.equal(house.line.leftCount, before + 1, 'the request goes on');
      await visit.button('Ask again').click();
      assert.equal(await visit.answered(), whole);
      await visit.end();
    });
  }

  test('several turns: the second question follows the first, with its picture', async () => {
    const visit = await house.visit();
    await visit.ask('How many hammers can you see?', 'clean-01.jpg');
    const first = await visit.answered();
    await visit.ask('What colour is the lamp in the image?');
    const second = await visit.answered(2);
    const { messages } = JSON.parse(house.line.asked.at(-1) ?? '') as {
      messages: { role: string; content: unknown }[];
    };
    assert.deepEqual(
      messages.map(({ role }) => role),
      ['user', 'assistant', 'user'],
    );
    assert.equal(messages[1]?.content, first);
    const { text } = await house.eta.respond({
      turns: [
        { role: 'user', text: 'How many hammers can you see?', images: [picture('clean-01.jpg')] },
        { role: 'assistant', text: first },
        { role: 'user', text: 'What colour is the lamp in the image?' },
      ],
    });
    assert.equal(second, text);
    await visit.end();
  });

  test('an edited question is asked again in its place, and what followed it goes', async () => {
    const visit = await house.visit();
    await visit.ask('How many hammers can you see?', 'clean-01.jpg');
    await visit.answered();
    await visit.ask('What colour is the lamp in the image?');
    await visit.answered(2);
    await visit.button('Edit this question and ask again').first().click();
    const editor = visit.page.getByLabel('The question, to ask again');
    await editor.fill('Can you see a boat?');
    await editor.press('Enter');
    await visit.page.locator('.question', { hasText: 'boat' }).waitFor();
    assert.equal(await visit.answered(), await expected('Can you see a boat?', 'clean-01.jpg'));
    assert.equal(await visit.answers.count(), 1);
    const { messages } = JSON.parse(house.line.asked.at(-1) ?? '') as { messages: unknown[] };
    assert.equal(messages.length, 1);
    await visit.end();
  });

  test('options go with the question: method, candidates, seed; the policy is shown', async () => {
    const visit = await house.visit();
    await visit.button('Options').click();
    await visit.page.getByLabel('Method').selectOption('deep');
    await visit.page.getByLabel('Candidates per sentence').fill('3');
    await visit.page.getByLabel('Seed').fill('7');
    await visit.page.getByLabel('Seed').press('Tab');
    assert.match((await visit.page.locator('fieldset').textContent()) ?? '', /Policy standard/);
    await visit.ask('Explain how I can make this.', 'drawn-08.png');
    await visit.answered();
    const { seed, eta } = JSON.parse(house.line.asked.at(-1) ?? '') as { seed: number; eta: object };
    assert.deepEqual(
      { seed, eta },
      { seed: 7, eta: { include: ['events', 'trace', 'verdict', 'timings'], method: 'deep', candidateCount: 3 } },
    );
    await visit.page.reload();
    await visit.button('Options, changed').click();
    assert.equal(await visit.page.getByLabel('Seed').inputValue(), '7');
    await visit.end();
  });

  test('a number that does not fit holds the question up, and is told under its field; the focus stays', async () => {
    const visit = await house.visit();
    const candidates = visit.page.getByLabel('Candidates per sentence');
    const unfit = visit.page.locator('.unfit:visible');
    const before = house.line.asked.length;
    await visit.button('Options').click();
    await candidates.fill('500');
    await visit.field.click();
    assert.equal(await unfit.count(), 0);
    assert.ok(await visit.field.evaluate((field) => field === document.activeElement));
    await visit.page.keyboard.press('Escape');
    assert.ok(!(await candidates.isVisible()));
    await visit.ask('How many hammers can you see?', 'clean-01.jpg');
    assert.equal(await unfit.textContent(), 'A whole number from 1 to 255');
    assert.equal(await candidates.getAttribute('aria-invalid'), 'true');
    assert.equal(await visit.field.inputValue(), 'How many hammers can you see?');
    assert.ok(await visit.field.evaluate((field) => field === document.activeElement));
    assert.equal(house.line.asked.length, before);
    await candidates.fill('3');
    await visit.field.press('Enter');
    assert.notEqual(await visit.answered(), '');
    await visit.end();
  });

  test('a conversation and a draft are there again after a reload; they can be deleted', async () => {
    const visit = await house.visit();
    await visit.ask('How many hammers can you see?', 'clean-01.jpg');
    const text = await visit.answered();
    await visit.field.fill('half a que');
    await visit.page.locator('input[type=file]').setInputFiles(picture('clean-04.png'));
    await visit.page.locator('.composer img').waitFor();
    await visit.page.waitForTimeout(200);
    await visit.page.reload();
    assert.equal(await visit.answered(), text);
    assert.equal(await visit.field.inputValue(), 'half a que');
    assert.equal(await visit.page.locator('.composer img').count(), 1);
    assert.equal(await visit.page.locator('.question img').count(), 1);
    await visit.button('New').click();
    await visit.page.waitForTimeout(200);
    await visit.page.reload();
    await visit.field.waitFor();
    assert.equal(await visit.answers.count(), 0, 'after New the old one is not in front');
    await visit.button('Conversations').click();
    await visit.page.locator('dialog[open] .entry', { hasText: 'How many hammers' }).click();
    assert.equal(await visit.answered(), text);
    await visit.button('Conversations').click();
    await visit.button('Clear all').click();
    await visit.button('Delete').click();
    assert.equal(await visit.answers.count(), 0);
    await visit.page.reload();
    await visit.field.waitFor();
    assert.equal(await visit.answers.count(), 0);
    await visit.end();
  });

  test('copying, and exporting what the library would have given', async () => {
    const visit = await house.visit();
    await visit.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await visit.useSeed(1);
    await visit.ask('Explain how I can make this.', 'drawn-08.png');
    const text = await visit.answered();
    await visit.button('Copy').click();
    await visit.button('Copied').waitFor();
    assert.equal(await visit.page.evaluate(() => navigator.clipboard.readText()), text);

    const [download] = await Promise.all([visit.page.waitForEvent('download'), visit.button('Trace').click()]);
    assert.match(download.suggestedFilename(), /^eta-vlm-trace-[\d-]+T[\d-]+\.json$/);
    const trace = JSON.parse(await readFile(await download.path(), 'utf8')) as Record<string, unknown>;
    const own = await house.eta.respond({
      prompt: 'Explain how I can make this.',
      image: picture('drawn-08.png'),
      seed: 1,
    });
    assert.deepEqual(Object.keys(trace), Object.keys(own));
    for (const field of ['text', 'stopReason', 'model', 'seed'] as const) assert.deepEqual(trace[field], own[field]);

    await visit.button('Conversations').click();
    const [file] = await Promise.all([
      visit.page.waitForEvent('download'),
      visit.button('Export this one as JSON').click(),
    ]);
    const conversation = JSON.parse(await readFile(await file.path(), 'utf8')) as {
      format: string;
      exchanges: { question: string; text: string; pictures: { name: string; dataUrl: string }[]; result: unknown }[];
    };
    const [exchange] = conversation.exchanges;
    assert.equal(conversation.format, 'eta-vlm/conversation');
    assert.equal(exchange?.text, text);
    assert.equal(exchange?.pictures[0]?.name, 'drawn-08.png');
    assert.ok(exchange?.pictures[0]?.dataUrl.startsWith('data:image/png;base64,'));
    assert.deepEqual(exchange?.result, trace);
    await visit.end();
  });
});
