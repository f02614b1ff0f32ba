import './becoming.js';
import './terminal.test.js';
