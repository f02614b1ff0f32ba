import '../helpers/iptables-nft.js';
import '../surroundings/connection-marks.test.js';
import '../surroundings/endings.test.js';
import '../surroundings/forwarding.test.js';
import '../surroundings/own-way-back.test.js';
import '../surroundings/port-forwards.test.js';
import '../surroundings/udp-servers.test.js';
