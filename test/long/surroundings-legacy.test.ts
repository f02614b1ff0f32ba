import '../helpers/iptables-legacy.js';
import '../surroundings/untracked.test.js';
import '../surroundings/v6filters.test.js';
import '../surroundings/bystanders.test.js';
import './restores.test.js';
