/** True if these words, which follow the program, make it send in another network namespace. */
export type Elsewhere = (words: readonly string[]) => boolean;

/** The programs that do so with some of their options, as their manual pages have them. */
export const elsewhere = {
  // ip-netns(8).
  ip: (words) => words.some((word, i) => word === 'netns' && words[i + 1] === 'exec'),
  // nsenter(1): a short option's own value follows it without a blank.
  nsenter: (words) =>
    optionsOf(words, /^(-[aeFZ]*[tSGN]|--(target|setuid|setgid|net-socket))$/).some((word) =>
      /^(-[eFZ]*[an]|--all$|--net(=|$))/.test(word),
    ),
  // podman-run(1): with `host` it sends here, with `none` nothing.
  podman: (words) =>
    words.some((word) => /^(run|start|exec|create|play|kube)$/.test(word)) &&
    !/ --net(work)?[ =](host|none) /.test(` ${words.join(' ')} `),
  // systemd-nspawn(1).
  'systemd-nspawn': (words) =>
    optionsOf(
      words,
      /^(-[abnqxUP]*[DiMuSZLpEl]|--(directory|image|machine|user|slice|uuid|bind|bind-ro|setenv))$/,
    ).some((word) => /^(-[abqxUP]*[np]|--network-|--private-network$|--port(=|$))/.test(word)),
} satisfies Record<string, Elsewhere>;

/** The options ahead of the program that is run; `valued` matches those whose value is the next word. */
function optionsOf(words: readonly string[], valued: RegExp): string[] {
  const options: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--' || !word.startsWith('-')) break;
    options.push(word);
    if (valued.test(word)) i++;
  }
  return options;
}
