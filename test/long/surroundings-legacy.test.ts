import '../helpers/iptables-legacy.js';
import '../surroundings/untracked.test.js';
import './restores.test.js';
