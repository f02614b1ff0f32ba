import { ViaError } from '../failure.js';
import { formatGateway, parseGateway } from '../gateway/text.js';
import type { Movable } from '../kernel/moving.js';
import type { FirewallChoice, OtherFamily } from '../request.js';

/** What a via without root asks the set-up for, and who it is. */
export interface Document {
  /** The asking process: its number, and the moment of its start, by which a number that is used again is told. */
  readonly pid: number;
  readonly start: string;
  /** To join a group, or to leave the one it is in; to have others join one, or leave theirs. */
  readonly word: 'launch' | 'none' | 'attach' | 'detach';
  /** Empty where somebody is to leave. */
  readonly gateway: string;
  readonly ipv4: OtherFamily;
  readonly ipv6: OtherFamily;
  readonly lan: boolean;
  readonly firewall: FirewallChoice;
  /** Whether it wants to know what was changed. */
  readonly verbose: boolean;
  /** Which others, as `pidsText` has them; empty where it is itself. */
  readonly pids: string;
  /** With all that they have started. */
  readonly tree: boolean;
}

/** The longest document there is, in bytes. */
export const LONGEST = 8192;

/** The most processes that one holds. */
export const MOST = 300;

/** Processes, each with the moment of its start. Throws where they are more than a document holds. */
export function pidsText(all: readonly Movable[]): string {
  if (all.length > MOST)
    throw new ViaError('process', '', `${all.length} are too many at once`, { hint: `at most ${MOST}, or --tree` });
  return all.map(({ pid, start }) => `${pid}:${start}`).join(' ');
}

/** The processes of such a text, in which each is as it has to be. */
export const readPids = (text: string): Movable[] =>
  text.split(' ').map((word) => {
    const [pid, start = ''] = word.split(':');
    return { pid: Number(pid), start };
  });

/** The document as the one line that `readDocument` takes. */
export const documentText = (document: Document): string => `${JSON.stringify(document)}\n`;

/**
 * Reads what anybody may have written. It is one flat object of JSON, with each of its keys once and none besides; what
 * is too long, nested or cut off is refused before anything of it is looked at. The gateway comes back in its one text.
 * Throws ViaError.
 */
export function readDocument(text: string): Document {
  if (text.length > LONGEST) throw wrong('too long');
  const fields = readFields(text);
  const extra = [...fields.keys()].find((key) => !Object.hasOwn(SHAPE, key));
  if (extra !== undefined) throw wrong(`"${extra.slice(0, 20)}" is nothing it may have`);
  const document: Record<string, unknown> = {};
  for (const [key, isRight] of Object.entries(SHAPE)) {
    const value = fields.get(key);
    if (!isRight(value)) throw wrong(`"${key}" is missing or wrong`);
    document[key] = value;
  }
  const read = document as unknown as Document;
  const { word, gateway, pids, tree } = read;
  const isOfOthers = word === 'attach' || word === 'detach';
  if (isOfOthers !== (pids !== '') || (tree && !isOfOthers)) throw wrong(`"pids" or "tree" does not go with ${word}`);
  if (word === 'launch' || word === 'attach') return { ...read, gateway: formatGateway(parseGateway(gateway)) };
  if (gateway !== '') throw wrong(`"gateway" does not go with ${word}`);
  return read;
}

/** The highest process id there can be (PID_MAX_LIMIT). */
const MAX_PID = 4194304;

const oneOf =
  (...words: string[]) =>
  (value: unknown): boolean =>
    words.includes(value as string);

const SHAPE: { readonly [K in keyof Document]: (value: unknown) => boolean } = {
  pid: (value) => Number.isInteger(value) && (value as number) > 1 && (value as number) <= MAX_PID,
  start: (value) => typeof value === 'string' && /^\d{1,20}$/.test(value),
  word: oneOf('launch', 'none', 'attach', 'detach'),
  gateway: (value) => typeof value === 'string' && value.length <= 200,
  ipv4: oneOf('refuse', 'allow'),
  ipv6: oneOf('refuse', 'allow'),
  lan: (value) => typeof value === 'boolean',
  firewall: oneOf('auto', 'nft', 'iptables'),
  verbose: (value) => typeof value === 'boolean',
  pids: (value) => value === '' || (typeof value === 'string' && isPids(value)),
  tree: (value) => typeof value === 'boolean',
};

const isPids = (text: string): boolean => {
  const words = text.split(' ');
  return words.length <= MOST && words.every((word) => /^[1-9]\d{0,6}:\d{1,20}$/.test(word));
};

/** A key, and a string, a whole number or a boolean: nothing that could hold more. JSON.parse would take a key twice. */
const FIELD =
  /"([a-z0-9]{1,20})":("(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[\da-fA-F]{4})*"|0|[1-9]\d{0,15}|true|false)([,}])/y;

function readFields(text: string): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  if (!text.startsWith('{')) throw wrong('no object');
  for (let at = 1; ;) {
    FIELD.lastIndex = at;
    const [all, key, value, behind] = FIELD.exec(text) ?? [];
    if (all === undefined || key === undefined) throw wrong('not as it has to be written');
    if (fields.has(key)) throw wrong(`"${key}" is there twice`);
    fields.set(key, JSON.parse(value ?? ''));
    at += all.length;
    if (behind === ',') continue;
    if (at !== text.length) throw wrong('goes on behind its end');
    return fields;
  }
}

const wrong = (why: string): ViaError => new ViaError('set-up', 'document', why);
