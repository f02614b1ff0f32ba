import './joining.js';
import './terminal.test.js';
