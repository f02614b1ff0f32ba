// Loads the bundle. In words the oldest Node can read, so that it can say that it is too old.
var version = process.versions.node.split('.').map(Number);
var problem;
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  problem = 'node: version ' + process.versions.node + ' is too old (20.19 or newer is needed)';
} else if (!require('fs').existsSync(__dirname + '/../dist/via.cjs')) {
  problem = 'dist: not built (npm ci builds it)';
}
if (problem) {
  console.error('via: ' + problem);
  process.exit(125);
}
require('../dist/via.cjs');
