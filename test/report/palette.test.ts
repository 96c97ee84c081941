/** Colours can be told from the page and, by most eyes, from each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COLOURS, colourDeclarations, type Scheme, seriesColours, withLightColours } from '../../src/report/palette.js';

const METHODS = ['vanilla', 'pre', 'post', 'shallow', 'deep', 'eta'];
const SCHEMES: readonly Scheme[] = ['light', 'dark'];

/** Machado, Oliveira, Fernandes 2009: full protanopia, deuteranopia, tritanopia, on linear RGB. */
const EYES: Readonly<Record<string, readonly (readonly [number, number, number])[]>> = {
  all: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function linear(hex: string): [number, number, number] {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return [red, green, blue];
}

function luminance(hex: string): number {
  const [red, green, blue] = linear(hex);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Björn Ottosson's OKLab, in which equal distances look about equal. */
function oklab([red, green, blue]: readonly [number, number, number]): [number, number, number] {
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function distance(one: string, other: string, eye: readonly (readonly [number, number, number])[]): number {
  const seen = (hex: string) => {
    const colour = linear(hex);
    const [red = 0, green = 0, blue = 0] = eye.map((row) =>
      Math.min(1, Math.max(0, row[0] * colour[0] + row[1] * colour[1] + row[2] * colour[2])),
    );
    return oklab([red, green, blue]);
  };
  const [a, b] = [seen(one), seen(other)];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

const value = (name: string, scheme: Scheme) => COLOURS[name]?.[scheme] ?? '';

test('every colour of a series stands out from the page', () => {
  for (const scheme of SCHEMES) {
    for (const name of [...METHODS, 'other-1', 'other-2', 'other-3', 'other-4', 'safe', 'unsafe', 'other']) {
      const found = contrast(value(name, scheme), value('page', scheme));
      assert.ok(found >= 3, `${name} on a ${scheme} page: ${found.toFixed(2)}`);
    }
  }
});

test('text stands out from page and panel', () => {
  for (const scheme of SCHEMES) {
    for (const name of ['ink', 'quiet']) {
      for (const ground of ['page', 'panel']) {
        const found = contrast(value(name, scheme), value(ground, scheme));
        assert.ok(found >= 4.5, `${name} on a ${scheme} ${ground}: ${found.toFixed(2)}`);
      }
    }
  }
});

test('methods stay apart for eyes that lack one kind of cone', () => {
  for (const scheme of SCHEMES) {
    for (const [eyes, matrix] of Object.entries(EYES)) {
      for (const [at, one] of METHODS.entries()) {
        for (const other of METHODS.slice(at + 1)) {
          const found = distance(value(one, scheme), value(other, scheme), matrix);
          assert.ok(found >= 0.08, `${one} and ${other}, ${scheme}, ${eyes}: ${found.toFixed(3)}`);
        }
      }
    }
  }
});

test('the measure sees colours that are too near', () => {
  assert.ok(distance('#d62a12', '#7a7a00', EYES['protanopia'] ?? []) < 0.2, 'red and olive should be near');
  assert.ok(distance('#767676', '#787878', EYES['all'] ?? []) < 0.08, 'two greys should be too near');
});

test('a method has its colour whatever stands beside it', () => {
  assert.deepEqual(seriesColours(['own', 'eta', 'another', 'vanilla']), [
    'var(--other-1)',
    'var(--eta)',
    'var(--other-2)',
    'var(--vanilla)',
  ]);
  assert.deepEqual(seriesColours(['eta', 'toString']), ['var(--eta)', 'var(--other-1)']);
  assert.match(colourDeclarations('dark'), /--eta:#3f74f0/);
  assert.equal(withLightColours('a var(--eta) var(--unknown)'), 'a #0b4fb0 var(--unknown)');
});
