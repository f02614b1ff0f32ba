// Loads the bundle, with V8's code cache of it where that was made by this Node. In words Node 10 can read, so
// that it can say that it is too old.
var fs = require('fs');
var version = process.versions.node.split('.').map(Number);

function fail(problem) {
  console.error('via: ' + problem);
  if (process.argv[2] === '--notify') {
    // src/words/notify.ts
    require('child_process').spawnSync('notify-send', ['-i', 'dialog-error', 'via: not started', problem], {
      timeout: 3000,
    });
  }
  // bin/via waits for this line with -x (src/run/handover.ts), or would say that nothing came.
  if (process.env.VIA_EXEC) fs.writeSync(1, 'end 125\n');
  process.exit(125);
}

function read(name, encoding) {
  try {
    return fs.readFileSync(__dirname + '/../dist/' + name, encoding);
  } catch {
    return undefined;
  }
}

if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  fail('node: version ' + process.versions.node + ' is too old (20.19 or newer is needed)');
}
var source = read('via.cjs', 'latin1');
if (source === undefined) fail('dist: not built (npm ci builds it)');
// Latin-1 reads fastest, and the bundle is ASCII. V8 refuses a cache that is not its own, and compiles.
var script = new (require('vm').Script)(source, { filename: 'via.cjs', cachedData: read('via.cache') });
script.runInThisContext()(exports, require, module, __filename, __dirname, process);
