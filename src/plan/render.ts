import type { Marking } from './marking/marking.js';
import type { Change, KeeperThing, MountThing, Thing } from './things.js';

/** The changes as shell commands, in their order. The changes of one firewall are one transaction. */
export function render(changes: readonly Change[], marking: Marking): string[] {
  const transactions = marking.transactions(changes);
  let shown = false;
  return changes.flatMap((change) => {
    const { thing } = change;
    if (thing.kind !== 'firewall') return commands(change);
    if (shown) return [];
    shown = true;
    return transactions.flatMap(({ argv, input, after }) => [
      `${argv.join(' ')} <<'EOF'`,
      ...input.trimEnd().split('\n'),
      'EOF',
      ...(after === undefined ? [] : [after]),
    ]);
  });
}

function commands({ do: what, thing }: Change): string[] {
  if (what === 'mend') return [...remove(thing), ...add(thing)];
  return what === 'add' ? add(thing) : remove(thing);
}

function add(thing: Thing): string[] {
  switch (thing.kind) {
    case 'route':
    case 'rule':
      return [`ip -${thing.family} ${thing.kind} add ${thing.words}`];
    case 'sysctl':
      return [record(thing.old, thing.record), write(thing.state, sysctlPath(thing.device))];
    case 'directory':
      return [`mkdir -m 700 ${thing.path}`, `install -m 600 /dev/null ${thing.path}/lock`];
    case 'keeper':
      return startingKeeper(thing);
    case 'mount':
      return [
        `mkdir -m 700 ${thing.path}`,
        `mount -n -t cgroup -o ${thing.controllers} via ${thing.path}`,
        ...agent(thing, (file, text) => `[ -n "$(cat ${file} 2>&1)" ] || ${write(text, file)}`),
      ];
    case 'record':
      return [record(thing.state.trimEnd(), thing.path)];
    case 'builtin':
      return [record(thing.state.trimEnd(), thing.path)];
    case 'cgroup':
      return [
        `mkdir ${quote(thing.path)}`,
        write(thing.state, `${thing.path}/net_cls.classid`),
        ...(thing.tells
          ? [`[ ! -e ${thing.path}/../release_agent ] || ${write('1', `${thing.path}/notify_on_release`)}`]
          : []),
      ];
    case 'firewall':
      return [];
  }
}

function remove(thing: Thing): string[] {
  switch (thing.kind) {
    case 'route':
    case 'rule':
      return [`ip -${thing.family} ${thing.kind} del ${thing.words}`];
    case 'sysctl':
      return [write(thing.old, sysctlPath(thing.device)), `rm ${thing.record}`];
    case 'directory':
      return [`rm ${thing.path}/lock`, `rmdir ${thing.path}`];
    case 'mount':
      return [
        ...agent(thing, (file, text) => `[ "$(cat ${file} 2>&1)" != ${quote(text)} ] || ${write('', file)}`),
        `umount -n -l ${thing.path}`,
        `rmdir ${thing.path}`,
      ];
    case 'keeper':
      return [...(thing.state !== 'dead' ? [`echo end 1<>${thing.path}`] : []), `rm ${thing.path}`];
    case 'record':
    case 'builtin':
      return [`rm ${thing.path}`];
    case 'cgroup':
      return [`rmdir ${quote(thing.path)}`];
    case 'firewall':
      return [];
  }
}

/**
 * The commands that start a keeper. The FIFO is opened for reading and writing, so that opening does not block and
 * reading has no end of file (fifo(7)). setsid holds it open before it returns.
 */
export const startingKeeper = ({ path, command }: KeeperThing): string[] => [
  `mkfifo -m 600 ${path}`,
  `setsid -f ${command} <>${path} >/dev/null 2>&1`,
];

/** The commands for release_agent, which exists only in the root of a hierarchy. It may name another tool's program. */
const agent = ({ path, agent: text }: MountThing, line: (file: string, text: string) => string): string[] =>
  text === undefined ? [] : [line(`${path}/release_agent`, text)];

const sysctlPath = (device: string): string => `/proc/sys/net/ipv4/conf/${device}/src_valid_mark`;

const write = (text: string, path: string): string => `echo ${quote(text)} > ${quote(path)}`;

const record = (text: string, path: string): string => `( umask 077; ${write(text, path)} )`;

/** A word quoted for a POSIX shell. */
export const quote = (word: string): string =>
  /^[A-Za-z0-9_/:=.,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
