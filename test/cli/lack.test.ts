/** What the system refuses to a process, in our words: no other error is taken for a lack, and the advice helps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileError } from '../../src/errors.js';
import { lackOf } from '../../src/terminal/lack.js';

const refused = (code: string, syscall: string) =>
  Object.assign(new Error(`${code}: refused, ${syscall}`), { code, syscall });

test('the limit of this process, and the table of the system, each with what helps', () => {
  const own = lackOf(refused('EMFILE', 'open'));
  assert.equal(own?.code, 'ERR_FILE_READ');
  assert.match(own.message, /this process's limit of open files .*EMFILE.*ulimit -n with a higher number/);
  assert.doesNotMatch(own.message, /\d/); // the usual limit would help nobody who has it
  const system = lackOf(refused('ENFILE', 'open'));
  assert.equal(system?.code, 'ERR_FILE_READ');
  assert.match(system.message, /all programs together .*ENFILE/);
  assert.doesNotMatch(system.message, /ulimit/);
});

test('EAGAIN is a lack of threads and processes where one was to be started, and nowhere else', () => {
  for (const syscall of ['spawn', 'spawn git', 'spawnSync /bin/sh', 'uv_thread_create'])
    assert.equal(lackOf(refused('EAGAIN', syscall))?.code, 'ERR_THREADS', syscall);
  assert.equal(lackOf(Object.assign(new Error('none'), { code: 'ERR_WORKER_INIT_FAILED' }))?.code, 'ERR_THREADS');
  for (const syscall of ['read', 'write', 'open', 'connect', 'spawned'])
    assert.equal(lackOf(refused('EAGAIN', syscall)), undefined, syscall);
  assert.equal(lackOf(Object.assign(new Error('again'), { code: 'EAGAIN' })), undefined);
});

test('memory, and what is no lack', () => {
  assert.equal(lackOf(refused('ENOMEM', 'mmap'))?.code, 'ERR_MEMORY');
  assert.equal(lackOf(new FileError('ERR_FILE_READ', 'Out of memory.')), undefined, 'it has its code already');
  for (const other of [refused('ENOENT', 'open'), new Error('x'), 'out of memory', null])
    assert.equal(lackOf(other), undefined);
});
