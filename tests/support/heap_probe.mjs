// Preload of a bridge under test: on SIGUSR2 it collects all garbage, and says in the file that PONTE_TEST_HEAP_FILE
// names how many bytes its heap and its buffers take.
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';

const file = process.env.PONTE_TEST_HEAP_FILE;
const snapshots = process.env.PONTE_TEST_HEAP_SNAPSHOTS;
if (file) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  let count = 0;
  process.on('SIGUSR2', async () => {
    // Finalizers run between two collections, and free what the second one finds.
    for (let round = 0; round < 3; round++) {
      collect();
      await new Promise(setImmediate);
    }
    const { heapUsed, external } = process.memoryUsage();
    if (snapshots) writeHeapSnapshot(`${snapshots}/${++count}.heapsnapshot`);
    writeFileSync(`${file}.new`, String(heapUsed + external));
    renameSync(`${file}.new`, file);
  });
}
