import './becoming.js';
import './end.test.js';
