/** What via has to know of a desktop entry (Desktop Entry Specification 1.5); texts as a person reads them. */
export interface Entry {
  readonly type: string | undefined;
  /** In every language. */
  readonly names: readonly string[];
  readonly exec: string | undefined;
  /** As good as deleted. */
  readonly isHidden: boolean;
  /** In menus. */
  readonly isShown: boolean;
  /** Of an entry that via has written: the gateway as it was typed, and the id of the entry it was made from. */
  readonly gateway: string | undefined;
  readonly origin: string | undefined;
}

/** Keys of our own, by which an entry is known as ours. */
export const GATEWAY_KEY = 'X-Via-Gateway';
export const ORIGIN_KEY = 'X-Via-Entry';

/**
 * Reads the bytes of a file, each as one character (latin1): what is no UTF-8 is kept then. Undefined where it is no
 * desktop entry.
 */
export function readEntry(bytes: string): Entry | undefined {
  const lines = linesOf(bytes).filter(({ group }) => group === MAIN);
  if (lines.length === 0) return undefined;
  // Of a key given twice the last counts, as GLib has it.
  const value = (name: string): string | undefined => {
    const found = lines.findLast(({ key, locale }) => key === name && locale === '');
    return found === undefined ? undefined : readable(found);
  };
  const isTrue = (name: string): boolean => /^(true|1)$/.test(value(name) ?? '');
  return {
    type: value('Type'),
    exec: value('Exec'),
    gateway: value(GATEWAY_KEY),
    origin: value(ORIGIN_KEY),
    names: lines.filter(({ key }) => key === 'Name').map(readable),
    isHidden: isTrue('Hidden'),
    isShown: !isTrue('NoDisplay'),
  };
}

/** How a copy differs from its original. */
export interface Copy {
  /** What stands before each command, as bytes of an Exec key. */
  readonly prefix: string;
  /** A gateway's text, of printable ASCII. */
  readonly gateway: string;
  /** The original's id, as bytes. */
  readonly origin: string;
}

/**
 * The bytes of the copy: every command started by `prefix`, the gateway in every name, not started by D-Bus, with marks
 * of ours. All else is as it was, also its comments and line ends.
 */
export function rewrite(bytes: string, { prefix, gateway, origin }: Copy): string {
  const lines = linesOf(bytes);
  const main = lines.find(({ group, isHeader }) => isHeader && group === MAIN);
  const hasKey = lines.some(({ group, key }) => group === MAIN && key === DBUS);
  return lines
    .map((line) => {
      if (line === main) {
        const added = [`${GATEWAY_KEY}=${gateway}`, `${ORIGIN_KEY}=${origin}`, ...(hasKey ? [] : [`${DBUS}=false`])];
        return [line.text, ...added.map((text) => `${text}${line.end}`)].join('');
      }
      // Exec has no languages, but KDE takes flags there, and menus of other kinds (Unity's) have groups of their own.
      if (line.key === 'Exec' && line.value !== '') return replaced(line, `${prefix} ${line.value}`);
      if (line.group !== MAIN) return line.text;
      if (line.key === 'Name' && line.value !== '') return replaced(line, `${line.value} (via ${gateway})`);
      return line.key === DBUS ? replaced(line, 'false') : line.text;
    })
    .join('');
}

const MAIN = 'Desktop Entry';
const DBUS = 'DBusActivatable';

interface Line {
  /** With its end. */
  readonly text: string;
  readonly end: string;
  readonly group: string;
  readonly isHeader: boolean;
  readonly key: string | undefined;
  /** With its brackets. */
  readonly locale: string;
  /** Without white space around it. */
  readonly value: string;
  /** Where that begins in the text. */
  readonly at: number;
}

/** White space as GLib and the specification know it: latin1 has others, which are halves of letters here. */
const HEADER = /^[ \t\r\f\v]*\[([^[\]]*)\][ \t\r\f\v]*$/;
const PAIR = /^[ \t\r\f\v]*([A-Za-z0-9-]+)(\[[^\]]*\])?[ \t\r\f\v]*=[ \t\r\f\v]*/;

function linesOf(bytes: string): Line[] {
  let group = '';
  return (bytes.match(/[^\n]*\n|[^\n]+$/g) ?? []).map((text) => {
    const end = /\r?\n$/.exec(text)?.[0] ?? '\n';
    const bare = text.replace(/\n$/, '');
    const header = HEADER.exec(bare);
    if (header !== null) group = header[1]!;
    const [before = '', key, locale = ''] = PAIR.exec(bare) ?? [];
    const value = key === undefined ? '' : trimEnd(bare.slice(before.length));
    return { text, end, group, isHeader: header !== null, key, locale, value, at: before.length };
  });
}

function trimEnd(text: string): string {
  let at = text.length;
  while (at > 0 && ' \t\r\f\v'.includes(text[at - 1]!)) at -= 1;
  return text.slice(0, at);
}

const replaced = ({ text, value, at }: Line, by: string): string =>
  text.slice(0, at) + by + text.slice(at + value.length);

/** Escapes of a value undone, and its bytes read as UTF-8. */
function readable({ value }: Line): string {
  const text = Buffer.from(value, 'latin1').toString('utf8');
  return text.replace(/\\([sntr\\])/g, (_, letter: string) => ESCAPES[letter]!);
}

const ESCAPES: Readonly<Record<string, string>> = { s: ' ', n: '\n', t: '\t', r: '\r', '\\': '\\' };
