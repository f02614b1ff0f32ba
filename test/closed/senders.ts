import { inspect } from 'node:util';
import { classicCommand } from '../helpers/classic.js';
import type { Running } from '../helpers/exec.js';
import type { Lab } from '../helpers/lab.js';
import { launchWords } from '../helpers/firewall.js';
import { fixture, python } from '../helpers/paths.js';
import { gateways, type Gateway } from '../helpers/topology.js';

/** What puts a command into a group: via, or the classic recipe that has to fail where via does not. */
export type Product = 'via' | 'classic';

/** A gateway's addresses of both families, as via takes them. */
export const bothOf = (gateway: Gateway): string => `${gateways[gateway].v4},${gateways[gateway].v6}`;

/** The command line on the client that runs `argv` in the group of a gateway. */
export const inGroup = (product: Product, gateway: Gateway, argv: string[], words = [bothOf(gateway)]): string[] =>
  product === 'via' ? [...launchWords(words), '--', ...argv] : classicCommand(gateway, argv);

/** A member of a group that sends all the time, by every kind of socket; test/fixtures/sender.py. */
export interface Sender {
  /** The via that runs it, or what stands for it. */
  readonly running: Running;
  /** Waits for that many more rounds; who answered in them, by kind: `udp4` -> `g2`. */
  rounds(count: number): Promise<Map<string, Set<string>>>;
  /** Waits until every kind is answered, by this gateway and by no other. */
  served(gateway: Gateway): Promise<void>;
  end(): Promise<void>;
}

/** Starts a sender in a group; it sends when this returns. */
export async function startSender(lab: Lab, command: (argv: string[]) => string[], device?: string): Promise<Sender> {
  const argv = [...python, fixture('sender.py'), ...(device === undefined ? [] : [device])];
  const running = lab.start('client', command(argv));
  await running.waitFor(/\n/);
  const rounds = async (count: number) => {
    const from = running.stdout.length;
    const [lines] = await running.waitFor(new RegExp(`(.*\n){${count}}`), { from });
    return answersIn(lines);
  };
  return {
    running,
    rounds,
    async served(gateway) {
      const answers = new Map<string, Set<string>>();
      for (let tries = 0; tries < 50; tries++) {
        for (const [kind, who] of await rounds(5)) answers.set(kind, new Set([...(answers.get(kind) ?? []), ...who]));
        const all = [...answers.values()].flatMap((who) => [...who]);
        if (all.some((who) => who !== gateway)) break;
        if (answers.size === kinds.length) return;
      }
      throw new Error(`not all were answered by ${gateway}: ${inspect(answers)}`);
    },
    end: () => end(running),
  };
}

function answersIn(lines: string): Map<string, Set<string>> {
  const answers = new Map<string, Set<string>>();
  for (const [, kind = '', who = ''] of lines.matchAll(/(\w+)=(\w+)/g))
    answers.set(kind, (answers.get(kind) ?? new Set()).add(who));
  return answers;
}

async function end(running: Running): Promise<void> {
  running.stdin.end();
  const { code, stderr } = await running.done;
  if (code !== 0) throw new Error(`the sender ended with ${code}: ${stderr}`);
}

/** All kinds that a sender has. */
export const kinds = ['udp', 'tcp', 'ping', 'newudp', 'newtcp'].flatMap((kind) => [`${kind}4`, `${kind}6`]);
