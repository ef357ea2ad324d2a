/** Keeps all jest snapshots in __snapshots__/, named after the path of their test, so that reviews find them in one place. */
const path = require('node:path');

const root = path.join(__dirname, '..');
const separator = '__';

module.exports = {
  resolveSnapshotPath: (testPath, extension) =>
    path.join(root, '__snapshots__', path.relative(path.join(root, 'test'), testPath).split(path.sep).join(separator) + extension),
  resolveTestPath: (snapshotPath, extension) =>
    path.join(root, 'test', path.basename(snapshotPath, extension).split(separator).join(path.sep)),
  testPathForConsistencyCheck: path.join(root, 'test', 'example', 'some.test.ts'),
};
