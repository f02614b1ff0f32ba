import { markBy } from './firewall.js';

// Imported for what it does, before tests that are to run once more with this firewall.
markBy('iptables-legacy');
