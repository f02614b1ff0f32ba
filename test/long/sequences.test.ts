import test from 'ava';
import { walkSequences } from '../surroundings/sequences.js';

test.serial('many launches, joins, leaves and foreign rules in any order', (t) => walkSequences(t, 40, 25));
