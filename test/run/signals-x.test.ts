import './becoming.js';
import './signals.test.js';
