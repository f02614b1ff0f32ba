import test from 'ava';
import { launchWords } from '../helpers/firewall.js';
import { makeLab } from '../helpers/lab.js';
import { kept } from '../helpers/left.js';
import { probeCommand, readProbe } from '../helpers/probes.js';
import { diff, snapshot } from '../helpers/snapshot.js';
import { far } from '../helpers/topology.js';

/** Five ways out, and who answers by them. */
const gateways: [string[], string][] = [
  [['10.0.1.1'], 'g1'],
  [['10.0.2.1'], 'g2'],
  [['10.0.1.3'], 'g3'],
  [['10.0.2.1,fd02::1'], 'g2'],
  [['--no-lan', '10.0.2.1'], 'g2'],
];

test.serial(
  '200 launches by five gateways, a third of them killed: each goes its way, and nothing is left',
  async (t) => {
    const lab = await makeLab(t, { rpFilter: { c2: 1 } });
    const before = await snapshot(lab);
    const probe = probeCommand('tcp', { address: far.v4, port: 7000 }).join(' ');
    let [killed, answered] = [0, 0];
    const one = async (n: number): Promise<void> => {
      const [words, gateway] = gateways[Math.floor(Math.random() * gateways.length)]!;
      const script = `sleep 0.${Math.floor(Math.random() * 4)}; ${probe}; sleep 0.${Math.floor(Math.random() * 4)}`;
      const running = lab.start('client', [
        ...launchWords([...(n % 2 ? ['-x'] : []), ...words]),
        '--',
        'sh',
        '-c',
        script,
      ]);
      if (Math.random() < 1 / 3) {
        killed += 1;
        setTimeout(() => running.kill('SIGKILL'), Math.random() * 700);
      }
      const result = await running.done;
      if (result.stdout === '') return;
      answered += 1;
      t.is(readProbe(result).gateway, gateway, `${words.join(' ')} ${result.stderr}`);
    };
    const queue = Array.from({ length: 200 }, (_, n) => n);
    const worker = async (): Promise<void> => {
      for (let n = queue.pop(); n !== undefined; n = queue.pop()) await one(n);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    await kept(lab);
    t.log(`${answered} answers, ${killed} killed`);
    t.true(answered > 100 && killed > 30);
    t.deepEqual(diff(before, await snapshot(lab)), []);
  },
);

for (const x of [[], ['-x']])
  test.serial(
    `a release races a join 1,000 times: ${x.length > 0 ? 'via becomes the command' : 'via stays'}`,
    async (t) => {
      const lab = await makeLab(t, { servers: false });
      const before = await snapshot(lab);
      const command = [
        'sh',
        '-c',
        // In a group whose rules are there: its class id names its slot, which is its rule's preference.
        `group=$(sed -n 's/.*net_cls[^:]*:\\(.*\\)/\\1/p' /proc/$$/cgroup)
       id=$(cat /run/via/net_cls$group/net_cls.classid) && ip rule show pref $((500 + (id & 255))) | grep -c fwmark`,
      ];
      const times = 500;
      for (let n = 0; n < times; n++) {
        const both = await Promise.all(
          [1, 2].map(() => lab.run('client', [...launchWords([...x, '10.0.2.1']), '--', ...command])),
        );
        for (const { code, stdout, stderr } of both) t.deepEqual([code, stdout, stderr], [0, '1\n', '']);
      }
      t.log(`${2 * times} joins, each of which may meet the other's release`);
      await kept(lab);
      t.deepEqual(diff(before, await snapshot(lab)), []);
    },
  );
