// Faults of the thread pool, of jobs in the background and of calls that return promises.

const pool = 'native/batch/thread_pool.cpp'
const batch = 'native/batch/run_batch.cpp'
const background = 'native/batch/background.cpp'
const asyncCalls = 'lib/async.ts'

const poolTest = 'test/native/batch/thread_pool_test.cpp'
const workTest = 'test/native/batch/batch_work_test.cpp'
const backgroundTest = 'test/native/batch/background_test.cpp'
const asyncTest = 'test/async.test.ts'

/** @type {import('../mutate.mjs').Mutation[]} */
export const threadMutations = [
  {
    name: 'threads-in-the-mode-of-their-starter',
    why: 'results would depend on the thread that computes them',
    file: pool,
    from: '  const StandardFloatingPoint mode;  // not that of the thread that started this one\n',
    to: '',
    tests: ['test/native/batch/floating_point_test.cpp'],
  },
  {
    name: 'floating-point-mode-not-given-back',
    why: 'the caller computes in a mode of its own',
    file: 'native/batch/floating_point.hpp',
    from: '    if (is_changed_) own_.use();\n',
    to: '',
    tests: ['test/native/batch/floating_point_test.cpp'],
  },
  {
    name: 'turns-not-taken',
    why: 'a small job would wait for a large one',
    file: pool,
    from: 'queue_.splice(queue_.end(), queue_, found);',
    to: 'queue_.splice(queue_.begin(), queue_, found);',
    tests: [poolTest],
  },
  {
    name: 'tiles-begun-after-a-failure',
    why: 'what cannot succeed any more should end',
    file: pool,
    from: 'if (!work.error_) work.error_ = std::move(error);\n    stop_claiming(work);',
    to: 'if (!work.error_) work.error_ = std::move(error);',
    tests: [poolTest],
  },
  {
    name: 'caller-beyond-the-limit',
    why: 'threads is what works at once, the calling thread included',
    file: 'native/batch/thread_pool.hpp',
    from: 'running_ < threads_',
    to: 'running_ <= threads_',
    tests: [poolTest],
  },
  {
    name: 'tiles-that-overlap',
    why: 'every item is done once',
    file: batch,
    from: 'const Index count = std::min(tiling_.items_per_tile, tiling_.items - first);',
    to: 'const Index count = std::min(tiling_.items_per_tile + 1, tiling_.items - first);',
    tests: [workTest],
  },
  {
    name: 'direction-groups-at-the-first',
    why: 'each group has its own directions',
    file: batch,
    from: 'at = first * job_.directions + from;',
    to: 'at = first * job_.directions;',
    tests: [workTest],
  },
  {
    name: 'value-written-by-the-first-group',
    why: 'in place, the other groups would take the value for the matrix',
    file: batch,
    from: '.fetch_add(1) == tiling_.groups - 1)',
    to: '.fetch_add(1) == 0)',
    tests: [workTest],
  },
  {
    name: 'in-place-without-copies',
    why: 'an item is read again after others of its tile were written',
    file: batch,
    from: 'copies_A = own.A == own.X, copies',
    to: 'copies_A = false, copies',
    tests: [workTest],
  },
  {
    name: 'copy-without-its-end',
    why: 'the last piece of a copy is shorter',
    file: background,
    from: 'std::min(kCopy_bytes, bytes_ - at)',
    to: 'std::min(kCopy_bytes, bytes_ - at) / 2',
    tests: [backgroundTest],
  },
  {
    name: 'owner-goes-before-its-jobs',
    why: 'memory that tiles write to would be gone',
    file: background,
    from: 'all_ended_.wait(lock, [this] { return unfinished_ == 0; });',
    to: '',
    tests: [backgroundTest],
  },
  {
    name: 'inputs-not-copied',
    why: 'what happens to a buffer after the call must not matter',
    file: asyncCalls,
    from: 'copies: number = call.borrowed',
    to: 'copies: number = 0 * call.borrowed',
    tests: [asyncTest],
  },
  {
    name: 'listener-kept',
    why: 'a signal that lives long would gather listeners',
    file: 'lib/abort.ts',
    from: "    signal.removeEventListener('abort', listener)\n",
    to: '',
    tests: [asyncTest],
  },
]
