/** What is read out of a sanitizer's reports, of texts such as g++'s sanitizers write. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { reportsIn } from './reports.mjs';

const ROOT = '/home/me/source/eta-vlm';

/** Their first frame is the sanitizer's own, then the program's; frees and allocations follow. */
const ADDRESS = `=================================================================
==20095==ERROR: AddressSanitizer: heap-use-after-free on address 0x611000000048 at pc 0x55e3 bp 0x7fff sp 0x7ffe
READ of size 4 at 0x611000000048 thread T0
    #0 0x7ff3a24b76a8 in __interceptor_memcpy ../../../../src/libsanitizer/sanitizer_common/interceptors.inc:827
    #1 0x7ff3a24b76a9 in std::copy /usr/include/c++/12/bits/stl_algo.h:12
    #2 0x55e30954a3f1 in Drop ${ROOT}/native/engine/cells.cpp:15
    #3 0x7ff3a2245249 in __libc_start_call_main ../sysdeps/nptl/libc_start_call_main.h:58

freed by thread T0 here:
    #0 0x7ff3a24b76a8 in __interceptor_free ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:52
    #1 0x55e30954a301 in Free ${ROOT}/native/engine/other.cpp:13

SUMMARY: AddressSanitizer: heap-use-after-free ${ROOT}/native/engine/cells.cpp:15 in Drop
==20095==ABORTING
`;
const UNDEFINED = `${ROOT}/native/engine/cells.cpp:6:34: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'
    #0 0x55e30954a2e4 in Overflow(int) ${ROOT}/native/engine/cells.cpp:6
/home/me/.cache/eta-vlm/abc/source/ggml/src/ggml.c:12:3: runtime error: load of misaligned address 0x7f for type 'int'
`;
const THREAD = `==================
WARNING: ThreadSanitizer: data race (pid=20101)
  Read of size 4 at 0x555555558094 by thread T2:
    #0 operator new ../../../../src/libsanitizer/tsan/tsan_new_delete.cpp:64 (libtsan.so.2+0x8d3)
    #1 Count() /home/me/.cache/eta-vlm/abc/source/src/llama.cpp:5 (t+0x123a)
    #2 <null> <null> (libstdc++.so.6+0xd44a2)

  Previous write of size 4 at 0x555555558094 by thread T1:
    #0 Count() ${ROOT}/native/engine/cells.cpp:5 (t+0x124b)

SUMMARY: ThreadSanitizer: data race /home/me/.cache/eta-vlm/abc/source/src/llama.cpp:5 in Count()
==================
`;
const NOWHERE = `==7==ERROR: AddressSanitizer: SEGV on unknown address 0x000000000000 (pc 0x7f bp 0x7f sp 0x7f T3)
    #0 0x7f in <null> (/lib/x86_64-linux-gnu/libc.so.6+0x18d0)
`;

function read(texts: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-reports-'));
  try {
    for (const [pid, text] of texts.entries()) writeFileSync(join(folder, `report.${pid}`), text);
    return reportsIn(folder, ROOT);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('each report has its kind, the first place that is not the system’s, and whether that is ours', () => {
  const overflow = "signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'";
  const misaligned = "load of misaligned address 0x7f for type 'int'";
  const [freed, race] = ['AddressSanitizer: heap-use-after-free', 'ThreadSanitizer: data race'];
  assert.deepEqual(read([ADDRESS, UNDEFINED, THREAD, NOWHERE]), [
    { what: freed, where: 'native/engine/cells.cpp:15', isOurs: true, count: 1 },
    { what: overflow, where: 'native/engine/cells.cpp:6', isOurs: true, count: 1 },
    { what: misaligned, where: 'llama.cpp/ggml/src/ggml.c:12', isOurs: false, count: 1 },
    { what: race, where: 'llama.cpp/src/llama.cpp:5', isOurs: false, count: 1 },
    { what: 'AddressSanitizer: SEGV', where: 'no line', isOurs: false, count: 1 },
  ]);
});

test('the same in several processes is one kind, the commonest first; a report without a line does not take the next one’s', () => {
  const found = read([ADDRESS, THREAD, NOWHERE + ADDRESS, THREAD + THREAD]);
  assert.deepEqual(
    found.map(({ what, where, count }) => `${count} ${what} ${where}`),
    [
      '3 ThreadSanitizer: data race llama.cpp/src/llama.cpp:5',
      '2 AddressSanitizer: heap-use-after-free native/engine/cells.cpp:15',
      '1 AddressSanitizer: SEGV no line',
    ],
  );
});

test('what is no report is none', () => {
  assert.deepEqual(
    read(['', 'ok 1 - a test\n    #0 in main /home/me/a.cpp:1\nThreadSanitizer: reported 1 warnings\n']),
    [],
  );
});
