import './becoming.js';
import './entry.test.js';
