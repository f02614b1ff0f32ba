import type { Lab } from './lab.js';
import { fixture } from './paths.js';

/**
 * `fail`: does nothing. `late`: fails when it is done. `lines-3`: takes so many lines. `sh ...`: somebody does that
 * before. Else a signal that via gets before, or what of its keeper has called.
 */
export type Trouble = 'fail' | 'late' | `lines-${number}` | `sh ${string}` | 'KILL' | 'TERM' | 'INT' | 'HUP';

/** The tools that via runs in a lab, made to fail at one of their calls. */
export interface Tools {
  /**
   * Runs something, and gives the calls it made, as `nft_-f_-.1`, or `keeper:nft_-i_.1` for those of a keeper. The call
   * `step` meets trouble, and up to `last`.
   */
  during<T>(
    trouble: Trouble,
    step: string,
    act: () => Promise<T>,
    last?: number,
  ): Promise<{ result: T; steps: string[] }>;
}

/** Puts a wrapper in front of each tool, which tests that use the tools themselves do not notice. */
export async function watchTools(lab: Lab): Promise<Tools> {
  await lab.sh(
    'client',
    // mount is the last, since it puts them all in their places. iptables is two programs that go by many names.
    `mkdir /run/real
    for tool in nft ip umount flock mount $(cd /usr/sbin && ls | grep -E '^ip6?tables(-nft|-legacy)?(-save|-restore)?$'); do
      touch /run/real/$tool
      mount --bind "$(readlink -f "$(command -v $tool)")" /run/real/$tool
    done
    for path in nft ip umount flock xtables-nft-multi xtables-legacy-multi mount; do
      path=$(readlink -f "$(command -v $path)")
      [ -z "$path" ] || mount --bind ${fixture('tool.sh')} "$path"
    done`,
  );
  return {
    async during(trouble, step, act, last) {
      const [, key = '', first = ''] = /^(.*)\.(\d+)$/.exec(step) ?? [];
      await lab.sh(
        'client',
        `mkdir /run/walk.new; echo '${first} ${last ?? first} ${key} ${trouble}' >/run/walk.new/do`,
      );
      await lab.sh('client', 'mv /run/walk.new /run/walk');
      try {
        const result = await act();
        const steps = await lab.sh('client', 'ls /run/walk');
        return { result, steps: steps.split('\n').filter((name) => /\.\d+$/.test(name)) };
      } finally {
        await lab.sh('client', 'mv /run/walk /run/walk.old; rm -r /run/walk.old');
      }
    },
  };
}

/** What to put before a command that is not to find programs, as if they were not installed; nobody else misses them. */
export function without(...names: string[]): string[] {
  const script = `
    names=$1
    shift
    mount -t tmpfs none /mnt
    for place in sbin bin; do
      mkdir /mnt/$place /mnt/real-$place
      mount --bind /usr/$place /mnt/real-$place
      ln -s /mnt/real-$place/* /mnt/$place
      (cd /mnt/$place && rm -f $names)
    done
    for place in sbin bin; do /mnt/real-bin/mount --bind /mnt/$place /usr/$place; done
    exec "$@"
  `;
  return ['unshare', '--mount', 'sh', '-ec', script, 'without', names.join(' ')];
}
