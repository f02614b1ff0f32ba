import '../helpers/iptables-legacy.js';
import '../launch/source.test.js';
import '../closed/rules.test.js';
