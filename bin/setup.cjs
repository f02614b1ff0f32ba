// The set-up that is run as root for a user (bin/setup); beside its launcher, so that it finds what else is in bin/.
require('../dist/setup.cjs');
